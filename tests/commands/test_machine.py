"""What a command knows of the machine without torch."""

from pathlib import Path

import pytest

from octprobe.cache import Cache
from octprobe.commands import machine
from octprobe.commands.machine import device_kind, network_fault_of


@pytest.mark.parametrize(("device", "kind"), [("cpu", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda")])
def test_a_named_device_has_the_kind_it_names(device: str, kind: str) -> None:
    """No look at the machine is needed."""
    assert device_kind(device) == kind


def test_auto_without_a_driver_is_the_processor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without NVIDIA's kernel driver torch is not asked."""
    monkeypatch.setattr(machine, "_NVIDIA_DRIVER", tmp_path / "absent")
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: pytest.fail("torch was asked"))
    assert device_kind("auto") == "cpu"


@pytest.mark.parametrize(("answer", "kind"), [("True\n", "cuda"), ("False\n", "cpu"), ("", "cpu")])
def test_auto_with_a_driver_asks_torch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, kind: str
) -> None:
    """A process of its own answers; a broken torch is no CUDA."""
    driver = tmp_path / "version"
    driver.touch()
    monkeypatch.setattr(machine, "_NVIDIA_DRIVER", driver)
    monkeypatch.setattr(
        machine.subprocess, "run", lambda *_, **__: machine.subprocess.CompletedProcess([], 0, answer, "")
    )
    assert device_kind("auto") == kind


def test_a_known_network_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """timm is loaded for new names only; a fault is never kept."""
    asked: list[str] = []

    def fault(name: str, *, allow_import: bool) -> str | None:
        asked.append(name)
        return None if name.startswith("resnet") else f"{name} is unknown"

    monkeypatch.setattr("octprobe.networks.network_fault", fault)
    for _ in range(2):
        check = network_fault_of(allow_import=False, cache=Cache("networks", tmp_path))
        assert check("resnet50") is None
        assert check("renset50") == "renset50 is unknown"
    assert asked == ["resnet50", "renset50", "renset50"]


def test_a_persons_own_factory_is_checked_every_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whether it may be imported is asked of every run."""
    (tmp_path / "nets.py").write_text("def tiny(): ...")
    monkeypatch.chdir(tmp_path)
    cache = Cache("networks", tmp_path)
    allowed, forbidden = (network_fault_of(allow_import=allow, cache=cache) for allow in (True, False))
    assert allowed("nets:tiny") is None
    assert "pass --allow-import" in (forbidden("nets:tiny") or "")
    assert "did you mean 'nets:tiny'?" in (allowed("nets:tinny") or "")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 11)", "ended Python with exit code -11"),
        ("raise RuntimeError('broken')", "importing broken_nets failed: RuntimeError: broken"),
    ],
)
def test_a_factory_that_takes_python_down_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, words: str
) -> None:
    """A person's own code is imported in a process of its own."""
    (tmp_path / "broken_nets.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    fault = network_fault_of(allow_import=True, cache=Cache("networks", tmp_path))("broken_nets:net")
    assert words in (fault or "")
    assert "\n" not in (fault or "")
