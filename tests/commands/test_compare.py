"""`octprobe compare`: the table of both changes, exit codes, JSON, and what is refused."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from fakes_store import (
    OTHER_ENVIRONMENT,
    ended,
    latency_of,
    measured,
    network_point,
    resnet_rows,
    row,
)
from octprobe.commands.compare import compare
from octprobe.commands.compare_view import ONLY_SHOWN
from octprobe.errors import StoreError, UsageError
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store
from octprobe.units import show_number

APP = typer.Typer()
APP.command()(compare)


def run(path: Path, a: Sequence[Row], b: Sequence[Row], *options: str) -> Result:
    """Write two stores and compare them."""
    for name, rows in (("a", a), ("b", b)):
        store = Store.create(path / name)
        if rows:
            store.append(rows)
    arguments = [str(path / "a"), str(path / "b"), *options]
    return CliRunner().invoke(APP, arguments, catch_exceptions=False)


def half(median: float, **fields: object) -> Row:
    """Give the row of alpha .5 at a latency."""
    return row(network_point("0.5"), measured(median, **fields))  # type: ignore[arg-type]  # a measurement's own fields


def test_the_table_of_two_small_stores(tmp_path: Path) -> None:
    """Both sides, their figures with n and interval, the verdict, and what intervals do not know."""
    vanilla = row(network_point("0"), measured(80.0))
    result = run(tmp_path, [vanilla, half(60.0)], [vanilla, half(66.0)])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    env = f"Fake CPU 3000, torch 2.9.0, env {vanilla.env_id}"
    assert lines[:7] == [
        f"A: {tmp_path}/a ({env})",
        f"B: {tmp_path}/b ({env})",
        "224 px, batch 1, float32, infer, contiguous, eager",
        "alpha        A        B      n    B/A          95 % CI  time/vanilla  95 % CI  pairs  verdict",
        "       ms/call  ms/call    A/B                                   B/A             A/B",
        "resnet50",
        "  0      80.00    80.00  41/41  1.000  [0.9956, 1.004]             -        -      -  SAME",
    ]
    assert lines[7].split()[:5] == ["0.5", "60.00", "66.00", "41/41", "1.100"]
    assert lines[7].endswith("SLOWER")
    assert (
        "Vanilla's own latency, B/A: 1.000 (median of its points).\nIntervals know the scatter"
        in result.stdout
    )
    assert lines[-1] == (
        "2 points joined, 2 tested; 1 SLOWER, 1 SAME (by latency with a band of 1 %, Holm-corrected)."
    )


def test_the_change_of_the_ratio_to_vanilla_stands_beside(tmp_path: Path) -> None:
    """With its own interval, from the raw pairs."""
    series = latency_of(1.0).samples_ms
    a, b = (
        measured(60.0, latency=latency_of(60.0)).latency,
        measured(66.0, latency=latency_of(66.0)).latency,
    )
    assert a
    assert b
    paired = [replace(each, pair_ratios=series) for each in (a, b)]
    rows = [[half(0.0, latency=each)] for each in paired]
    point = json.loads(run(tmp_path / "json", *rows, "--json").stdout)["points"][0]
    low, high = (show_number(point[f"time_ratio_change_ci_{end}"]) for end in ("low", "high"))
    assert f"1.000  [{low}, {high}]  41/41  SLOWER" in run(tmp_path / "text", *rows).stdout
    assert "1 SAME (by time_ratio" in run(tmp_path / "by", *rows, "--by", "time_ratio").stdout


def test_a_check_fails_with_exit_code_1_and_lists_the_points(tmp_path: Path) -> None:
    """Ten percent is more than five and less than eleven."""
    result = run(tmp_path / "x", [half(60.0)], [half(66.0)], "--fail-above", "5%")
    assert result.exit_code == 1
    assert "1 of 1 point failed:\n  resnet50 alpha 0.5, 224 px" in result.stdout
    assert "1.100 times A's, above 1.05 (p " in result.stdout
    result = run(tmp_path / "y", [half(60.0)], [half(66.0)], "--fail-above", "11 %")
    assert result.exit_code == 0
    assert result.stdout.endswith("No point is shown to be slower by more than 11 %.\n")
    assert run(tmp_path / "z", [half(60.0)], [half(66.0)]).exit_code == 0


def test_json_of_a_failed_check_is_whole_and_exits_1(tmp_path: Path) -> None:
    """One object, the failing points in it."""
    result = run(tmp_path, [half(60.0)], [half(66.0)], "--fail-above", "5%", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert set(found) == {
        *("a", "b", "by", "band", "fail_above", "totals", "verdicts", "vanilla_latency_ratio_median"),
        *("environment_differences", "points", "only_a", "only_b", "status_changes", "failed"),
    }
    assert (found["fail_above"], found["band"], found["totals"]["failed"]) == (0.05, 0.01, 1)


def test_a_check_that_could_test_nothing_says_so(tmp_path: Path) -> None:
    """Ten samples a side pass no judgement."""
    result = run(tmp_path, [half(60.0, count=10)], [half(90.0, count=10)], "--fail-above", "5%")
    assert result.exit_code == 0
    assert "no point has samples enough on both sides, so nothing was tested" in result.stderr
    assert "? alpha 0.5: too few samples for an interval: 10 in A, 10 in B, not 20" in result.stdout


def test_statuses_counts_and_doubts_stand_below_their_group(tmp_path: Path) -> None:
    """What is not a time is said in words, and an exact figure exactly."""
    quarter = network_point("0.25")
    a = [half(60.0, macs=200), row(quarter, measured(70.0, 0.9))]
    b = [half(60.0, macs=201, doubts=(Doubt.UNSTABLE,)), ended(quarter, Status.OUT_OF_MEMORY, "3 GB")]
    result = run(tmp_path, a, b, "--fail-above", "5%")
    assert "= alpha 0.5: macs 200 in A, 201 in B\n" in result.stdout
    assert "? alpha 0.5: unstable in B\n" in result.stdout
    assert "! alpha 0.25: measured in A, out_of_memory in B: 3 GB\n" in result.stdout
    assert "measured / out_of_memory\n" in result.stdout
    assert "1 ended another way" in result.stdout
    assert result.exit_code == 1


def test_environments_and_lone_points_are_named(tmp_path: Path) -> None:
    """A long list is cut and says where the rest is."""
    a = [half(60.0), *(row(network_point("0.5", batch=n), measured(60.0)) for n in range(2, ONLY_SHOWN + 4))]
    b = [row(network_point("0.5"), measured(60.0), OTHER_ENVIRONMENT)]
    output = run(tmp_path, a, b).stdout
    assert "The environments differ: torch 2.9.0 / 2.10.0.\n" in output
    assert f"{ONLY_SHOWN + 2} points in A only:\n  resnet50 alpha 0.5, 224 px, batch 2," in output
    assert "  and 2 more, as `--json` lists them\n" in output


def test_a_doubt_of_every_row_is_said_once_a_side(tmp_path: Path) -> None:
    """A virtual machine's clock does not drown what one row alone has."""
    times = [("0", 80.0, None, 400), ("0.5", 60.0, 0.75, 200)]
    doubted = [
        row(network_point(alpha), measured(median, ratio, doubts=(Doubt.UNKNOWN_CLOCK,)))
        for alpha, median, ratio, _ in times
    ]
    output = run(tmp_path / "one", resnet_rows(times), doubted).stdout
    assert output.count("unknown_clock") == 1
    assert "? B: every row: unknown_clock: " in output
    output = run(tmp_path / "both", doubted, doubted).stdout
    assert output.count("unknown_clock") == 1
    assert "? A and B: every row: unknown_clock: " in output


def test_a_vanilla_that_moved_is_said_to_be_the_machine(tmp_path: Path) -> None:
    """Then the latency is no witness, and the line says what is."""
    rows = [[row(network_point("0"), measured(median))] for median in (80.0, 88.0)]
    advice = "1.100 (median of its points); machine or software changed, so read time/vanilla"
    assert advice in run(tmp_path, *rows).stdout


def test_one_store_is_parted_by_date(tmp_path: Path) -> None:
    """The second attempt was an hour later."""
    Store.create(tmp_path).append(
        [half(60.0), row(network_point("0.5"), measured(90.0), minutes=60, attempt=2)]
    )
    result = CliRunner().invoke(APP, [str(tmp_path), "--since", "2026-01-02T13:00"])
    assert result.exit_code == 0
    assert "SLOWER" in result.stdout
    assert f"B: {tmp_path}, since 2026-01-02T13:00+00:00 (" in result.stdout


@pytest.mark.parametrize("text", ["5", "", "%", "-5%", "five%", "nan%", "5%%", "1e2%", "1001%", "٥%"])
def test_a_bad_percentage_is_one_line(tmp_path: Path, text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(UsageError) as caught:
        run(tmp_path, [half(60.0)], [half(60.0)], f"--fail-above={text}")
    assert str(caught.value) == (
        f"--fail-above {text}: give a percentage from 0% to 1000%, with its sign, such as 5%"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "macs"], "--by macs: choose from latency, time_ratio"),
        (["--band", "60%"], "--band 60%: give a percentage from 0% to 50%"),
        (["--sweeps", "quickstart", "nightly"], "has no sweep 'nightly'"),
        (["--environments", "zz", "3"], "has no environment 'zz'"),
        (["--since", "2026-01-02"], "leave it out"),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path: Path, options: list[str], message: str) -> None:
    """A usage error, which is exit code 2 at the door."""
    with pytest.raises(UsageError) as caught:
        run(tmp_path, [half(60.0)], [half(60.0)], *options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_common_points_and_no_store_are_left_to_the_door(tmp_path: Path) -> None:
    """All exit with 2 there."""
    with pytest.raises(UsageError, match="no point is in both A and B: batch is 1 in A, 8 in B"):
        run(tmp_path / "x", [half(60.0)], [row(network_point("0.5", batch=8), measured(60.0))])
    with pytest.raises(StoreError, match="b holds no rows yet"):
        run(tmp_path, [half(60.0)], [])
    with pytest.raises(StoreError, match="no such folder"):
        CliRunner().invoke(APP, [str(tmp_path / "a"), str(tmp_path / "none")], catch_exceptions=False)


def test_a_damaged_part_is_named_once_and_the_rest_compared(tmp_path: Path) -> None:
    """On standard error, so that JSON stays whole."""
    Store.create(tmp_path).append([half(60.0)])
    (tmp_path / "parts/broken.parquet").write_bytes(b"PAR1")
    result = CliRunner().invoke(APP, [str(tmp_path), str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["verdicts"]["SAME"] == 1
    assert result.stderr.count("broken.parquet is damaged") == 1


def test_text_from_a_store_is_inert(tmp_path: Path) -> None:
    """Names and reasons cannot move the cursor."""
    point = network_point("0.5", "res\x1b[2Jnet")
    result = run(tmp_path, [row(point, measured(60.0))], [ended(point, Status.FAILED, "\x1b[2J\nhe")])
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J\\nhe" in result.stdout
