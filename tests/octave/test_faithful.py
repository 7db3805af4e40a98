"""What a network does beside its layers is done by its octave form, or it is refused."""

import types
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.errors import ConversionError
from octprobe.octave import octavize

E = torch.zeros(1, 3, 16, 16)


class Two(nn.Module):
    """Two convolutions, of which the second becomes octave, and something done with its output."""

    def __init__(self, function: Callable[[nn.Module, Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)
        self.function = function or (lambda model, y: y)

    def forward(self, x: Tensor) -> Tensor:
        """Give (B, 8, H, W), or what the function makes of it."""
        return self.function(self, self.b(self.a(x)))


def test_what_forward_takes_beside_its_input_has_its_default() -> None:
    """Another value is refused where it is given, as the graph was made for the default."""

    class Masked(Two):
        def forward(self, x: Tensor, mask: Tensor | None = None, double: bool = False) -> Tensor:
            y = self.b(self.a(x))
            y = 2 * y if double else y
            return y if mask is None else y * mask

    model = Masked()
    network, x = octavize(model, {"b": 0.5}, E), torch.ones(1, 3, 8, 8)
    torch.testing.assert_close(network(x), model(x))
    with pytest.raises(AssertionError, match="mask has been specialized"):
        network(x, torch.zeros(()))


@pytest.mark.parametrize(
    "pool",
    [
        lambda model, y: functional.avg_pool2d(y, y.size()[2:]),
        lambda model, y: functional.avg_pool2d(y, y.shape[3] // 4),
        lambda model, y: functional.max_pool2d(y, y.size(2)),
        lambda model, y: functional.interpolate(y, scale_factor=16 / y.shape[2]),
    ],
)
def test_a_window_that_is_computed_from_the_size_is_never_fixed(
    pool: Callable[[nn.Module, Tensor], Tensor],
) -> None:
    """At another size than the example's the window is another one."""
    model = Two(pool).double()
    with pytest.raises(ConversionError, match="an argument that is computed from a value's size"):
        octavize(model, {"b": 0.5}, E)
    network = octavize(model, {"b": 0.5}, E, on_unknown="merge")
    for side in (16, 24):
        x = torch.ones(1, 3, side, side, dtype=torch.float64)
        x[..., side // 2 :, :] = 9
        torch.testing.assert_close(network(x), model(x))


@pytest.mark.parametrize("write", [lambda p, y: p.add_(y), lambda p, y: p.__iadd__(y)])
def test_a_plain_value_that_takes_a_pair_in_place_is_refused_if_a_view_of_it_is_read_later(
    write: Callable[[Tensor, Tensor], Tensor],
) -> None:
    """The view would keep what was there before."""

    class Viewed(Two):
        def forward(self, x: Tensor) -> Tensor:
            p = self.a(x)
            view = p[:, :4]
            write(p, self.b(p))
            return view

    with pytest.raises(ConversionError, match="writes in place to what another view of it"):
        octavize(Viewed(), {"b": 0.5}, E)


def test_a_module_of_two_names_stays_one() -> None:
    """Its buffers do not come apart when the network moves."""

    class Aliased(Two):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(8)
            self.alias = self.norm

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.b(self.a(x)))

    network = octavize(Aliased(), {"b": 0.5}, E).double().train()
    assert network.get_submodule("alias") is network.get_submodule("norm")
    network(torch.randn(4, 3, 8, 8, dtype=torch.float64))
    state = network.state_dict()
    assert torch.equal(state["norm.running_mean"], state["alias.running_mean"])
    assert state["norm.running_mean"].any()


def test_a_forward_of_ones_own_is_not_taken_for_that_of_the_class() -> None:
    """Nobody knows what it does: it is traced into."""
    model = Two().double()
    model.b.forward = types.MethodType(lambda self, x: 2 * x, model.b)  # type: ignore[method-assign]  # as a person might
    with pytest.raises(ConversionError, match="'b' makes no convolution octave"):
        octavize(model, {"b": 0.5}, E)


@pytest.mark.parametrize(
    "use",
    [
        lambda model, y: y * model.scale.chunk(2)[0].sum(),
        lambda model, y: functional.pixel_shuffle(y, upscale_factor=2),
        lambda model, y: torch.flatten(y, 1),
        lambda model, y: torch.clamp(y, min=-0.5, max=0.5),
    ],
)
def test_calls_by_keyword_and_on_what_is_no_image(use: Callable[[nn.Module, Tensor], Tensor]) -> None:
    """No error but one of ours, and the right sizes."""
    model = Two(use)
    model.scale = nn.Parameter(torch.ones(4))
    network, x = octavize(model, {"b": 0.5}, E, on_unknown="merge"), torch.ones(2, 3, 16, 16)
    assert network(x).shape == model(x).shape


@pytest.mark.parametrize("function", [lambda m, y: y * y.mean((2, 3), keepdim=True), lambda m, y: y.relu()])
def test_methods_of_tensors_compile_whole(function: Callable[[nn.Module, Tensor], Tensor]) -> None:
    """Gates average space by a method; torch.compile looks into it."""
    torch.compiler.reset()
    network = octavize(Two(function).eval(), {"b": 0.5}, E)
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    x = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), network(x))
