"""All counts of a point: they agree on every layer that is shipped, and a training call is counted whole."""

from dataclasses import replace
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fakes_store import layer_point
from octprobe.cost.count import disagreement, full_cost, quick_cost
from octprobe.cost.fvcore_count import FvcoreCount
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec
from octprobe.workload import Workload, build_workload, loss_of, one_item

SWEEPS = Path(__file__).parents[2] / "sweeps"


def network(alpha: str, *, mode: str = "infer", resolution: int = 64, batch: int = 1) -> DesignPoint:
    """Give ResNet-18's point."""
    return DesignPoint(
        subject=NetworkSubject(network="resnet18", alpha=Decimal(alpha)),
        conditions=Conditions(resolution=resolution, mode=mode, batch=batch),
    )


def layer(alpha: str, *, mode: str = "train", **changes: object) -> DesignPoint:
    """Give a layer's point."""
    fields: dict[str, Any] = {"in_channels": 16, "out_channels": 16} | changes
    point = layer_point(alpha, alpha, **fields)
    return replace(point, conditions=Conditions(resolution=12, mode=mode))


def torchs_macs(workload: Workload) -> int:
    """Count one call with torch's own counter, two FLOPs a MAC: in training a forward and a backward."""
    with torch.set_grad_enabled(workload.module.training), FlopCounterMode(display=False) as counter:
        output = workload.module(workload.example)
        if workload.module.training:
            loss_of(output).backward()
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["layers", "convolutions"])
def test_four_counts_agree_on_every_layer_that_is_shipped(name: str) -> None:
    """Closed form, meta walk, fvcore and torch's counter, at every alpha of the sweep, as whole numbers."""
    plan = expand(read_spec(SWEEPS / f"{name}.yaml"), "cpu")
    assert len(plan.points) >= 100
    for point in plan.points:
        workload = build_workload(one_item(point))
        cost = full_cost(workload)
        counts = {cost.macs, cost.macs_dispatched, cost.path_macs.total, torchs_macs(workload)}
        assert len(counts) == 1, (point.label(), cost)
        assert cost.macs_executed == cost.macs


@pytest.mark.parametrize("alpha", ["0", "0.5"])
def test_training_a_network_runs_what_torchs_counter_sees(alpha: str) -> None:
    """Forward, both gradients of each layer but the first, which has an image before it: to the last MAC."""
    cost = quick_cost(build_workload(one_item(network(alpha, mode="train"))))
    pair = build_workload(network(alpha, mode="train", batch=2))
    assert 2 * cost.macs_executed == torchs_macs(pair)
    stem = 64 * 3 * 7 * 7 * 32 * 32
    assert cost.macs_executed == 3 * cost.macs_dispatched - stem
    assert cost.macs_dispatched == quick_cost(build_workload(network(alpha))).macs_dispatched


@pytest.mark.parametrize("alpha", ["0", "0.25", "0.5", "1"])
@pytest.mark.parametrize("geometry", [{}, {"kernel_size": 1, "padding": 0}, {"stride": 2}], ids=str)
def test_training_a_layer_runs_three_times_its_forward(alpha: str, geometry: dict[str, object]) -> None:
    """A layer amid a network has the gradient of its input to give as well as that of its weight."""
    workload = build_workload(layer(alpha, **geometry))
    cost = quick_cost(workload)
    assert cost.macs_executed == 3 * cost.path_macs.total == torchs_macs(workload)


@pytest.mark.parametrize("groups", [4, 16])
@pytest.mark.parametrize("alpha", ["0", "0.5"])
def test_training_a_grouped_layer_costs_no_more_than_its_groups(groups: int, alpha: str) -> None:
    """Torch's formula forgets the groups in a weight's gradient, so the groups are counted apart there."""
    cost = quick_cost(build_workload(layer(alpha, groups=groups)))
    assert cost.macs_executed == 3 * cost.path_macs.total
    if alpha == "0":
        apart = nn.ModuleList(
            nn.Conv2d(16 // groups, 16 // groups, 3, 1, 1, bias=False) for _ in range(groups)
        )
        pieces = torch.ones(1, 16, 12, 12, requires_grad=True).chunk(groups, 1)
        with FlopCounterMode(display=False) as counter:
            loss_of([conv(piece) for conv, piece in zip(apart, pieces, strict=True)]).backward()
        assert counter.get_total_flops() == 2 * cost.macs_executed


def test_training_counts_linear_layers_and_transposed_convolutions() -> None:
    """An image before the first one: forward and weight gradient there, three times the forward after it."""
    upward = nn.ConvTranspose2d(4, 6, 3, 2)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), upward, nn.Flatten(), nn.Linear(6 * 11 * 11, 7)).train()
    workload = Workload(model, torch.ones(1, 3, 5, 5))
    convolution, linear = 3 * 4 * 25, 6 * 11 * 11 * 7
    assert quick_cost(workload).macs_executed == (
        2 * convolution + 3 * (25 * prod(upward.weight.shape) + linear)
    )
    assert quick_cost(workload).macs_executed == torchs_macs(workload)


def test_a_batch_norm_that_refuses_one_item_is_counted_all_the_same() -> None:
    """At 32 pixels the last stage has one value a channel, which no variance can be taken of."""
    workload = build_workload(network("0.5", mode="train", resolution=32))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        workload.module(workload.example)
    cost = full_cost(workload, batch=2)
    assert disagreement(cost) is None
    assert cost.macs_executed == 3 * cost.path_macs.total - 64 * 3 * 7 * 7 * 16 * 16


def test_a_training_calls_bytes_are_those_of_one_item() -> None:
    """What is told from two batches equals a walk of one item, where one item can be walked."""
    workload = build_workload(one_item(network("0.5", mode="train")))
    one, eight = quick_cost(workload), quick_cost(workload, batch=8)
    for name in ("macs_executed", "operators", "bytes_read", "bytes_written", "input_bytes"):
        assert getattr(one, name) == getattr(eight, name)
    assert one.bytes_read > 2 * quick_cost(build_workload(network("0.5"))).bytes_read


def test_a_training_calls_peak_is_an_items_share() -> None:
    """The weights' gradients are there once: shared by more items, there is less of them for each."""
    workload = build_workload(one_item(network("0", mode="train")))
    shares = [quick_cost(workload, batch=batch).peak_live_bytes for batch in (2, 8, 64)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] * 2 > quick_cost(workload).weights_bytes


def test_counting_leaves_the_workload_as_it_was() -> None:
    """Neither mode, nor gradients, nor a batch norm's statistics change."""
    workload = build_workload(network("0.5", mode="train"))
    before = {name: tensor.clone() for name, tensor in workload.module.state_dict().items()}
    full_cost(workload)
    assert workload.module.training
    assert all(parameter.grad is None for parameter in workload.module.parameters())
    after = workload.module.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_layers_feature_maps_are_in_its_cost_and_a_networks_are_not() -> None:
    """Input and output of 16 channels at 12 x 12, half of them at 6 x 6."""
    assert quick_cost(build_workload(layer("0.5"))).feature_map_bytes == 2 * 4 * 8 * (144 + 36)
    assert quick_cost(build_workload(network("0.5"))).feature_map_bytes is None


class Untraceable(nn.Conv2d):
    """Raises where torch's tracer runs it and nowhere else."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.jit.is_tracing():
            raise self.error
        return super().forward(x)

    error: Exception = TypeError("no graph for this\nand more")


def test_what_fvcore_cannot_trace_is_counted_without_it_and_says_why(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In the result alone; nothing is printed."""
    workload = Workload(Untraceable(3, 4, 1).eval(), torch.ones(1, 3, 5, 5))
    cost = full_cost(workload)
    assert cost == replace(quick_cost(workload), fvcore_fault=cost.fvcore_fault)
    assert disagreement(cost) == (
        "fvcore could not trace it: TypeError: no graph for this; the meta walk counts 300 MACs an item"
    )
    assert capfd.readouterr() == ("", "")


def test_a_want_of_memory_while_counting_passes() -> None:
    """It says nothing of the network, so no count without fvcore's may be kept for it."""
    model = Untraceable(3, 4, 1).eval()
    model.error = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(torch.OutOfMemoryError):
        full_cost(Workload(model, torch.ones(1, 3, 5, 5)))


def test_work_that_no_output_depends_on_is_counted_by_the_walk_alone() -> None:
    """The tracer drops it, and its 0 MACs are no count."""

    class Idle(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            super().forward(x)
            return x + 1

    cost = full_cost(Workload(Idle(3, 4, 1).eval(), torch.ones(1, 3, 5, 5)))
    assert (cost.macs, cost.elementwise_flops, cost.macs_dispatched) == (None, None, 300)
    assert "its trace drops what no output depends on" in (disagreement(cost) or "")
    pooled = full_cost(Workload(nn.AvgPool2d(2).eval(), torch.ones(1, 3, 4, 4)))
    assert (pooled.macs, disagreement(pooled)) == (0, None)


def test_counting_holds_no_second_copy_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fvcore traces has the module's own, and batch norm statistics apart."""
    traced: list[nn.Module] = []
    monkeypatch.setattr(
        "octprobe.cost.count.fvcore_count", lambda model, _: traced.append(model) or FvcoreCount(0, 0, {})
    )
    workload = build_workload(network("0.5", mode="train"))
    full_cost(workload)
    (model,) = traced
    assert not any(module.training for module in model.modules())
    pairs = zip(model.parameters(), workload.module.parameters(), strict=True)
    assert all(ours is theirs for ours, theirs in pairs)
    buffers = zip(model.buffers(), workload.module.buffers(), strict=True)
    assert all(ours is not theirs for ours, theirs in buffers)
