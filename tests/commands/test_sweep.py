"""`octprobe sweep` as a person runs it: real processes, a real store, small layers."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import octprobe
from fakes_store import measured, row
from octprobe.commands.main import app
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec
from octprobe.store.store import Store

SPEC = """\
version: 1
name: tiny
subject: layer
axes:
  in_channels: [8]
  out_channels: [8, 16, 24]
  resolution: [8]
  alpha: [0, 0.5]
measure: {relative_ci: 0.5, min_seconds: 0, max_seconds: 10, rounds: 3}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Give a sweep file of three groups of two layers."""
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "octprobe", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@contextmanager
def started(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command line beside the test."""
    command = [sys.executable, "-u", "-m", "octprobe", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def read_until(process: subprocess.Popen[str], word: str) -> None:
    """Read the process's lines until one holds a word."""
    assert process.stdout
    for line in process.stdout:
        if word in line:
            return
    pytest.fail(f"the process ended without saying {word!r}")


def workers_of(pid: int) -> list[int]:
    """Give the processes whose parent is `pid`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def wait_gone(pids: list[int]) -> None:
    """Wait for processes to end; fails through the test's own limit if they do not."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        assert select.select([descriptor], [], [], 30)[0], f"process {pid} outlived its parent"
        os.close(descriptor)


@pytest.mark.slow
def test_a_sweep_ends_with_rows_a_summary_and_one_json_object(spec: Path, tmp_path: Path) -> None:
    """Six points are measured; a second run keeps them; the store loads as a frame."""
    code = (
        "import sys; sys.argv = ['octprobe', 'sweep', 'tiny.yaml', '--json']\n"
        "from octprobe.commands.main import app\n"
        "if __name__ == '__main__':\n"
        "    try: app()\n"
        "    except SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    (tmp_path / "run.py").write_text(code)
    first = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    *_, summary, end = first.stdout.splitlines()
    assert end == "0 False", first.stderr
    ended = json.loads(summary)
    assert {key: ended[key] for key in ("planned", "measured", "skipped", "failed", "resumed")} == {
        "planned": 6,
        "measured": 6,
        "skipped": 0,
        "failed": 0,
        "resumed": 0,
    }
    assert (ended["left"], ended["interrupted"]) == (0, False)
    assert ended["store"] == "results/tiny"
    assert ended["wall_s"] > 0
    frame = octprobe.load(tmp_path / ended["store"])
    assert frame.columns[0] == "point_id"
    assert len(frame) == 6
    assert (frame["macs"] == frame["macs_dispatched"]).all()
    assert (frame["latency_samples"] > 0).all()
    octave = frame[frame["alpha_out"] == 0.5]
    assert (octave["pairs"] >= 30).all()
    assert octave["verdict"].isin(["FASTER", "SLOWER", "SAME", "AMBIGUOUS"]).all()
    assert frame["peak_memory_allocator_bytes"].notna().all()
    assert frame["device_time_ms"].notna().all()
    second = run("sweep", spec, cwd=tmp_path)
    assert second.returncode == 0
    assert "0 measured, 6 kept from before" in second.stdout
    assert "Fastest alpha against vanilla" in second.stdout


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_goes_on_where_it_was(spec: Path, tmp_path: Path) -> None:
    """After SIGKILL no worker is left, and the next run measures exactly what is missing."""
    with started("sweep", spec, cwd=tmp_path) as process:
        read_until(process, "[2/6] saved")
        workers = workers_of(process.pid)
        assert workers
        process.kill()
        process.wait()
        wait_gone(workers)
    done_before = set(octprobe.load(tmp_path / "results/tiny")["point_id"])
    assert 2 <= len(done_before) < 6
    ended = json.loads(run("sweep", spec, "--json", cwd=tmp_path).stdout)
    assert (ended["resumed"], ended["measured"]) == (len(done_before), 6 - len(done_before))
    frame = octprobe.load(tmp_path / "results/tiny")
    assert set(frame["point_id"]) == {point.point_id for point in expand(read_spec(spec), "cpu").points}
    assert (frame["attempt"] == 1).all()


@pytest.mark.slow
def test_ctrl_c_ends_after_the_round_in_hand_and_saves(spec: Path, tmp_path: Path) -> None:
    """Exit code 130, one line said, finished points kept, and the rest measured by the next run."""
    with started("sweep", spec, cwd=tmp_path) as process:
        read_until(process, "[2/6] saved")
        process.send_signal(signal.SIGINT)
        read_until(process, "Ending after the round in hand")
        assert process.stdout
        process.stdout.read()
        assert process.wait() == 130
    ended = json.loads(run("sweep", spec, "--json", cwd=tmp_path).stdout)
    assert ended["resumed"] >= 2
    assert ended["resumed"] + ended["measured"] == 6


@pytest.mark.slow
def test_points_of_another_environment_are_said_to_be_measured_again(spec: Path, tmp_path: Path) -> None:
    """One line before the first clock is read; their rows stay."""
    points = expand(read_spec(spec), "cpu").points
    Store.create(tmp_path / "results/tiny").append([row(point, measured(1.0)) for point in points[:4]])
    ended = run("sweep", spec, "--limit", "1", cwd=tmp_path)
    (line,) = [text for text in ended.stdout.splitlines() if "measured before" in text]
    assert line.startswith(
        "4 points were measured before under another environment (device_name Fake CPU 3000, now "
    )
    assert line.endswith(") and are measured again.")
    assert "Rows of 2 environments are not comparable: device_name Fake CPU 3000 / " in ended.stdout
    assert len(octprobe.load(tmp_path / "results/tiny")) == 5


@pytest.mark.slow
def test_points_that_an_earlier_run_skipped_are_told(spec: Path, tmp_path: Path) -> None:
    """Rules of today may convert what those of that run did not; only a word makes it be tried."""
    spec.write_text(
        SPEC.replace("[8, 16, 24]", "[8]").replace("alpha: [0, 0.5]", "groups: [4]\n  alpha: [0.25]")
    )
    line = "1 point was skipped by an earlier run; `--retry skipped` tries it again."
    outputs = [
        run("sweep", spec, *options, cwd=tmp_path).stdout for options in ((), (), ("--retry", "skipped"))
    ]
    assert [line in output.splitlines() for output in outputs] == [False, True, False]
    assert "1 skipped" in outputs[2]


def test_bad_files_are_one_line_and_exit_code_2(tmp_path: Path) -> None:
    """No traceback, no store."""
    (tmp_path / "bad.yaml").write_text(SPEC.replace("0.5]", "1.5]"))
    for file, words in (("bad.yaml", "alpha must lie in [0, 1]"), ("absent.yaml", "absent.yaml")):
        ended = run("sweep", file, cwd=tmp_path)
        assert ended.returncode == 2
        assert words in ended.stderr
        assert "Traceback" not in ended.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "alpha == 0.3"], "holds for none of the 6 points"),
        (["--only", "alfa > 0"], "alpha"),
        (["--only", "__import__('os')"], "--only"),
        (["--retry", "failled"], "not a status or doubt"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(
    spec: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    """What was typed, the rule, and what would do."""
    ended = run("sweep", spec, *options, cwd=tmp_path)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_dry_run_shows_the_plan_and_writes_nothing(spec: Path, tmp_path: Path) -> None:
    """Points, MACs and estimates in words and as JSON."""
    ended = run("sweep", spec, "--dry-run", cwd=tmp_path)
    assert ended.returncode == 0
    assert "6 points in 3 groups" in ended.stdout
    plan = json.loads(run("sweep", spec, "--dry-run", "--json", "--only", "alpha > 0", cwd=tmp_path).stdout)
    assert [point["alpha_out"] for point in plan["points"]] == [0.5] * 3
    # 8 -> 8 at 8x8, half low: 4x4 channels and 9 taps on 64, then three times 16 positions.
    assert plan["points"][0]["macs"] == 4 * 4 * 9 * (64 + 3 * 16)
    assert not (tmp_path / "results").exists()


def test_a_dry_run_tells_variants_apart(tmp_path: Path) -> None:
    """Beside alpha stands what is unusual, in words and as JSON."""
    file = tmp_path / "forms.yaml"
    two_forms = "alpha: [0.5]\n  exchange: [both, none]"
    file.write_text(SPEC.replace("[8, 16, 24]", "[8]").replace("alpha: [0, 0.5]", two_forms))
    arguments = ["sweep", str(file), "--dry-run"]
    ended = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "0.5:0.5 exchange none" in ended.stdout
    plan = json.loads(CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert [(point["exchange"], point["octave_kernels"]) for point in plan["points"]] == [
        ("both", None),
        ("none", None),
    ]
    assert plan["points"][1]["macs"] == 4 * 4 * 9 * (64 + 16)


@pytest.mark.slow
def test_a_second_dry_run_does_not_load_torch(spec: Path, tmp_path: Path) -> None:
    """Counts are kept, so that planning again is instant."""
    run("sweep", spec, "--dry-run", cwd=tmp_path)
    code = (
        "import sys; sys.argv = ['octprobe', 'sweep', 'tiny.yaml', '--dry-run']\n"
        "from octprobe.commands.main import app\n"
        "app(standalone_mode=False)\n"
        "print('torch' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "False"
