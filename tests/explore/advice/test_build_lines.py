"""The lines of Python build what was measured: they are run."""

from typing import Any

import pytest

from octprobe.explore.advice.build_lines import python_lines

ROW: dict[str, Any] = {
    "network": "resnet18",
    "alpha": 0.5,
    "batch": 2,
    "resolution": 64,
    "device": "cpu",
    "dtype": "float32",
    "mode": "infer",
    "execution": "eager",
    "memory_format": "contiguous",
}


def ran(**changes: Any) -> dict[str, Any]:
    """Run the lines of a row, and give what they left."""
    left: dict[str, Any] = {}
    exec("\n".join(python_lines(ROW | changes)), left)  # noqa: S102  # the lines are what is tested
    return left


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alpha": 0.0},
        {"alpha": None, "alpha_map": '{"layer1": 0.5, "layer2": 0.25}'},
        {"exchange": "none", "downsample": "max", "octave_kernels": "spatial", "return_at": "end"},
        {"memory_format": "channels_last", "dtype": "bfloat16"},
        {"mode": "train", "network": "torchvision:resnet18"},
    ],
)
def test_the_lines_run(changes: dict[str, Any]) -> None:
    """The output has one row of classes an item, and the network is octave where the row says so."""
    from octprobe.octave.network import OctaveNetwork

    left = ran(**changes)
    assert left["output"].shape == (2, 1000)
    is_octave = (ROW | changes)["alpha"] != 0
    assert isinstance(left["network"], OctaveNetwork) == is_octave
    assert left["network"].training == (changes.get("mode") == "train")


@pytest.mark.slow
def test_the_lines_build_what_the_bench_builds() -> None:
    """The same modules with the same variant: equal outputs from equal weights."""
    import torch

    from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
    from octprobe.plan.variant import Variant
    from octprobe.workload import build_workload

    variant = {"exchange": "none", "octave_kernels": "spatial", "return_at": "end"}
    left = ran(**variant, kernel="four", downsample="average")
    from decimal import Decimal

    point = DesignPoint(
        subject=NetworkSubject(network="resnet18", alpha=Decimal("0.5")),
        conditions=Conditions(batch=2, resolution=64),
        variant=Variant(**variant),
    )
    workload = build_workload(point)
    workload.module.load_state_dict(left["network"].state_dict())
    with torch.inference_mode():
        assert torch.equal(workload.module(left["example"]), left["output"])


def test_lines_for_a_device_of_its_own() -> None:
    """CUDA, TF32, threads and a graph."""
    lines = python_lines(ROW | {"device": "cuda", "dtype": "tf32", "execution": "cudagraph", "threads": 2})
    text = "\n".join(lines)
    assert 'network.to("cuda"), example.to("cuda")' in text
    assert "torch.backends.cudnn.allow_tf32" in text
    assert "torch.cuda.graph(graph)" in text
    assert "torch.set_num_threads(2)" in text
    compile(text, "lines", "exec")


@pytest.mark.parametrize(
    "changes",
    [
        {"network": None},
        {"network": "x'); import os  #"},
        {"network": "résnet"},
        {"alpha": None, "alpha_map": "{"},
        {"alpha": None, "alpha_map": "[1]"},
        {"alpha": None, "alpha_map": '{"a": "b"}'},
        {"alpha": None},
        {"batch": None},
        {"resolution": None},
    ],
)
def test_a_row_that_does_not_tell_how_gives_no_lines(changes: dict[str, Any]) -> None:
    """Absent or not what octprobe writes."""
    assert python_lines(ROW | changes) == ()


def test_text_of_a_store_stays_text() -> None:
    """Whatever a variant holds, it is one literal."""
    lines = python_lines(ROW | {"return_at": "a'\n__import__('os')  #", "memory_format": "\n1/0"})
    compile("\n".join(lines), "lines", "exec")
    assert sum("__import__" in line for line in lines) == 1
    assert not any("1/0" in line for line in lines)


def test_a_factory_of_ones_own_is_named_as_such() -> None:
    """It is code of the person's, which is imported."""
    assert any(
        "build_network('my.nets:make', allow_import=True)" in x
        for x in python_lines(ROW | {"network": "my.nets:make"})
    )
