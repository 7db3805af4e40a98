"""Regions around layers and steps: every step under the right name, and nothing computed differently."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from octave.nets import Small
from octprobe.cost.closed_form import LayerRecorder
from octprobe.measure import observe
from octprobe.measure.observe import Region, observed, read_region, region_name
from octprobe.octave import OctaveConv2d, octavize
from octprobe.store.records import PATHS

ALPHAS = ["0", "0.25", "0.5", "0.75", "1"]
CONVOLVING = ("h2h", "h2l", "l2h", "l2l", "plain")


class Recorded:
    """Stands in for torch's `record_function`: keeps which regions were opened, and which are still open."""

    opened: list[Region]
    still_open: list[str]

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        region = read_region(self._name)
        assert region is not None
        self.opened.append(region)
        self.still_open.append(self._name)

    def __exit__(self, *_: object) -> None:
        assert self.still_open.pop() == self._name


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Region]]:
    """Give the regions in the order opened; each is closed in the end, the innermost first."""
    Recorded.opened, Recorded.still_open = [], []
    monkeypatch.setattr(observe, "record_function", Recorded)
    yield Recorded.opened
    assert Recorded.still_open == []


def small(alpha: str) -> nn.Module:
    """Build the small network at an alpha, in eval mode."""
    torch.manual_seed(0)
    return octavize(Small().eval(), {"block1": alpha, "block2": alpha, "down": 0}, torch.randn(1, 3, 16, 16))


def image(dtype: torch.dtype = torch.float32, size: int = 17) -> Tensor:
    """Give two images of an odd size."""
    torch.manual_seed(1)
    return torch.randn(2, 3, size, size).to(dtype)


class Undecided(nn.Module):
    """A network that torch.fx cannot trace: what it does hangs on its input."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.second = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Give (B, 2)."""
        x = self.first(x)
        x = x + 1 if x.sum() > 0 else x.add(2)
        return self.second(x.mean((2, 3)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_output_is_the_same_to_the_last_bit(
    alpha: str, memory_format: torch.memory_format, dtype: torch.dtype
) -> None:
    """Observing changes no value, in any number and memory format, at any alpha."""
    module = small(alpha).to(dtype).to(memory_format=memory_format)
    example = image(dtype).to(memory_format=memory_format)
    with torch.inference_mode():
        plain = module(example)
        with observed(module):
            seen = module(example)
    assert torch.equal(plain, seen)
    assert plain.stride() == seen.stride()


@pytest.mark.parametrize("alpha", ["0", "0.5"])
def test_gradients_and_statistics_are_the_same_too(alpha: str) -> None:
    """A training step observed leaves the same gradients and running statistics."""
    results = []
    for watched in (False, True):
        module = small(alpha).train()
        torch.manual_seed(2)
        if watched:
            with observed(module):
                module(image()).sum().backward()
        else:
            module(image()).sum().backward()
        gradients = [parameter.grad for parameter in module.parameters()]
        results.append([*gradients, *module.buffers()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_every_convolution_has_the_paths_of_the_closed_form(
    alpha: str, training: bool, opened: list[Region]
) -> None:
    """Where the closed form counts MACs there is a region, and nowhere else; kernels packed or sliced."""
    module = small(alpha).train(training)
    with torch.set_grad_enabled(training):
        with LayerRecorder(module) as recorder:
            module(image())
        with observed(module):
            module(image())
    expected = {
        Region(layer.name, path)
        for layer in recorder.layers
        for path in CONVOLVING
        if getattr(layer.macs, path)
    }
    assert {region for region in opened if region.path in CONVOLVING} == expected


def test_an_addition_belongs_to_the_module_in_whose_forward_it_stands(opened: list[Region]) -> None:
    """Additions are functions, which a graph keeps in one forward; vanilla and octave name them alike."""
    for alpha in ("0", "0.5"):
        opened.clear()
        module = small(alpha)
        with observed(module):
            module(image())
        added = {region.layer for region in opened if region.path == "add"}
        assert {"block1", "block2"} <= added
        assert "" not in added


def test_each_step_of_an_octave_layer_is_told_apart(opened: list[Region]) -> None:
    """Convolutions, pooling, up-sampling and both additions, in the order in which they run."""
    layer = OctaveConv2d(4, 4, 3, padding=1, alpha_in=0.5, alpha_out=0.5).eval()
    with torch.no_grad(), observed(layer):
        layer((torch.randn(1, 2, 8, 8), torch.randn(1, 2, 4, 4)))
    paths = [region.path for region in opened]
    assert paths == ["other", "h2h", "l2h", "upsample", "add", "pool", "h2l", "l2l", "add"]
    assert {region.layer for region in opened} == {""}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stride": 2}, ["pool", "h2h", "l2h", "add", "pool", "h2l", "pool", "l2l", "add"]),
        ({"groups": 4}, ["h2h", "l2l"]),
        ({"groups": 2}, ["h2h", "l2h", "upsample", "add", "pool", "h2l", "l2l", "add"]),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_strided_grouped_and_depthwise_layers(
    changes: dict[str, Any], expected: list[str], training: bool, opened: list[Region]
) -> None:
    """A stride pools first; a depthwise layer exchanges nothing; groups take four paths like any other."""
    layer = OctaveConv2d(4, 4, 3, padding=1, alpha_in=0.5, alpha_out=0.5, **changes).train(training)
    with observed(layer):
        layer((torch.randn(1, 2, 8, 8), torch.randn(1, 2, 4, 4)))
    assert [region.path for region in opened] == ["other", *expected]


def test_a_plain_convolution_is_plain(opened: list[Region]) -> None:
    """The anchor of a layer's sweep has one path."""
    layer = nn.Conv2d(3, 4, 3)
    with observed(layer):
        layer(image())
    assert opened == [Region("", "other"), Region("", "plain")]


def test_a_network_that_cannot_be_traced_is_observed(opened: list[Region]) -> None:
    """Hooks follow the modules, and functions belong to the module that is open."""
    module = Undecided().eval()
    with torch.no_grad():
        plain = module(image())
        with observed(module):
            assert torch.equal(module(image()), plain)
    assert opened == [
        Region("", "other"),
        Region("first", "other"),
        Region("first.0", "other"),
        Region("first.0", "plain"),
        Region("first.1", "norm"),
        Region("", "add"),
        Region("", "pool"),
        Region("second", "other"),
        Region("second", "plain"),
    ]


def test_what_a_norm_adds_is_its_own(opened: list[Region]) -> None:
    """In training a batch norm counts batches with an addition of integers."""
    norm = nn.Sequential(nn.BatchNorm2d(3)).train()
    with observed(norm):
        norm(image())
    assert norm[0].num_batches_tracked == 1
    assert {region.path for region in opened if region.layer == "0"} == {"norm"}


@pytest.mark.parametrize(
    "backward",
    [
        lambda loss, module: loss.backward(),
        lambda loss, module: torch.autograd.backward(loss),
        lambda loss, module: torch.autograd.grad(loss, list(module.parameters())),
    ],
)
def test_the_backward_is_a_region_of_its_own(
    backward: Callable[[Tensor, nn.Module], object], opened: list[Region]
) -> None:
    """Whichever way it is started, and of no layer."""
    module = small("0.5").train()
    with observed(module):
        backward(module(image()).sum(), module)
    assert opened[-1] == Region("", "backward")
    assert [region.path for region in opened].count("backward") == 1


@pytest.mark.parametrize(
    ("step", "path"),
    [
        (lambda x: x + x, "add"),
        (lambda x: 1 + x, "add"),
        (lambda x: torch.add(x, x), "add"),
        (lambda x: x.clone().add_(x), "add"),
        (lambda x: functional.max_pool2d(x, 2), "pool"),
        (lambda x: functional.avg_pool2d(x, 2), "pool"),
        (lambda x: functional.adaptive_avg_pool2d(x, 1), "pool"),
        (lambda x: x.mean((2, 3)), "pool"),
        (lambda x: functional.interpolate(x, scale_factor=2), "upsample"),
        (lambda x: functional.group_norm(x, 3), "norm"),
        (lambda x: functional.layer_norm(x, x.shape[1:]), "norm"),
        (lambda x: functional.rms_norm(x, x.shape[1:]), "norm"),
        (lambda x: functional.linear(x, torch.ones(2, 17)), "plain"),
        (lambda x: functional.conv_transpose2d(x, torch.ones(3, 1, 2, 2)), "plain"),
        (lambda x: functional.conv2d(x, weight=torch.ones(1, 3, 1, 1)), "plain"),
        (functional.relu, None),
        (lambda x: x * 2, None),
        (lambda x: x.shape, None),
    ],
)
def test_functions_have_their_path(
    step: Callable[[Tensor], object], path: str | None, opened: list[Region]
) -> None:
    """However a function is written; what has no path of its own is its layer's `other`."""

    class Step(nn.Module):
        def forward(self, x: Tensor) -> object:
            return step(x)

    module = Step()
    with observed(module):
        module(image())
    assert opened == [Region("", "other"), *([Region("", path)] if path else [])]


def test_a_weight_that_is_computed_is_no_octave_kernel(opened: list[Region]) -> None:
    """A plain convolution after octave layers, whose weight is new in each call, stays plain."""

    class Standardised(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return functional.conv2d(x, self.weight - self.weight.mean(), padding=1)

    octave = OctaveConv2d(3, 3, 3, padding=1, alpha_in=0, alpha_out=0.67).train()
    module = nn.ModuleList([octave, Standardised(1, 1, 3)])
    with observed(module):
        for _ in range(20):
            module[1](module[0](image())[0])
    convolutions = [region for region in opened if region.layer == "1" and region.path in CONVOLVING]
    assert convolutions == [Region("1", "plain")] * 20


@pytest.mark.parametrize("make", [lambda: small("0.5"), Undecided])
def test_nothing_is_left_behind(make: Callable[[], nn.Module], opened: list[Region]) -> None:
    """After the context, even one that an error ended, the module is as it was and unobserved."""
    module = make().eval()
    before = [(set(vars(m)), len(m._forward_hooks), len(m._forward_pre_hooks)) for m in module.modules()]
    with pytest.raises(RuntimeError), observed(module):
        module(torch.randn(1, 5, 8, 8))
    after = [(set(vars(m)), len(m._forward_hooks), len(m._forward_pre_hooks)) for m in module.modules()]
    opened.clear()
    module(image())
    assert (before, opened) == (after, [])


def test_a_forward_of_ones_own_is_given_back() -> None:
    """A graph module whose forward was replaced on the object has it again afterwards."""
    module = small("0.5")
    vars(module)["forward"] = mine = lambda x: x
    with observed(module):
        assert module.forward != mine
    assert vars(module)["forward"] is mine


class Around(nn.Module):
    """A network around a module of any kind."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


def compiling_itself() -> nn.Module:
    """Give a convolution that is called as compiled code."""
    convolution = nn.Conv2d(3, 4, 3)
    convolution.compile()
    return convolution


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torch.jit.script(nn.Conv2d(3, 4, 3)), "TorchScript"),
        (lambda: torch.compile(nn.Conv2d(3, 4, 3)), "compiles itself"),
        (compiling_itself, "compiles itself"),
    ],
)
def test_what_cannot_be_followed_is_told(make: Callable[[], nn.Module], words: str) -> None:
    """Anywhere in the network; hooks would fail, or change the code that runs."""
    for module in (make(), Around(make())):
        assert words in (observe.why_not_observed(module) or "")
    assert observe.why_not_observed(small("0.5")) is observe.why_not_observed(Undecided()) is None


@given(layer=st.text(), path=st.sampled_from(PATHS))
def test_a_region_is_read_back_from_its_name(layer: str, path: str) -> None:
    """Whatever a module is called."""
    region = Region(layer, path)
    assert read_region(region_name(region)) == region


@pytest.mark.parametrize("name", ["aten::conv2d", "ProfilerStep#1", "", "octprobe", "octprobe::"])
def test_other_names_are_no_regions(name: str) -> None:
    """What the program or torch itself records is left alone."""
    assert read_region(name) is None
