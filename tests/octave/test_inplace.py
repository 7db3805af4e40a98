"""What is written in place is read as on the vanilla network, though pairs are new after each operator."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import StochasticDepth

from octave.nets import constant_image, replicating
from octprobe.errors import ConversionError
from octprobe.octave import octavize

Body = Callable[["Written", Tensor], Tensor]


class Written(nn.Module):
    """Two convolutions, and a body between them that writes in place."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self.body = body
        self.c1, self.c2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1)
        self.act, self.norm, self.last = nn.ReLU(inplace=True), nn.GroupNorm(2, 8), nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give (B, 4, H, W)."""
        return self.last(self.body(self, x))


def _ignored_add(net: Written, x: Tensor) -> Tensor:
    y = net.c1(x)
    y.add_(net.c2(x))
    return y


def _alias(net: Written, x: Tensor) -> Tensor:
    y = z = net.c1(x)
    z += net.c2(x)
    return y


def _ignored_gate(net: Written, x: Tensor) -> Tensor:
    y = net.c1(x)
    y.mul_(y.mean((2, 3), keepdim=True))
    return y


def _function(net: Written, x: Tensor) -> Tensor:
    y = net.c1(x)
    functional.relu(y, inplace=True)
    return y


def _module_between_two_plain_readers(net: Written, x: Tensor) -> Tensor:
    y = net.c1(x)
    before = net.norm(y)
    net.act(y)
    return before + net.norm(y)


def _plain_written_with_a_pair(net: Written, x: Tensor) -> Tensor:
    plain = functional.pad(x, (0, 0, 0, 0, 0, 5))
    plain += net.c1(x)
    return plain


def _chain(net: Written, x: Tensor) -> Tensor:
    y = net.c1(x)
    y.add_(net.c2(x)).relu_()
    return net.norm(y) + y


BODIES = [
    _ignored_add, _alias, _ignored_gate, _function, _module_between_two_plain_readers,
    _plain_written_with_a_pair, _chain,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_later_readers_see_what_was_written(body: Body) -> None:
    """Constant field: the octave network equals vanilla, in-place operators and all."""
    torch.manual_seed(0)
    model = replicating(Written(body)).double().eval()
    x = constant_image(9)
    network = octavize(model, {"c[12]": 0.5}, x)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


def test_a_dropout_in_place_is_followed_though_it_writes_in_training_only() -> None:
    """Merged before and after it: the second reader gets the dropped values."""

    def body(net: Written, x: Tensor) -> Tensor:
        y = net.c1(x)
        before = net.norm(y)
        functional.dropout(y, 0.9999999, net.training, inplace=True)
        return before * 0 + net.norm(y)

    torch.manual_seed(0)
    model = Written(body)
    x = torch.randn(1, 3, 8, 8)
    network = octavize(model, {"c[12]": 0.5}, x).train()
    zeros = model.last(model.norm(torch.zeros(1, 8, 8, 8)))
    torch.testing.assert_close(network(x), zeros)


def test_another_view_that_is_read_later_is_refused() -> None:
    """No result of the operator is that view, and a merged pair has none."""

    def body(net: Written, x: Tensor) -> Tensor:
        y = net.c1(x)
        view = y[:, :4]
        y.relu_()
        return y * view.mean()

    message = r"^node relu_: operator relu_ writes in place to what .* later; .*: write to a copy$"
    with pytest.raises(ConversionError, match=message):
        octavize(Written(body), {"c1": 0.5}, torch.zeros(1, 3, 8, 8), on_unknown="merge")


class FunctionalDropout(nn.Module):
    """A dropout by the function."""

    def forward(self, x: Tensor) -> Tensor:
        """Drop half of the numbers in training."""
        return functional.dropout(x, 0.5, self.training)


@pytest.mark.parametrize(
    "drop",
    [nn.Dropout(0.5), StochasticDepth(0.5, "row"), FunctionalDropout()],
    ids=lambda drop: type(drop).__name__,
)
def test_what_shares_memory_in_evaluation_only_is_refused(drop: nn.Module) -> None:
    """In training what is dropped is a copy, and the value before it stays as it was."""

    class Dropping(Written):
        def __init__(self) -> None:
            super().__init__(lambda net, x: x)
            self.drop = drop

        def forward(self, x: Tensor) -> Tensor:
            y = self.c1(x)
            self.act(dropped := self.drop(y))
            return self.last(y + dropped)

    with pytest.raises(ConversionError, match="writes in place to what another view of it is read from"):
        octavize(Dropping(), {"c1": 0.5}, torch.zeros(1, 3, 8, 8))


def test_at_alpha_one_an_activation_in_place_leaves_the_gradients_whole() -> None:
    """The empty high part is no view of the layer's input, which the backward still needs."""
    body = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 4, 3, padding=1),
        nn.ReLU(inplace=True),
    )
    octave = octavize(body, {"*": 1}, torch.ones(1, 4, 8, 8)).train()
    octave(torch.rand(2, 4, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in octave.parameters())
