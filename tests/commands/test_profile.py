"""`octprobe profile`: a real network on the processor, and what is refused before any work is done."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from octprobe.commands import profile as command
from octprobe.commands.main import app
from octprobe.errors import MachineError, OctprobeError, UsageError
from octprobe.measure import profile as measuring
from octprobe.measure.observe import read_region

# Small networks of one's own: quick, and with layers of every kind.
SMALL = ("octave.nets:Small", "--allow-import", "--resolution", "16", "--calls", "2")
HALF = ("--alpha", "block1=0.5,block2=0.5")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take few samples: these tests do not look at how sharp a latency is."""
    monkeypatch.setattr(command, "_LATENCY_SECONDS", 0.05)


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["profile", *arguments])


def profiled(*arguments: str) -> dict[str, Any]:
    """Run the command and read its object."""
    ended = run(*arguments, "--json")
    assert ended.exit_code == 0, ended.exception
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_parts_add_up_and_name_the_paths_of_the_closed_form() -> None:
    """Every path with MACs took time; the parts are the device time."""
    found = profiled(*SMALL, *HALF)
    assert sum(part["time_ms"] for part in found["parts"]) == pytest.approx(found["device_time_ms"])
    assert sum(found["device_time_ms_by_path"].values()) == pytest.approx(found["device_time_ms"])
    with_macs = {path for path, macs in found["macs_by_path"].items() if macs}
    assert with_macs == {"h2h", "h2l", "l2h", "l2l", "plain"}
    assert with_macs <= found["device_time_ms_by_path"].keys()
    assert (found["alpha_map"], found["profiled_calls"]) == ('{"block1": 0.5, "block2": 0.5}', 2)
    assert (found["kernels"], found["host_bound"], found["parts_reason"]) == (None, None, None)
    assert found["latency_samples"] > 0


def test_the_conditions_reach_the_call() -> None:
    """Each option is an axis; training has a backward."""
    found = profiled(
        *SMALL, "--batch", "3", "--dtype", "bfloat16", "--memory-format", "channels_last", "--mode", "train"
    )  # fmt: skip
    axes = ("batch", "resolution", "dtype", "memory_format", "execution", "mode")
    assert [found[axis] for axis in axes] == [3, 16, "bfloat16", "channels_last", "eager", "train"]
    assert found["device_time_ms_by_path"]["backward"] > 0


def test_the_variant_is_in_the_heading_and_the_object() -> None:
    """What is unusual is named; without the exchange there is no time of its paths."""
    options = (*SMALL, *HALF, "--exchange", "none", "--downsample", "max")
    heading = run(*options).stdout.splitlines()[0]
    assert heading == (
        "octave.nets:Small alpha block1:0.5/block2:0.5 exchange none max, batch 1, 16 px, contiguous"
    )
    found = profiled(*options)
    assert (found["exchange"], found["downsample"], found["return_at"]) == ("none", "max", None)
    assert found["macs_by_path"]["l2l"] > 0
    assert profiled(*SMALL, *HALF)["macs_by_path"]["l2h"] > found["macs_by_path"]["l2h"]


def test_resnet18_is_shown_as_a_tree() -> None:
    """Totals, stages and paths of a network of timm's."""
    ended = run("resnet18", "--alpha", "0.5", "--resolution", "32", "--calls", "1", "--depth", "1")
    assert ended.exit_code == 0, ended.exception
    lines = ended.stdout.splitlines()
    assert lines[0] == "resnet18 alpha 0.5, batch 1, 32 px, contiguous"
    firsts = [line.split()[0] for line in lines if line.strip()]
    assert firsts[1:4] == ["latency", "device", "device"]
    stages = [line.split()[1] for line in lines if line.startswith(("├", "└"))]
    assert stages == [
        "conv1", "bn1", "act1", "maxpool", "layer1", "layer2", "layer3", "layer4", "global_pool", "fc",
    ]  # fmt: skip
    table = firsts[firsts.index("path") + 1 :]
    assert table == ["h2h", "h2l", "l2h", "l2l", "plain", "pool", "upsample", "norm", "add", "other", "all"]


@pytest.mark.parametrize("name", ["out.json", "out.json.gz"])
def test_a_trace_is_kept_for_a_viewer(name: str, tmp_path: Path) -> None:
    """A Chrome trace that `octprobe trace` reads too, with a region for each step."""
    path = tmp_path / name
    ended = run(*SMALL, *HALF, "--trace", str(path))
    assert ended.exit_code == 0, ended.exception
    assert ended.stdout.splitlines()[-1].startswith(f"Trace: {path}; ")
    assert [*tmp_path.iterdir()] == [path]
    if name.endswith(".json"):
        trace = json.loads(path.read_text())
        events = [event for event in trace["traceEvents"] if event.get("cat") == "user_annotation"]
        assert {"h2h", "upsample"} <= {region.path for e in events if (region := read_region(e["name"]))}
        assert all({"ph", "ts", "dur", "pid", "tid"} <= event.keys() for event in events)
    assert CliRunner().invoke(app, ["trace", str(path)]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["renset18"], UsageError, "resnet18"),
        (["os:getcwd"], UsageError, "--allow-import"),
        (["resnet18", "--alpha", "1.5"], UsageError, "alpha must lie in [0, 1]"),
        (["resnet18", "--alpha", "layer9=0.5", "--resolution", "32"], OctprobeError, "layer9"),
        (
            ["resnet18", "--dtype", "int8"],
            UsageError,
            '--dtype int8: must be "float32", "tf32", "float16" or "bfloat16"',
        ),
        (["resnet18", "--memory-format", "nhwc"], UsageError, "--memory-format nhwc: must be"),
        (["resnet18", "--execution", "fast"], UsageError, "--execution fast: must be"),
        (["resnet18", "--mode", "eval"], UsageError, '--mode eval: must be "infer" or "train"'),
        (["resnet18", "--exchange", "Both"], UsageError, 'did you mean "both"?'),
        (["resnet18", "--return-at", "end"], UsageError, "--return-at end: has no effect: at alpha 0"),
        (["resnet18", "--device", "tpu"], UsageError, "tpu"),
        (["resnet18", "--device", "cpu", "--execution", "cudagraph"], MachineError, "CUDA device"),
        (["resnet18", "--device", "cpu", "--dtype", "tf32"], MachineError, "CUDA device"),
        (["octave.nets:Chain", "--allow-import"], UsageError, "octave.nets:Chain"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], error: type[Exception], words: str) -> None:
    """What was typed, what is wrong, and what would do."""
    ended = run(*arguments)
    assert isinstance(ended.exception, error)
    assert words in str(ended.exception)
    assert "\n" not in str(ended.exception)


def test_a_forward_that_fails_is_one_line() -> None:
    """An image too small for the network's own sizes."""
    ended = run("torchvision:alexnet", "--resolution", "8")
    assert isinstance(ended.exception, UsageError)
    assert str(ended.exception).startswith(
        "torchvision:alexnet alpha 0, batch 1, 8 px, contiguous: its first call fails: RuntimeError"
    )


def test_want_of_memory_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a way out; the cause is kept. Any other failure is a fault of ours and passes through."""
    for raised, expected in ((MemoryError(), MachineError), (KeyError("x"), KeyError)):

        def fail(*_: object, error: Exception = raised, **__: object) -> None:
            raise error

        monkeypatch.setattr(measuring, "profile_point", fail)
        ended = run(*SMALL)
        assert isinstance(ended.exception, expected)
        assert raised in (ended.exception, ended.exception.__cause__)
        if expected is MachineError:
            assert "out of memory (MemoryError); ask for less, with a smaller --batch" in str(ended.exception)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "is a folder; name a file in it"),
        ("missing/out.json", "there is no folder"),
        ("a" * 300, "cannot be used (File name too long); name another file"),
        ("fifo", "is a device or a pipe"),
        ("to_fifo", "is a device or a pipe"),
        ("ring", "cannot be used ("),
        (None, "cannot hold"),
    ],
)
def test_a_trace_that_cannot_be_written_is_refused_before_the_work(
    name: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is built or timed for a file that will not be there."""

    def refuse(**_: object) -> None:
        raise OSError(30, "this disk cannot hold files")

    def unwanted(*_: object, **__: object) -> None:
        raise AssertionError("the work was begun")

    monkeypatch.setattr(measuring, "profile_point", unwanted)
    if name is None:
        monkeypatch.setattr(command.tempfile, "TemporaryFile", refuse)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "to_fifo").symlink_to(tmp_path / "fifo")
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    before = sorted(tmp_path.iterdir())
    target = tmp_path / (name or "out.json")
    ended = run(*SMALL, "--trace", str(target))
    assert isinstance(ended.exception, UsageError)
    assert str(ended.exception).startswith(f"--trace {target}: ")
    assert words in str(ended.exception)
    assert "\n" not in str(ended.exception)
    assert sorted(tmp_path.iterdir()) == before


def test_what_the_profilers_library_says_is_kept_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a person has set how loud it is."""
    monkeypatch.delenv("KINETO_LOG_LEVEL", raising=False)
    seen: list[str | None] = []

    def look(*_: object, **__: object) -> None:
        seen.append(command.os.environ.get("KINETO_LOG_LEVEL"))
        raise UsageError("seen")

    monkeypatch.setattr(measuring, "profile_point", look)
    run(*SMALL)
    monkeypatch.setenv("KINETO_LOG_LEVEL", "1")
    run(*SMALL)
    assert seen == ["99", "1"]
