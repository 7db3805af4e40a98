"""A design point made into a module and its example input."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from octprobe import workload as module_under_test
from octprobe.cost.count import quick_cost
from octprobe.errors import ConversionError, UsageError
from octprobe.octave import OctaveConv2d, conv, frequency, policy
from octprobe.plan.axes import Downsample, Exchange, OctaveKernels
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.variant import Variant
from octprobe.workload import build_workload, forget_gradients, gradient_leaves, loss_of, one_item


def layer(**changes: object) -> DesignPoint:
    """Give a layer's point."""
    fields = {
        "in_channels": 8,
        "out_channels": 16,
        "kernel_size": 3,
        "stride": 1,
        "padding": 1,
        "dilation": 1,
        "groups": 1,
        "alpha_in": Decimal("0.25"),
        "alpha_out": Decimal("0.5"),
    }
    return DesignPoint(
        subject=LayerSubject(**(fields | changes)), conditions=Conditions(batch=2, resolution=9)
    )


def network(alpha: object, name: str = "resnet18") -> DesignPoint:
    """Give a network's point."""
    return DesignPoint(
        subject=NetworkSubject(network=name, alpha=alpha), conditions=Conditions(batch=2, resolution=33)
    )


def test_an_octave_layer_takes_a_pair_of_its_sizes() -> None:
    """A quarter of 8 channels is low, at half of 9 pixels rounded up."""
    workload = build_workload(layer())
    high, low = workload.example
    assert (tuple(high.shape), tuple(low.shape)) == ((2, 6, 9, 9), (2, 2, 5, 5))
    assert isinstance(workload.module, OctaveConv2d)
    assert not workload.module.training
    high, low = workload.module(workload.example)
    assert (tuple(high.shape), tuple(low.shape)) == ((2, 8, 9, 9), (2, 8, 5, 5))


def test_a_layer_that_starts_plain_takes_a_tensor() -> None:
    """Without low input channels there is no pair."""
    assert isinstance(build_workload(layer(alpha_in=Decimal(0))).example, torch.Tensor)


def test_an_anchor_is_the_plain_convolution() -> None:
    """The layer's vanilla is torch's own, with the same geometry."""
    module = build_workload(layer(stride=2).anchor()).module
    assert type(module) is nn.Conv2d
    assert (module.stride, module.padding, module.bias) == ((2, 2), (1, 1), None)


def test_a_network_at_alpha_0_is_the_original() -> None:
    """The anchor is timm's module itself, not a traced copy."""
    workload = build_workload(network(Decimal(0)))
    assert type(workload.module).__name__ == "ResNet"
    assert tuple(workload.example.shape) == (2, 3, 33, 33)


def test_an_octave_network_runs_with_its_batch_and_has_vanillas_weights() -> None:
    """The same seed gives the same weights at every alpha."""
    octave, vanilla = build_workload(network(Decimal("0.5"))), build_workload(network(Decimal(0)))
    assert octave.module(octave.example).shape == (2, 1000)
    for (name, ours), (theirs_name, theirs) in zip(
        octave.module.state_dict().items(), vanilla.module.state_dict().items(), strict=True
    ):
        assert name == theirs_name
        assert torch.equal(ours, theirs)


def test_an_alpha_map_reaches_the_conversion() -> None:
    """Only the named stage is octave."""
    module = build_workload(network((("layer2", Decimal("0.5")),))).module
    octave = {name for name, part in module.named_modules() if isinstance(part, OctaveConv2d)}
    assert octave
    assert all(name.startswith(("layer2", "layer3.0")) for name in octave)


class Sorting(nn.Module):
    """Convolutions with an operator between them that has no octave form."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first, self.second = (nn.Conv2d(c, 8, 3, padding=1) for c in (3, 8, 8))
        self.last = nn.Conv2d(8, 8, 3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sort the channels after each convolution."""
        for layer in (self.stem, self.first, self.second):
            x = layer(x).cumsum(1)
        return self.last(x)


def test_a_network_leaves_the_octave_world_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any network can be measured; how often both frequencies were joined amid it is counted."""
    monkeypatch.setattr(module_under_test, "build_network", lambda *_, **__: Sorting())
    assert build_workload(network(Decimal("0.5"))).octave_exits == 2
    assert build_workload(network((("first", Decimal("0.5")),))).octave_exits == 1
    assert build_workload(network(Decimal(0))).octave_exits is None
    assert quick_cost(build_workload(one_item(network(Decimal("0.5"))))).octave_exits == 2


def test_a_layer_has_no_exits() -> None:
    """It is no network."""
    assert build_workload(layer()).octave_exits is None


def octave_layers(variant: Variant) -> dict[str, OctaveConv2d]:
    """Give the octave layers of ResNet-50 at alpha 0.5, by name."""
    point = replace(network(Decimal("0.5"), "resnet50"), variant=variant)
    parts = build_workload(point).module.named_modules()
    return {name: part for name, part in parts if isinstance(part, OctaveConv2d)}


def test_a_variant_reaches_the_conversion() -> None:
    """The form reaches each layer, the extent says which they are."""
    usual = octave_layers(Variant())
    formed = octave_layers(Variant(exchange="none", downsample="max"))
    assert {(part.exchange, part.downsample) for part in usual.values()} == {("both", "average")}
    assert {(part.exchange, part.downsample) for part in formed.values()} == {("none", "max")}
    early = octave_layers(Variant(return_at="layer3"))
    assert usual.keys() == formed.keys() > early.keys()
    assert {name.partition(".")[0] for name in early if early[name].low_out} == {"layer1", "layer2"}
    late = octave_layers(Variant(return_at="end"))
    assert late["layer4.2.conv3"].low_out
    spatial = octave_layers(Variant(octave_kernels="spatial"))
    assert {part.kernel_size for part in spatial.values() if part.low_out} == {(3, 3)}


def test_a_map_has_a_form_and_no_extent() -> None:
    """What has no effect on it is not passed on, and what has is."""
    point = replace(network((("layer2", Decimal("0.5")),)), variant=Variant(exchange="h2l", return_at="end"))
    parts = [part for part in build_workload(point).module.modules() if isinstance(part, OctaveConv2d)]
    assert {part.exchange for part in parts} == {"h2l"}


def test_a_module_that_is_not_there_has_no_such_network() -> None:
    """The point is skipped with a reason that names it."""
    with pytest.raises(ConversionError, match="layer9"):
        build_workload(replace(network(Decimal("0.5")), variant=Variant(return_at="layer9")))


SHARES = [Decimal(share) for share in ("0", "0.5", "1")]
FORMS = [
    Variant(exchange=exchange, downsample=downsample)
    for exchange in get_args(Exchange)
    for downsample in get_args(Downsample)
]


@pytest.mark.parametrize(("alpha_in", "alpha_out"), list(itertools.product(SHARES, SHARES))[1:])
@pytest.mark.parametrize("geometry", [{}, {"stride": 2}, {"groups": 8, "out_channels": 8}], ids=str)
def test_equal_work_is_one_point(alpha_in: Decimal, alpha_out: Decimal, geometry: dict[str, object]) -> None:
    """Forms of a layer that give the same output have one identity, and no others have."""
    if "groups" in geometry and alpha_in != alpha_out:
        return  # a depthwise layer splits its output as its input
    plain = layer(alpha_in=alpha_in, alpha_out=alpha_out, **geometry)
    outputs: dict[str, list[torch.Tensor]] = {}
    asked = {"alpha_in": alpha_in, "alpha_out": alpha_out, "kernel_size": 3, "padding": 1, "bias": False}
    channels = (plain.subject.in_channels, plain.subject.out_channels)
    workload = build_workload(plain)
    for form in FORMS:
        shape = {"stride": plain.subject.stride, "groups": plain.subject.groups}
        octave = OctaveConv2d(*channels, **asked, **shape, exchange=form.exchange, downsample=form.downsample)
        octave.load_state_dict(workload.module.state_dict())
        found = tree_leaves(octave.eval()(workload.example))
        known = outputs.setdefault(replace(plain, variant=form).point_id, found)
        assert all(torch.equal(one, other) for one, other in zip(known, found, strict=True))
    different = [torch.cat([part.flatten() for part in found]) for found in outputs.values()]
    assert not any(torch.allclose(one, other) for one, other in itertools.combinations(different, 2))


def test_the_words_of_a_sweep_are_those_of_the_operator() -> None:
    """The ground floor knows no torch, so it has the words again."""
    assert set(get_args(Exchange)) == set(get_args(conv.Exchange))
    assert set(get_args(Downsample)) == set(get_args(frequency.Downsample))
    assert set(get_args(OctaveKernels)) == set(get_args(policy.OctaveKernels))
    assert Variant().return_at == policy.BY_POLICY


def test_building_leaves_the_random_state_alone() -> None:
    """Whoever builds a workload goes on with the numbers they had."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_workload(layer())
    assert torch.equal(torch.rand(3), expected)


def test_a_convolution_that_cannot_exist_is_a_conversion_error() -> None:
    """Torch's own rule, at the layer it breaks."""
    with pytest.raises(ConversionError, match=r"conv 8->16 k3 s1 p1 g3: .*divisible by groups"):
        build_workload(layer(groups=3, alpha_in=Decimal(0), alpha_out=Decimal(0)))
    with pytest.raises(ConversionError, match="no such convolution exists"):
        build_workload(layer(padding="same", stride=2))


def test_a_persons_own_network_needs_permission() -> None:
    """A sweep never runs code by itself."""
    with pytest.raises(UsageError, match="--allow-import"):
        build_workload(network(Decimal(0), "workload_nets:tiny"))


def test_one_item_changes_the_batch_only() -> None:
    """Counted figures are for one item."""
    point = layer()
    assert one_item(point).conditions == Conditions(batch=1, resolution=9)
    assert one_item(point).subject == point.subject


def training(point: DesignPoint) -> DesignPoint:
    """Give a point in training mode."""
    return replace(point, conditions=replace(point.conditions, mode="train"))


def test_inference_is_in_eval_mode_and_wants_no_gradient_of_its_input() -> None:
    """For layers and networks, plain and octave."""
    for point in (layer(), layer().anchor(), network(Decimal("0.5")), network(Decimal(0))):
        workload = build_workload(point)
        assert not any(module.training for module in workload.module.modules())
        assert not any(tensor.requires_grad for tensor in tree_leaves(workload.example))


def test_training_is_in_training_mode_with_the_weights_and_input_of_inference() -> None:
    """A layer's input wants a gradient, as amid a network; an image wants none."""
    for point in (layer(), layer().anchor(), network(Decimal("0.5")), network(Decimal(0))):
        workload, usual = build_workload(training(point)), build_workload(point)
        assert all(module.training for module in workload.module.modules())
        wanted = {tensor.requires_grad for tensor in tree_leaves(workload.example)}
        assert wanted == {point.subject_kind == "layer"}
        for ours, theirs in zip(
            (*workload.module.state_dict().values(), *tree_leaves(workload.example)),
            (*usual.module.state_dict().values(), *tree_leaves(usual.example)),
            strict=True,
        ):
            assert torch.equal(ours, theirs)


def test_gradient_leaves_are_the_parameters_and_inputs_that_want_one() -> None:
    """A frozen weight is none, nor is a plain input."""
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1, bias=False))
    model[1].weight.requires_grad_(False)
    image, wanted = torch.ones(1, 3, 2, 2), torch.ones(1, requires_grad=True)
    leaves = gradient_leaves(model, {"image": image, "other": wanted, "none": None})
    assert list(map(id, leaves)) == list(map(id, (model[0].weight, model[0].bias, wanted)))


def test_forgotten_gradients_are_gone_and_not_zero() -> None:
    """Nothing is left to add to."""
    leaf = torch.ones(3, requires_grad=True)
    (2 * leaf).sum().backward()
    forget_gradients((leaf,))
    assert leaf.grad is None


def test_the_loss_is_the_sum_of_every_output_that_wants_a_gradient() -> None:
    """In any nesting; its gradient is one everywhere, so no output weighs more than another."""
    first, second = torch.arange(4.0, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    loss = loss_of({"out": first, "more": (second, None, "text", first.argmax(), torch.ones(2))})
    assert loss.item() == 6 + 6
    loss.backward()
    assert torch.equal(first.grad, torch.ones(4))
    assert torch.equal(second.grad, torch.ones(2, 3))


@pytest.mark.parametrize("output", [None, (), torch.ones(2), torch.ones(2, requires_grad=True).argmax()])
def test_a_loss_of_nothing_to_train_is_refused_with_the_way_out(output: object) -> None:
    """No tensor, a frozen network, classes instead of scores."""
    with pytest.raises(
        ConversionError, match=r"^train needs an output that depends on a parameter .* infer$"
    ):
        loss_of(output)
