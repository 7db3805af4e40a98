"""What a machine cannot run, and why."""

import os

import pytest

from octprobe.measure.ability import has_compiler, unable, usable_processors
from octprobe.plan.point import Conditions


def test_what_a_processor_cannot_run_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA graphs and TF32 need CUDA, Inductor a compiler, threads processors."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.delenv("CXX", raising=False)
    assert "needs a CUDA device" in (unable(Conditions(execution="cudagraph"), "cpu") or "")
    assert "C++ compiler" in (unable(Conditions(execution="compiled"), "cpu") or "")
    assert "dtype tf32 needs a CUDA device" in (unable(Conditions(dtype="tf32"), "cpu") or "")
    assert "threads is 100000" in (unable(Conditions(threads=100_000), "cpu") or "")
    assert unable(Conditions(), "cpu") is None
    assert unable(Conditions(mode="train"), "cpu") is None


def test_what_cuda_can_run_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a GPU has TF32 is asked where torch is loaded."""
    monkeypatch.setattr("shutil.which", lambda name: name == "gcc" or None)
    monkeypatch.delenv("CC", raising=False)
    assert unable(Conditions(execution="cudagraph"), "cuda") is None
    assert unable(Conditions(execution="compiled"), "cuda") is None
    assert unable(Conditions(dtype="tf32", mode="train"), "cuda") is None


def test_triton_needs_a_c_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its launcher is C, built at the first call."""
    monkeypatch.setattr("shutil.which", lambda name: name == "g++" or None)
    monkeypatch.delenv("CC", raising=False)
    assert unable(Conditions(execution="compiled"), "cuda") == (
        "execution compiled needs a C compiler for Triton; install gcc or clang, or name another in CC"
    )


def test_a_named_compiler_is_looked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """CXX decides alone; what follows the name in it are arguments. Inductor does not look for c++."""
    monkeypatch.setattr("shutil.which", lambda name: name == "g++" or None)
    monkeypatch.setenv("CXX", "my-c++")
    assert not has_compiler("cpu")
    monkeypatch.setenv("CXX", "g++ -m64")
    assert has_compiler("cpu")
    monkeypatch.delenv("CXX")
    assert has_compiler("cpu")


def test_processors_are_those_the_process_may_use() -> None:
    """A container's share counts, not the machine's size."""
    assert 1 <= usable_processors() <= (os.cpu_count() or 1)
