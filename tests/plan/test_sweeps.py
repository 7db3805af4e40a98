"""The sweeps that are shipped."""

from pathlib import Path

import pytest

from octprobe.plan.point import LayerSubject
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec

SWEEPS = Path(__file__).parents[2] / "sweeps"
NAMES = ["quickstart", "resnet", "layers", "convolutions", "ablation", "fashion_latency"]
# Trained, not measured: tests/plan/test_recipe.py.
RECIPES = ["fashion", "fashion_elastic"]


@pytest.mark.parametrize("name", NAMES)
def test_each_states_its_question(name: str) -> None:
    """A sweep is named after its file and says what it is for."""
    spec = read_spec(SWEEPS / f"{name}.yaml")
    assert spec.name == name
    assert spec.question.endswith("?")


def test_nothing_else_is_shipped() -> None:
    """The list above is complete."""
    assert sorted(p.stem for p in SWEEPS.glob("*.yaml")) == sorted([*NAMES, *RECIPES])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_each_is_of_a_size_to_run(name: str, kind: str) -> None:
    """Every point is asked once, and no grid is so large that nobody would run it."""
    plan = expand(read_spec(SWEEPS / f"{name}.yaml"), kind)
    assert len({p.point_id for p in plan.points}) == len(plan.points)
    assert 6 <= len(plan.points) <= 1500
    assert all(group.points for group in plan.groups)


def test_resnet_on_a_cpu() -> None:
    """Two networks, five alphas, batch 1 and 8, both memory formats."""
    plan = expand(read_spec(SWEEPS / "resnet.yaml"), "cpu")
    assert (len(plan.points), len(plan.groups), plan.exclusions) == (40, 8, ())
    assert {p.conditions.dtype for p in plan.points} == {"float32"}


def test_resnet_on_a_gpu_is_wider() -> None:
    """More batches, dtypes and executions where there is a GPU."""
    plan = expand(read_spec(SWEEPS / "resnet.yaml"), "cuda")
    assert {p.conditions.batch for p in plan.points} == {1, 8, 32, 128}
    assert {p.conditions.execution for p in plan.points} == {"eager", "compiled", "cudagraph"}
    assert {p.conditions.dtype for p in plan.points} == {"float32", "float16", "bfloat16"}


def test_the_ablation_is_the_papers_and_more() -> None:
    """Table 3 of the paper at alpha 0.5, beside what it does not vary; one group, so each has one anchor."""
    plan = expand(read_spec(SWEEPS / "ablation.yaml"), "cpu")
    assert {(p.label().partition(",")[0], p.variant.exchange, p.variant.downsample) for p in plan.points} == {
        ("resnet50 alpha 0", None, None),
        ("resnet50 alpha 0.5", "both", "average"),
        ("resnet50 alpha 0.5 exchange h2l", "h2l", "average"),
        ("resnet50 alpha 0.5 exchange l2h", "l2h", "average"),
        ("resnet50 alpha 0.5 exchange none", "none", "average"),
        ("resnet50 alpha 0.5 strided", "both", "strided"),
        ("resnet50 alpha 0.5 max", "both", "max"),
        ("resnet50 alpha 0.5 spatial", "both", "average"),
        ("resnet50 alpha 0.5 return layer3", "both", "average"),
        ("resnet50 alpha 0.5 return end", "both", "average"),
    }
    assert len(plan.groups) == 1
    assert {(p.conditions.batch, p.conditions.resolution) for p in plan.points} == {(1, 224)}


@pytest.mark.parametrize("name", ["layers", "convolutions"])
def test_layers_have_an_octave_form(name: str) -> None:
    """Symmetric padding of half the dilated kernel, whole groups, and whole low channels in each group."""
    for point in expand(read_spec(SWEEPS / f"{name}.yaml"), "cpu").points:
        layer = point.subject
        assert isinstance(layer, LayerSubject)
        if layer.padding == "same":
            assert layer.stride == 1
        else:
            assert 2 * int(layer.padding) == layer.dilation * (layer.kernel_size - 1)
        depthwise = layer.groups == layer.in_channels == layer.out_channels
        if depthwise:
            assert layer.alpha_in == layer.alpha_out
            continue
        for channels, alpha in (
            (layer.in_channels, layer.alpha_in),
            (layer.out_channels, layer.alpha_out),
        ):
            assert channels % layer.groups == 0
            assert alpha * (channels // layer.groups) % 1 == 0


@pytest.mark.slow
def test_layers_are_those_of_resnet50() -> None:
    """The rows of layers.yaml are the distinct convolutions of timm's ResNet-50 after its stem."""
    timm = pytest.importorskip("timm", reason="timm is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found: set[tuple[int, ...]] = set()

    def note(module: "torch.nn.Conv2d", inputs: "tuple[torch.Tensor]", _: object) -> None:
        found.add(
            (
                module.in_channels,
                module.out_channels,
                module.kernel_size[0],
                module.stride[0],
                inputs[0].shape[-1],
            )
        )

    with torch.device("meta"):
        network = timm.create_model("resnet50").eval()
        for name, module in network.named_modules():
            if isinstance(module, torch.nn.Conv2d) and name != "conv1":
                module.register_forward_hook(note)
        network(torch.zeros(1, 3, 224, 224))
    spec = read_spec(SWEEPS / "layers.yaml")
    columns = [
        spec.zips[0][n] for n in ("in_channels", "out_channels", "kernel_size", "stride", "resolution")
    ]
    rows = list(zip(*columns, strict=True))
    assert len(rows) == len(set(rows))
    assert set(rows) == found
