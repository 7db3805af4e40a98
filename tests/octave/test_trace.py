"""One graph for both modes."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.errors import ConversionError
from octprobe.octave.layers import ByMode
from octprobe.octave.trace import trace


class Dropping(nn.Module):
    """A functional dropout whose arguments are given in several ways."""

    def __init__(self, *, in_place: bool) -> None:
        super().__init__()
        self.inner = nn.Identity()
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        """Drop half."""
        if self.in_place:
            return self.inner(functional.dropout(x, 0.5, self.training, True))
        return self.inner(functional.dropout(input=x, p=0.5, training=self.training))


def no_rules(_: nn.Module) -> bool:
    """Leave only torch's own modules whole."""
    return False


@pytest.mark.parametrize("in_place", [True, False])
def test_a_function_that_hangs_on_the_mode_becomes_a_module(in_place: bool) -> None:  # parametrised
    """The graph calls a module that looks up the mode when it runs; the node keeps its name."""
    model = Dropping(in_place=in_place)
    graph = trace(model, no_rules)
    names = [node.name for node in graph.nodes]
    assert names == ["x", "dropout", "inner", "output"]
    assert isinstance(model.get_submodule("dropout_by_mode"), ByMode)
    module, x = torch.fx.GraphModule(model, graph), torch.ones(64)
    assert set(module.train()(x.clone()).unique().tolist()) == {0.0, 2.0}
    assert torch.equal(module.eval()(x.clone()), x)


def test_tracing_leaves_the_modes_as_they_were() -> None:
    """Modes differ from module to module where batch norms are frozen."""
    model = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3)).train()
    model[1].eval()
    trace(model, no_rules)
    assert [module.training for module in model.modules()] == [True, True, False]


def test_what_hangs_on_the_mode_follows_the_module_it_stands_in() -> None:
    """A frozen part of a network in training keeps its functional dropout off."""
    model = nn.Sequential(Dropping(in_place=False), nn.ReLU()).train()
    model[0].eval()
    module = torch.fx.GraphModule(model, trace(model, no_rules))
    assert torch.equal(module(torch.ones(64)), torch.ones(64))


class Constants(nn.Module):
    """Constants made in forward, which the tracer numbers."""

    def __init__(self, *, by_mode: bool) -> None:
        super().__init__()
        self.by_mode = by_mode

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by two constants."""
        return x * torch.full((1,), 2.0) * torch.full((1,), 3.0 if self.by_mode and self.training else 4.0)


def test_constants_made_in_forward_have_the_same_numbers_in_both_modes() -> None:
    """They are compared by value: another value in training is another graph."""
    model = Constants(by_mode=False)
    module = torch.fx.GraphModule(model, trace(model, no_rules))
    assert torch.equal(module(torch.ones(3)), torch.full((3,), 8.0))
    with pytest.raises(ConversionError, match=r"_tensor_constant1 .*only a network of one graph"):
        trace(Constants(by_mode=True), no_rules)


def test_an_augmented_assignment_stays_in_place_under_its_usual_name() -> None:
    """Another name of the value sees it, as in Python and unlike in plain torch.fx."""

    class Augmented(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = z = x * 1
            z += 2
            z *= 3
            z -= 1
            z /= 2
            return y

    graph = trace(Augmented(), no_rules)
    assert [node.name for node in graph.nodes][1:-1] == ["mul", "add", "mul_1", "sub", "truediv"]
    assert torch.equal(torch.fx.GraphModule(Augmented(), graph)(torch.ones(2)), torch.full((2,), 4.0))


class TwoGraphs(nn.Module):
    """Another computation in training than in evaluation."""

    def __init__(self, *, longer: bool) -> None:
        super().__init__()
        self.longer = longer

    def forward(self, x: Tensor) -> Tensor:
        """Add one in training, and multiply in evaluation or do nothing."""
        if self.training:
            return x + 1
        return x if self.longer else x * 2


@pytest.mark.parametrize(
    ("longer", "message"), [(True, "3 operators in training, 2 in eval"), (False, "node mul is")]
)
def test_a_network_of_two_graphs_is_refused(longer: bool, message: str) -> None:  # parametrised
    """The message says where the graphs part."""
    with pytest.raises(ConversionError, match=f"TwoGraphs: .*{message}.*only a network of one graph"):
        trace(TwoGraphs(longer=longer), no_rules)


@pytest.mark.parametrize("in_place", [True, False])
def test_a_forward_that_changes_its_buffers_is_refused(in_place: bool) -> None:  # parametrised
    """Tracing would run it once, and the graph never."""

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            if in_place:
                self.calls += 1
            else:
                self.calls = self.calls + 1
            return x + 1

    with pytest.raises(
        ConversionError, match=r"forward changes the buffer 0\.calls, which the graph would not"
    ):
        trace(nn.Sequential(Counting()), no_rules)


class WithoutGradients(nn.Module):
    """What computes a part without gradients."""

    def forward(self, x: Tensor) -> Tensor:
        """Add a constant copy."""
        with torch.no_grad():
            constant = x * 2
        return x + constant


def test_a_module_that_stops_gradients_stays_one_node() -> None:
    """The graph cannot say it; the network as a whole is refused."""
    graph = trace(nn.Sequential(WithoutGradients()), no_rules)
    assert [node.op for node in graph.nodes] == ["placeholder", "call_module", "output"]
    with pytest.raises(ConversionError, match=r"WithoutGradients .* switches gradients on or off"):
        trace(WithoutGradients(), no_rules)
