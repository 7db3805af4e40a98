"""Four independent counts of a layer's MACs agree: closed form, meta walk, fvcore, torch's counter."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from octprobe.cost.closed_form import LayerRecorder, feature_map_bytes, octave_macs
from octprobe.cost.count import disagreement, full_cost, quick_cost
from octprobe.octave import OctaveConv2d
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.variant import Variant
from octprobe.store.records import PathMacs
from octprobe.workload import build_workload

ALPHAS = ("0", "0.25", "0.5", "1")
GEOMETRIES = [
    {"kernel_size": 1, "padding": 0},
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 3, "padding": "same"},
    {"kernel_size": 5, "padding": 4, "dilation": 2},
    {"kernel_size": 3, "padding": 1, "groups": 4},
    {"kernel_size": 3, "padding": 1, "stride": 2},
    {"kernel_size": 1, "padding": 0, "stride": 2},
]


def layer_point(resolution: int = 14, **changes: object) -> DesignPoint:
    """Give a layer's point."""
    fields = {
        "in_channels": 16,
        "out_channels": 32,
        "kernel_size": 3,
        "stride": 1,
        "padding": 1,
        "dilation": 1,
        "groups": 1,
        "alpha_in": Decimal("0.5"),
        "alpha_out": Decimal("0.5"),
    }
    return DesignPoint(
        subject=LayerSubject(**(fields | changes)), conditions=Conditions(resolution=resolution)
    )


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("resolution", [14, 15])
def test_all_counts_of_a_layer_agree(geometry: dict[str, object], resolution: int) -> None:
    """Every pair of alphas, even and odd sizes, padding in pixels and 'same'."""
    for alpha_in, alpha_out in itertools.product(map(Decimal, ALPHAS), repeat=2):
        point = layer_point(resolution, alpha_in=alpha_in, alpha_out=alpha_out, **geometry)
        workload = build_workload(point)
        cost = full_cost(workload)
        assert disagreement(cost) is None
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            workload.module(workload.example)
        assert counter.get_total_flops() == 2 * cost.path_macs.total


@pytest.mark.parametrize("exchange", ["h2l", "l2h", "none"])
@pytest.mark.parametrize("downsample", ["average", "strided", "max"])
@pytest.mark.parametrize("stride", [1, 2])
def test_all_counts_of_a_variant_agree(exchange: str, downsample: str, stride: int) -> None:
    """Paths that are not there cost nothing; a strided convolution costs what a pool and one without cost."""
    variant = Variant(exchange=exchange, downsample=downsample)
    for alpha_in, alpha_out in itertools.product(map(Decimal, ALPHAS), repeat=2):
        point = layer_point(15, alpha_in=alpha_in, alpha_out=alpha_out, stride=stride)
        cost = full_cost(build_workload(replace(point, variant=variant)))
        assert disagreement(cost) is None
        if 0 < alpha_in < 1 and 0 < alpha_out < 1:
            both = quick_cost(build_workload(point)).path_macs
            kept = {path: getattr(both, path) for path in ("h2h", "l2l", exchange) if path != "none"}
            assert cost.path_macs == PathMacs(**kept)


def test_a_depthwise_layer_has_no_exchange() -> None:
    """Each frequency keeps its own channels: 9 taps at 14x14 for the high half, at 7x7 for the low one."""
    cost = quick_cost(build_workload(layer_point(in_channels=16, out_channels=16, groups=16)))
    assert cost.path_macs == PathMacs(h2h=8 * 9 * 14 * 14, l2l=8 * 9 * 7 * 7)


def test_the_papers_closed_form_at_equal_alphas() -> None:
    """At stride 1 and even sizes a layer costs 1 - 3/4 a (2 - a) of vanilla (arXiv 1904.05049, table 1)."""
    for alpha in map(Decimal, ("0", "0.125", "0.25", "0.5", "0.75", "1")):
        cost = quick_cost(build_workload(layer_point(alpha_in=alpha, alpha_out=alpha)))
        share = 1 - Decimal("0.75") * alpha * (2 - alpha)
        assert cost.path_macs.total == share * 16 * 32 * 9 * 14 * 14


def test_low_to_high_costs_its_full_price_at_stride_2() -> None:
    """The low input has the high output's size there, so nothing is saved on that path."""
    layer = OctaveConv2d(16, 32, 3, 2, 1, alpha_in=0.5, alpha_out=0.5)
    macs = octave_macs(layer, (14, 14))
    assert macs.h2h == macs.l2h == 8 * 16 * 9 * 7 * 7
    assert macs.h2l == macs.l2l == 8 * 16 * 9 * 4 * 4


PAPERS_MEMORY = {"0": 100, "0.125": 91, "0.25": 81, "0.5": 63, "0.75": 44, "1": 25}


@pytest.mark.parametrize("alpha", PAPERS_MEMORY)
def test_the_papers_share_of_feature_maps(alpha: str) -> None:
    """At even sizes 1 - 3/4 alpha, and the paper's per cent (arXiv 1904.05049, table 1)."""
    layer = OctaveConv2d(16, 32, 3, 1, 1, alpha_in=alpha, alpha_out=alpha)
    plain = feature_map_bytes(nn.Conv2d(16, 32, 3, 1, 1), (14, 14))
    assert plain == 4 * (16 + 32) * 14 * 14
    share = 1 - Decimal("0.75") * Decimal(alpha)
    assert feature_map_bytes(layer, (14, 14)) == share * plain
    assert abs(100 * share - PAPERS_MEMORY[alpha]) <= Decimal("0.5")


@pytest.mark.parametrize(
    "geometry", [*GEOMETRIES, {"padding": "valid"}, {"padding": 0, "stride": 2, "dilation": 2}], ids=str
)
@pytest.mark.parametrize("resolution", [14, 15])
def test_feature_maps_are_the_bytes_of_input_and_output(geometry: dict[str, object], resolution: int) -> None:
    """The closed form equals what the tensors hold, at every pair of alphas that the geometry has."""
    for alpha_in, alpha_out in itertools.product(map(Decimal, ALPHAS), repeat=2):
        point = layer_point(resolution, alpha_in=alpha_in, alpha_out=alpha_out, **geometry)
        if "kernel_size" not in geometry and not point.is_anchor:
            continue  # these lose their border, so they have no octave form
        workload = build_workload(point)
        tensors = tree_leaves((workload.example, workload.module(workload.example)))
        held = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        assert feature_map_bytes(workload.module, (resolution, resolution)) == held


def test_what_is_no_convolution_has_no_closed_form_of_its_feature_maps() -> None:
    """A network, or another kind of layer: absent, not 0."""
    assert feature_map_bytes(nn.Sequential(nn.Conv2d(3, 8, 1)), (8, 8)) is None
    assert feature_map_bytes(nn.Linear(3, 8), (8, 8)) is None


def test_layers_are_recorded_by_name_and_in_order() -> None:
    """A network's total is the sum of its layers, plain and octave."""
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Flatten(), nn.Linear(8 * 16, 5))
    with LayerRecorder(model) as recorder:
        model(torch.ones(2, 3, 4, 4))
    assert [(layer.name, layer.macs.plain) for layer in recorder.layers] == [("0", 3 * 8 * 16), ("2", 640)]
    assert recorder.total == PathMacs(plain=384 + 640)
    model(torch.ones(2, 3, 4, 4))
    assert len(recorder.layers) == 2


@pytest.mark.parametrize("alpha", ["0", "0.25", "0.5"])
def test_all_counts_of_a_network_agree(alpha: str) -> None:
    """ResNet-18 at 64 pixels, and parameters do not depend on alpha."""
    point = DesignPoint(
        subject=NetworkSubject(network="resnet18", alpha=Decimal(alpha)), conditions=Conditions(resolution=64)
    )
    cost = full_cost(build_workload(point))
    assert disagreement(cost) is None
    assert cost.parameters == 11689512
    assert cost.uncounted_ops == {}


def test_counts_that_differ_are_told() -> None:
    """The line names each count."""
    cost = full_cost(build_workload(layer_point()))
    macs = cost.macs_dispatched
    assert disagreement(replace(cost, macs=7)) == (
        f"MACs an item differ: fvcore 7, meta walk {macs}, closed form {macs}"
    )
