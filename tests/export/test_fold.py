"""What is computed of weights alone is computed once; all else stays in the graph."""

from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from octprobe.export.fold import fold_weights


class Net(nn.Module):
    """A weight (4, 3), a bias (4,) that is never read, and a counter that a call may write."""

    def __init__(self, forward: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(12.0).reshape(4, 3))
        self.unread = nn.Parameter(torch.zeros(4))
        self.register_buffer("count", torch.zeros(1))
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        """Call what the test has given."""
        return self._forward(self, x)


def folded(forward: Any) -> tuple[fx.GraphModule, list[str]]:
    """Export, fold, and give the module with the names of its operators; the output must stay equal."""
    net, image = Net(forward), torch.arange(6.0).reshape(2, 3)
    with torch.no_grad():
        module = torch.export.export(net, (image,)).module(check_guards=False)
        before = module(image)
        fold_weights(module)
        assert torch.equal(module(image), before)
    return module, [node.target.__name__ for node in module.graph.nodes if node.op == "call_function"]


def buffers(module: fx.GraphModule) -> dict[str, list[int]]:
    """Give the shapes of what a module holds."""
    return {name: list(value.shape) for name, value in module.state_dict().items()}


def test_slices_of_slices_become_numbered_buffers_and_sources_go() -> None:
    """Each read value once, none of what lies between."""
    module, operators = folded(
        lambda net, x: (
            x @ net.weight.narrow(1, 0, 3).narrow(0, 0, 1).T + (x @ net.weight.narrow(0, 1, 3).T).sum()
        )
    )
    assert buffers(module) == {"weight_1": [3, 1], "weight_2": [3, 3]}
    assert sorted(operators) == ["add.Tensor", "matmul.default", "matmul.default", "sum.default"]


def test_pieces_put_together_are_one() -> None:
    """As merged kernels are; the copy has memory of its own."""
    module, operators = folded(
        lambda net, x: functional.linear(x, torch.cat([net.weight[2:], net.weight[:2]]))
    )
    assert buffers(module) == {"weight_1": [4, 3]}
    assert operators == ["linear.default"]
    assert torch.equal(module.weight_1, torch.arange(12.0).reshape(4, 3)[[2, 3, 0, 1]])


def test_a_slice_holds_no_more_memory_than_it_shows() -> None:
    """A view's file would hold the whole weight."""
    module, _ = folded(lambda net, x: x * net.weight.narrow(0, 0, 1))
    assert module.weight_1.untyped_storage().nbytes() == 3 * 4


def test_a_weight_read_whole_as_well_stays() -> None:
    """Beside its slice."""
    module, _ = folded(lambda net, x: x @ net.weight.T + (x * net.weight.narrow(0, 0, 1)).sum())
    assert "weight_1" in buffers(module) or "weight" in buffers(module)
    assert sum(len(shape) for shape in buffers(module).values()) == 4


def test_what_is_larger_than_its_sources_stays_in_the_graph() -> None:
    """The file would grow."""
    module, operators = folded(lambda net, x: x @ net.weight.repeat(2, 1).T)
    assert buffers(module) == {"weight": [4, 3]}
    assert "repeat.default" in operators


def outputs_of_calls(forward: Any) -> list[float]:
    """Export, fold, and give the largest output of each of three calls."""
    module = torch.export.export(Net(forward), (torch.ones(1, 3),)).module(check_guards=False)
    fold_weights(module)
    with torch.no_grad():
        return [float(module(torch.ones(1, 3)).max()) for _ in range(3)]


def test_what_is_random_stays_in_the_graph() -> None:
    """Every call draws anew."""
    torch.manual_seed(0)
    drawn = outputs_of_calls(lambda net, x: x @ functional.dropout(net.weight, 0.5, training=True).T)
    assert len(set(drawn)) > 1


def reads_what_it_wrote(net: nn.Module, x: Tensor) -> Tensor:
    """Count, then add the count."""
    net.count.add_(1)
    return x + net.count.narrow(0, 0, 1)


def reads_before_it_writes(net: nn.Module, x: Tensor) -> Tensor:
    """Add the count of the calls before, then count."""
    y = x + net.count.narrow(0, 0, 1)
    net.count.add_(1)
    return y


def writes_through_a_view(net: nn.Module, x: Tensor) -> Tensor:
    """Count in a slice, and add another one."""
    net.count.narrow(0, 0, 1).add_(1)
    return x + net.count[:1]


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (reads_what_it_wrote, [2.0, 3.0, 4.0]),
        (reads_before_it_writes, [1.0, 2.0, 3.0]),
        (writes_through_a_view, [2.0, 3.0, 4.0]),
    ],
)
def test_what_a_call_writes_is_no_constant(forward: Any, expected: list[float]) -> None:
    """A counter goes on counting."""
    assert outputs_of_calls(forward) == expected
