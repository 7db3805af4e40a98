"""`octprobe recommend`: what it prints, its JSON and its exit codes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fakes_store import measured, network_point, resnet_rows, row
from octprobe.commands.main import app, main
from octprobe.store.row import Row
from octprobe.store.store import Store

ROWS = [
    *resnet_rows([("0", 80.0, None, 400), ("0.25", 84.0, 1.05, 300), ("0.5", 82.0, 1.02, 200)]),
    *resnet_rows([("0", 60.0, None, 400), ("0.5", 50.0, 0.84, 200)], memory_format="channels_last"),
]


def recommended(path: Path, *options: str, rows: list[Row] = ROWS) -> Result:
    """Run the command on a store of rows."""
    Store.create(path).append(rows)
    return CliRunner().invoke(app, ["recommend", str(path), *options])


def refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: Path, *options: str
) -> str:
    """Run the command through the door, expect exit code 2, and give its one line."""
    monkeypatch.setattr(sys, "argv", ["octprobe", "recommend", str(path), *options])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return told.err


def test_the_choice_comes_first_with_its_figures(tmp_path: Path) -> None:
    """Value, unit, interval, n, source, and room in the budget."""
    result = recommended(tmp_path, "--minimize", "latency", "--max", "latency=55ms", "--max", "memory=60MB")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Choice: resnet50 alpha 0.5, channels_last, eager"
    (latency,) = [line for line in lines if line.startswith("  latency ")]
    assert " ".join(latency.split()) == (
        "latency 50.00 ms [49.83 ms, 50.18 ms] 41 measured at most 55ms, 5.000 ms (9.1 %) to spare"
    )
    assert any(line.startswith("No budget binds") for line in lines)
    assert any("Octave beats vanilla on this device: resnet50, channels_last, eager" in x for x in lines)
    assert "      output = network(example)" in lines


def test_json_is_one_object_with_every_part(tmp_path: Path) -> None:
    """What a program reads; absent is null."""
    result = recommended(tmp_path, "--minimize", "macs", "--max", "latency=70ms", "--json", "--top", "2")
    told = json.loads(result.stdout)
    assert list(told) == [
        *("request", "given", "considered", "choice", "binding_budget", "runner_up", "alternatives"),
        *("near_misses", "caveats", "vanilla", "python"),
    ]
    assert told["choice"]["memory_format"] == "channels_last"
    assert told["choice"]["figures"]["latency"]["unit"] == "ms/call"
    assert [point["alpha"] for point in told["alternatives"]] == [0.5, 0.0]
    assert told["binding_budget"]["budget"] == "latency=70ms"
    assert told["near_misses"][0]["misses_by_percent"] == pytest.approx(100 * 10 / 70)
    assert told["python"][0] == "import torch"


def test_nothing_feasible_is_exit_code_3(tmp_path: Path) -> None:
    """With the nearest miss on each budget, as text and as JSON."""
    options = ("--minimize", "latency", "--max", "latency=49ms", "--max", "memory=1MB")
    result = recommended(tmp_path, *options)
    assert result.exit_code == 3
    assert result.stdout.startswith("Nothing is feasible")
    assert "latency=49ms missed by 1.000 ms (2.0 %): resnet50 alpha 0.5" in result.stdout
    assert "misses memory=1MB too" in result.stdout
    told = CliRunner().invoke(app, ["recommend", str(tmp_path), *options, "--json"])
    assert told.exit_code == 3
    assert json.loads(told.stdout)["choice"] is None
    assert [miss["budget"] for miss in json.loads(told.stdout)["near_misses"]] == [
        "latency=49ms",
        "memory=1MB",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--minimize", "latency", "--max", "latency=5"], "latency has a unit"),
        (["--minimize", "latenzy"], "Did you mean latency?"),
        ([], "--minimize latency or --maximize"),
        (["--minimize", "latency", "--batch", "8"], "--batch 8: no measured row"),
        (["--minimize", "latency", "--threads", "many"], "--threads many: no measured row"),
        (["--minimize", "latency", "--network", "resnet51"], "there is resnet50 (5 rows)"),
        (["--minimize", "kernels"], "none of the 5 measured rows compared has kernels"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    words: str,
) -> None:
    """Nothing on standard output."""
    Store.create(tmp_path).append(ROWS)
    assert words in refused(capsys, monkeypatch, tmp_path, *options)


def test_no_store_and_an_empty_one_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line each."""
    assert "no such folder" in refused(capsys, monkeypatch, tmp_path / "none", "--minimize", "latency")
    Store.create(tmp_path / "empty")
    assert "no rows yet" in refused(capsys, monkeypatch, tmp_path / "empty", "--minimize", "latency")


def test_a_truncated_part_is_named_and_the_rest_read(tmp_path: Path) -> None:
    """A warning on standard error, exit code 0."""
    whole = Store.create(tmp_path).append(ROWS)
    (whole.parent / "20250101T000000000000Z-00000000.parquet").write_bytes(whole.read_bytes()[:500])
    result = CliRunner().invoke(app, ["recommend", str(tmp_path), "--minimize", "latency"])
    assert result.exit_code == 0
    assert "is damaged" in result.stderr
    assert "Choice: resnet50 alpha 0.5" in result.stdout


def test_text_of_a_store_is_inert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape sequences and markup come out as text, in answers, bars and errors."""
    rows = [replace(each, network="\x1b[31m[bold]evil") for each in ROWS]
    result = recommended(tmp_path, "--minimize", "latency", rows=rows)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "[bold]evil" in result.stdout
    assert "Python:" not in result.stdout
    told = json.loads(recommended(tmp_path / "json", "--minimize", "latency", "--json", rows=rows).stdout)
    assert told["python"] == []
    assert "\x1b" not in refused(
        capsys, monkeypatch, tmp_path, "--minimize", "latency", "--network", "resnet50"
    )


def test_bars_are_drawn_of_the_goal(tmp_path: Path) -> None:
    """In proportion to the largest shown, in eighths where the terminal can."""
    result = recommended(tmp_path, "--minimize", "macs")
    bars = [
        line.count("#") + line.count("█") for line in result.stdout.splitlines() if line.startswith("  1 ")
    ]
    assert bars in ([10], [11])  # 200 of 300, of 16 characters
    assert " 1 resnet50 alpha 0.5, channels_last, eager" in result.stdout


def test_torch_is_not_loaded(tmp_path: Path) -> None:
    """A colleague's store opens on a laptop without it."""
    Store.create(tmp_path).append([row(network_point("0"), measured(5.0))])
    code = (
        "import sys; from octprobe.commands.main import app\n"
        f"app(['recommend', {str(tmp_path)!r}, '--minimize', 'latency'], standalone_mode=False)\n"
        "print('heavy:', sorted({'torch', 'timm', 'streamlit'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "heavy: []"
