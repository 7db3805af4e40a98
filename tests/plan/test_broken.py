"""Every broken spec gives exactly the message beside it, and nothing but a SpecError."""

from pathlib import Path

import pytest

from octprobe.errors import SpecError
from octprobe.plan.fault import did_you_mean
from octprobe.plan.source import MAX_BYTES
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec

BROKEN = Path(__file__).parent / "broken"
SPECS = sorted(BROKEN.glob("*.yaml"))
KNOWN_NETWORKS = ("resnet18", "resnet26", "resnet50")


def network_fault(name: str) -> str | None:
    """Stand in for the list of timm's networks."""
    return None if name in KNOWN_NETWORKS else f"is no network of timm{did_you_mean(name, KNOWN_NETWORKS)}"


def test_there_are_at_least_twenty_specs_each_with_its_message() -> None:
    """The folder holds what the tests below run over."""
    assert len(SPECS) >= 20
    assert {p.stem for p in SPECS} == {p.stem for p in BROKEN.glob("*.txt")}


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_message_is_exact(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All faults of the file are named at once, in the order of their places."""
    monkeypatch.chdir(BROKEN)
    with pytest.raises(SpecError) as caught:
        expand(read_spec(Path(spec.name), network_fault=network_fault), "cpu")
    assert f"{caught.value}\n" == spec.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_message_is_short_and_harmless(spec: Path) -> None:
    """No line is endless and no control character reaches the terminal."""
    text = spec.with_suffix(".txt").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert all(len(line) <= 250 and line.isprintable() for line in lines)
    assert "Traceback" not in text


def test_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads nowhere gives a way out."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as caught:
        read_spec(Path("no.yaml"))
    assert str(caught.value) == (
        "no.yaml: there is no such file; name a sweep file such as sweeps/quickstart.yaml"
    )


def test_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is no file."""
    monkeypatch.chdir(tmp_path)
    Path("sweeps").mkdir()
    with pytest.raises(SpecError) as caught:
        read_spec(Path("sweeps"))
    assert str(caught.value) == "sweeps: is a folder; name the sweep file in it"


def test_null_byte_in_the_path() -> None:
    """A path that no system takes is still one clear line."""
    with pytest.raises(SpecError) as caught:
        read_spec(Path("a\0b.yaml"))
    assert str(caught.value).startswith("a\\x00b.yaml: there is no such file")


def test_too_large_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is refused before a line is parsed."""
    monkeypatch.chdir(tmp_path)
    Path("big.yaml").write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(SpecError) as caught:
        read_spec(Path("big.yaml"))
    assert str(caught.value) == "big.yaml: is larger than 256 KiB; split it into several sweep files"


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    """A generated file with a fault in every row does not flood the terminal."""
    spec = tmp_path / "many.yaml"
    rows = ", ".join(["2"] * 400)
    spec.write_text(
        f"version: 1\nname: m\nsubject: network\naxes: {{network: [resnet50], alpha: [{rows}]}}\n"
    )
    with pytest.raises(SpecError) as caught:
        read_spec(spec)
    lines = str(caught.value).splitlines()
    assert lines[-1].endswith("and 350 more faults")
    assert sum("alpha must lie in [0, 1]" in line for line in lines) == 50
