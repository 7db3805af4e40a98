"""A design point made into a module and its example input."""

from dataclasses import replace
from decimal import Decimal

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from octprobe.errors import ConversionError, UsageError
from octprobe.octave import OctaveConv2d
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
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
