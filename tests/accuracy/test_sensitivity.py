"""What each alpha group alone costs: which groups, which alphas, whose answers."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from octprobe.accuracy.elastic_network import ElasticNetwork
from octprobe.accuracy.evaluate import Flags
from octprobe.accuracy.sensitivity import Choice, Origin, choices, sensitivities
from octprobe.cost.design_group import DesignSpace
from octprobe.cost.design_space import design_space
from octprobe.networks import build_network
from octprobe.plan.recipe import Alpha

EXAMPLE = torch.zeros(1, 1, 28, 28)
ALPHAS = (Decimal(0), Decimal("0.25"), Decimal("0.5"))
ORIGIN = Origin(
    network="octprobe:resnet8",
    dataset="fashion-mnist",
    split="validation",
    recipe_digest="0123",
    seed=7,
    checkpoint="elastic.pt",
)


@pytest.fixture
def space() -> DesignSpace:
    """Of the small network."""
    return design_space(build_network("octprobe:resnet8"))


def test_each_group_of_the_policy_goes_to_each_alpha(space: DesignSpace) -> None:
    """Alone; alpha 0 is what all are compared with."""
    found = choices(space, ALPHAS)
    assert [(choice.group.number, choice.alpha) for choice in found] == [
        (number, alpha) for number in (2, 3, 4, 5) for alpha in ALPHAS[1:]
    ]
    assert found[-1].alpha_map == (
        ("layer2.0.conv2", Decimal("0.5")),
        ("layer2.0.downsample.0", Decimal("0.5")),
    )


def test_a_group_that_allows_few_alphas_has_the_nearest_once() -> None:
    """Grouped convolutions ask for multiples of a share."""
    with torch.device("meta"):
        space = design_space(build_network("resnext50_32x4d"))
    found = choices(space, (Decimal("0.5"), Decimal("0.51"), Decimal("0.25")))
    grouped = [choice for choice in found if choice.group.multiple_of is not None]
    assert grouped
    assert all(Fraction(choice.alpha) % choice.group.multiple_of == 0 for choice in grouped)  # type: ignore[operator]
    assert len(set(found)) == len(found)


def test_rows_count_answers_that_change(space: DesignSpace) -> None:
    """Both ways, against the same images at alpha 0."""
    answers = iter([[True, True, True, False], [True, False, False, True], [True, True, True, True]])
    asked: list[Alpha] = []

    def network_at(alpha: Alpha) -> nn.Module:
        asked.append(alpha)
        return network.network_at(alpha, torch.zeros(4, 1, 28, 28))

    def ask(network: nn.Module) -> Flags:
        return np.array(next(answers))

    network = ElasticNetwork(build_network("octprobe:resnet8"), ALPHAS, EXAMPLE)
    wanted: list[Choice] = list(choices(space, ALPHAS)[:2])
    found = list(sensitivities(wanted, network_at, ask, EXAMPLE, ORIGIN))
    assert asked == [Decimal(0), *(choice.alpha_map for choice in wanted)]
    assert [(row.newly_wrong, row.newly_right) for row in found] == [(2, 1), (0, 1)]
    assert {(row.images, row.baseline_right, row.baseline_macs) for row in found} == {(4, 3, space.macs)}
    assert [row.alpha for row in found] == [0.25, 0.5]
    # 8 and 16 of layer1.0.conv1's 32 output channels at a quarter of the positions, and what reads them.
    per_position = 32 * 9
    low = [8, 16]
    saved = [2 * 14 * 14 * 3 // 4 * count * per_position for count in low]
    assert [space.macs - row.macs for row in found] == saved
    assert (found[0].network, found[0].seed, found[0].checkpoint) == ("octprobe:resnet8", 7, "elastic.pt")


def test_rows_come_as_they_are_known(space: DesignSpace) -> None:
    """So that a progress can be shown."""
    network = ElasticNetwork(build_network("octprobe:resnet8"), ALPHAS, EXAMPLE)
    asked: list[nn.Module] = []

    def ask(network: nn.Module) -> Flags:
        asked.append(network)
        return np.array([True])

    rows: Iterator[object] = sensitivities(
        choices(space, ALPHAS),
        lambda alpha: network.network_at(alpha, torch.zeros(4, 1, 28, 28)),
        ask,
        EXAMPLE,
        ORIGIN,
    )
    next(rows)
    assert len(asked) == 2
