"""`octprobe trace`: figures for people and programs, one line for whatever is no trace."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import components
from fake_trace import JsonEvent, host, kernel, launch, write_trace
from octprobe.commands import main as door

STEP = [
    host("aten::conv2d", 0, 100),
    host("aten::relu", 100, 50),
    launch(1, 10),
    launch(2, 110),
    kernel("gemm", 1000, 1500.25, 1),
    kernel("relu", 2000, 500.25, 2, stream=8),
]


def shown(tmp_path: Path, events: list[JsonEvent], *options: str) -> tuple[str, str]:
    """Run the command over events and give what it wrote to the two outputs."""
    path = write_trace(tmp_path / "x.json", events)
    ended = CliRunner().invoke(door.app, ["trace", str(path), *options], catch_exceptions=False)
    assert ended.exit_code == 0
    return ended.stdout, ended.stderr


def refused(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the whole program over a file that is no trace, and give its one line."""
    monkeypatch.setattr(sys, "argv", ["octprobe", "trace", str(path)])
    with pytest.raises(SystemExit) as ended:
        door.main()
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"octprobe: {path}: ")
    assert err.count("\n") == 1
    return err


def test_the_object_has_every_figure(tmp_path: Path) -> None:
    """Times in microseconds, shares of the kernels' sum."""
    out, err = shown(tmp_path, STEP, "--json")
    assert err == ""
    assert json.loads(out) == {
        "kernels": 2,
        "kernel_sum_us": 2000.5,
        "busy_union_us": 1500.25,
        "kernel_window_us": 1500.25,
        "window_us": 2500.25,
        "operators": 2,
        "devices": 1,
        "streams": 2,
        "unlinked_kernels": 0,
        "damaged_events": 0,
        "communication_us": 0.0,
        "communication_kernels": 0,
        "communication_share": 0.0,
        "layout_conversion_us": 0.0,
        "layout_conversion_kernels": 0,
        "layout_conversion_share": 0.0,
        "unattributed_us": 0.0,
        "unattributed_kernels": 0,
        "unattributed_share": 0.0,
        "by_operator": {
            "aten::conv2d": {"time_us": 1500.25, "kernels": 1, "calls": 1, "host_self_us": 100.0},
            "aten::relu": {"time_us": 500.25, "kernels": 1, "calls": 1, "host_self_us": 50.0},
        },
    }


def test_the_table_shows_totals_then_operators(tmp_path: Path) -> None:
    """Units in the heading, thousands set apart, the longest first."""
    out, _ = shown(tmp_path, STEP)
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["device", "time", "kernels", "of", "sum"],
        ["us", "%"],
        ["kernel", "sum", "2,000.5", "2", "-"],
        ["busy", "(union", "over", "streams)", "1,500.2", "-", "-"],
        ["first", "kernel", "to", "last", "1,500.2", "-", "-"],
        ["communication", "(NCCL)", "0.0", "0", "0.0"],
        ["layout", "conversion", "0.0", "0", "0.0"],
        ["unattributed", "(no", "aten::", "operator)", "0.0", "0", "0.0"],
        [],
        ["operator", "time", "kernels", "calls", "of", "sum"],
        ["us", "%"],
        ["aten::conv2d", "1,500.2", "1", "1", "75.0"],
        ["aten::relu", "500.2", "1", "1", "25.0"],
    ]
    extent = "2 kernels, 2 operator calls, 1 device, 2 streams, 2,500.2 us from first to last"
    assert out.splitlines()[0] == f"{tmp_path / 'x.json'}: {extent}"


def test_top_shortens_the_table_and_says_so(tmp_path: Path) -> None:
    """What is left out is counted; the object is always whole."""
    out, _ = shown(tmp_path, STEP, "--top", "1")
    assert out.splitlines()[-1] == "and 1 operator more; --top 2 shows all"
    assert "aten::relu" not in out
    out, _ = shown(tmp_path, STEP, "--top", "1", "--json")
    assert len(json.loads(out)["by_operator"]) == 2


def test_a_trace_without_kernels_says_so(tmp_path: Path) -> None:
    """The host's own times are shown instead; device times are null."""
    events = [host("aten::conv2d", 0, 100), host("aten::convolution", 10, 60)]
    out, err = shown(tmp_path, events)
    no_kernels = "the trace holds no kernels: record it with ProfilerActivity.CUDA"
    assert err == f"warning: {tmp_path / 'x.json'}: {no_kernels}\n"
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["operator", "host,", "own", "calls"],
        ["us"],
        ["aten::convolution", "60.0", "1"],
        ["aten::conv2d", "40.0", "1"],
    ]
    out, err = shown(tmp_path, events, "--json")
    figures = json.loads(out)
    assert no_kernels in err
    assert figures["kernels"] == 0
    assert {name for name, value in figures.items() if name.endswith("_us") and value is not None} == {
        "window_us"
    }
    assert figures["by_operator"]["aten::conv2d"] == {
        "time_us": None,
        "kernels": None,
        "calls": 1,
        "host_self_us": 40.0,
    }


def test_an_empty_trace_is_no_error(tmp_path: Path) -> None:
    """It says what to record."""
    out, err = shown(tmp_path, [])
    assert out == f"{tmp_path / 'x.json'}: no kernels, 0 operator calls\n"
    assert "no kernels: record it with ProfilerActivity.CUDA" in err
    assert "no operators: record it with ProfilerActivity.CPU" in err


def test_lost_launches_are_reported(tmp_path: Path) -> None:
    """Kernels of a step whose beginning was not recorded."""
    _, err = shown(tmp_path, [*STEP, kernel("lost", 5000, 1, 99)])
    assert "the launch of 1 kernel is not in the trace: record whole steps" in err


def test_events_without_an_end_are_left_out_and_said(tmp_path: Path) -> None:
    """One line however many there are; the other figures are as without them."""
    unfinished = host("aten::add", 200, -5)
    out, err = shown(tmp_path, [*STEP, unfinished, unfinished], "--json")
    assert err.endswith("x.json: 2 events without an end left out: stop the profiler between steps\n")
    assert json.loads(out) == json.loads(shown(tmp_path, STEP, "--json")[0]) | {"damaged_events": 2}


def test_memory_that_is_not_shown_is_not_checked(tmp_path: Path) -> None:
    """An allocator's record of another shape does not cost the times."""
    broken = {"ph": "i", "name": "[memory]", "ts": 1, "args": {"Addr": 1}}
    assert shown(tmp_path, [*STEP, broken]) == shown(tmp_path, STEP)


def test_names_from_a_trace_cannot_move_the_cursor(tmp_path: Path) -> None:
    """A long or hostile name stays in its cell."""
    out, _ = shown(tmp_path, [host("aten::\x1b[2J" + "x" * 80, 0, 100), launch(1, 1), kernel("k", 200, 1, 1)])
    assert "aten::\\x1b[2J" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines()[1:])) < 100


BROKEN_FILES = {
    "truncated": (b'{"traceEvents": [{"ph": "X", "na', "the file was cut off"),
    "truncated gzip": (gzip.compress(b'{"traceEvents": []}')[:-9], "the file was cut off"),
    "no JSON": (b"Traceback (most recent call last):", "is not JSON (line 1, column 1"),
    "0 bytes": (b"", "is empty; export the trace again"),
    "binary": (bytes(range(256)), "is not JSON (line 1, column 1"),
    "another shape": (b'{"a": 1}', "an object without a list `traceEvents`"),
    "a number": (b"5", "neither object nor list"),
    "deep": (b"[" * 100_000, "nested too deeply"),
    "an endless number": (b'[{"ts": ' + b"9" * 5000 + b"}]", "too many digits"),
    "an event that is none": (b"[5]", "events[0] is 5; it must be a JSON object"),
}


@pytest.mark.parametrize("fault", BROKEN_FILES)
def test_a_broken_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    """The file, what is wrong, the way out; exit code 2 and no traceback."""
    content, words = BROKEN_FILES[fault]
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert words in refused(path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "changes", [{"ts": "12"}, {"dur": "5"}, {"ts": float("nan")}, {"dur": float("nan")}, {"tid": []}]
)
def test_a_broken_event_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
) -> None:
    """The event's index, name and field."""
    path = write_trace(tmp_path / "x.json", [*STEP, host("aten::add", 200, 5) | changes])
    (field,) = changes
    assert f'events[6] "aten::add": {field} is ' in refused(path, monkeypatch, capsys)


def test_a_missing_file_and_a_folder_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not typer's usage, but octprobe's line."""
    assert "there is no such file; name a trace" in refused(tmp_path / "none.json", monkeypatch, capsys)
    assert "is a folder; name one trace file in it" in refused(tmp_path, monkeypatch, capsys)


def test_the_command_loads_nothing_heavy(tmp_path: Path) -> None:
    """A trace is read without torch, pandas or numpy."""
    path = write_trace(tmp_path / "x.json", STEP)
    heavy = "{'torch', 'pandas', 'numpy', 'pyarrow', 'pydantic'}"
    code = (
        "import sys\nfrom pathlib import Path\nfrom octprobe.commands.trace import trace\n"
        f"trace(Path(sys.argv[1]), top=5, as_json=False)\nprint(sorted({heavy} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "aten::conv2d" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_real_trace_to_the_digit() -> None:
    """Through the command, as a program reads it."""
    components.need("shared")
    file = components.SHARED / "traces" / "resnet50_ddp_train_a100.json.gz"
    ended = CliRunner().invoke(door.app, ["trace", str(file), "--json"], catch_exceptions=False)
    figures = json.loads(ended.stdout)
    assert figures["kernels"] == 2700
    assert (round(figures["kernel_sum_us"], 1), round(figures["busy_union_us"], 1)) == (162532.3, 155215.3)
    assert (round(figures["communication_us"], 1), figures["communication_kernels"]) == (46876.5, 21)
    assert (round(figures["layout_conversion_us"], 1), figures["layout_conversion_kernels"]) == (15120.9, 633)
    conv2d = figures["by_operator"]["aten::conv2d"]
    assert (round(conv2d["time_us"], 1), conv2d["kernels"], conv2d["calls"]) == (17013.7, 342, 159)
