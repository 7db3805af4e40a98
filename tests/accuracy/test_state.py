"""Tensors put back where they belong."""

import pytest
import torch
from torch import Tensor

from octprobe.accuracy.state import put_back, refuse_misfit
from octprobe.errors import UsageError


def held() -> dict[str, Tensor]:
    """Give what a network holds: a weight, and how many batches its norm has seen."""
    return {"weight": torch.zeros(2, 3), "num_batches_tracked": torch.tensor(4)}


def given() -> dict[str, Tensor]:
    """Give what a checkpoint has for it."""
    return {"weight": torch.arange(6.0).view(2, 3), "num_batches_tracked": torch.tensor(9)}


def test_values_are_copied_into_place() -> None:
    """The tensors stay the ones that forms and optimisers hold; a count that is not given stays."""
    ours = held()
    weight = ours["weight"]
    refuse_misfit(ours, given())
    put_back(ours, given())
    assert ours["weight"] is weight
    assert weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert ours["num_batches_tracked"].item() == 9
    older = {"weight": torch.ones(2, 3)}
    refuse_misfit(ours, older)
    put_back(ours, older)
    assert (weight.sum().item(), ours["num_batches_tracked"].item()) == (6, 9)


@pytest.mark.parametrize(
    "damaged",
    [
        5,
        None,
        [torch.zeros(2, 3)],
        given() | {"weight": 5},
        given() | {"weight": None},
        {5: torch.zeros(2, 3)},
        given() | {"weight": torch.zeros(2, 3).to_sparse()},
        given() | {"weight": torch.zeros(2, 3, device="meta")},
    ],
    ids=str,
)
def test_what_holds_no_plain_tensors_is_damaged(damaged: object) -> None:
    """Numbers, lists and tensors without values of their own."""
    with pytest.raises(UsageError, match="damaged: it does not hold plain tensors by name; get it anew"):
        refuse_misfit(held(), damaged)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, r"1 key missing \(weight\)"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}, r"1 key unexpected \(bias\)"),
        ({"weight": torch.zeros(3, 2)}, r"weight: \(3, 2\) in the file, \(2, 3\) in the network"),
    ],
)
def test_another_networks_tensors(other: dict[str, Tensor], said: str) -> None:
    """Each fault with its name."""
    with pytest.raises(UsageError, match=f"the checkpoint is of another network: .*{said}"):
        refuse_misfit(held(), other)
