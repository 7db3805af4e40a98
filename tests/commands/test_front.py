"""`octprobe front` and the summary of a sweep: bars, stars, verdicts in plain words."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from fakes_store import (
    ENVIRONMENT,
    OTHER_ENVIRONMENT,
    ended,
    layer_point,
    measured,
    network_point,
    output_over,
    resnet_rows,
    row,
)
from octprobe.commands.front import front
from octprobe.commands.summary import SUMMARY_FINDINGS, SUMMARY_FRONTS, print_summary
from octprobe.commands.terminal import bar, scale
from octprobe.errors import StoreError, UsageError
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

APP = typer.Typer()
APP.command()(front)

TIMES = [
    ("0", 80.0, None, 4_000_000_000),
    ("0.25", 84.0, 1.05, 3_000_000_000),
    ("0.5", 60.0, 0.75, 2_000_000_000),
]

PICTURE = """\
Front over latency (less is better) and macs (less is better)
* on the front: under the same conditions no point is better on one and no worse on the other

224 px, batch 1, float32, infer, 2 threads, Fake CPU 3000, torch 2.9.0
              latency                               95 % CI   n  macs                     of  verdict
                                    ms/call         ms/call                  G/item  vanilla
resnet50
  alpha 0     ███████████████████     80.00  [79.72, 80.28]  41  ██████████   4.000    100 %  vanilla
  alpha 0.25  ████████████████████    84.00  [83.71, 84.29]  41  ███████▌     3.000     75 %  SLOWER
* alpha 0.5   ██████████████▎         60.00  [59.79, 60.21]  41  █████        2.000     50 %  FASTER
  hypervolume 4.8e+10 ms/call x MACs/item up to the reference latency 84.00, macs 4000000000
"""


def printed(path: Path, rows: Sequence[Row], *options: str) -> str:
    """Run the command on a store of these rows and give what it prints."""
    return output_over(APP, path, rows, *options)


def summary(path: Path) -> str:
    """Print a store's summary to text."""
    text = io.StringIO()
    print_summary(path, Console(file=text, width=200, highlight=False))
    return text.getvalue()


def test_the_picture_of_a_small_store(tmp_path: Path) -> None:
    """Bars in proportion, a star before the one point nothing beats."""
    assert printed(tmp_path, resnet_rows(TIMES, threads=2)) == PICTURE


def test_fronts_are_split_and_the_split_is_named(tmp_path: Path) -> None:
    """Each batch has a block of its own."""
    output = printed(tmp_path, [*resnet_rows(TIMES, batch=1), *resnet_rows(TIMES, batch=8)])
    assert output.startswith(
        "Front over latency (less is better) and macs (less is better), one for each batch\n"
    )
    assert output.count("* alpha 0.5") == 2


def test_left_out_rows_and_doubts_are_told(tmp_path: Path) -> None:
    """Failures are counted with their reason, doubts stand under their row."""
    rows = [
        row(network_point("0"), measured(80.0, doubts=(Doubt.THROTTLED,))),
        ended(network_point("0.5"), Status.CRASHED),
    ]
    output = printed(tmp_path, rows)
    assert "? alpha 0: throttled" in output
    assert "left out: 1 row (status crashed)" in output


def test_fronts_of_two_environments_say_in_what_they_differ(tmp_path: Path) -> None:
    """Each has its id in the heading; a doubt of all rows is said once, below."""
    doubts = (Doubt.UNKNOWN_CLOCK,)
    rows = [
        row(network_point(alpha), measured(80.0, doubts=doubts), environment)
        for environment in (ENVIRONMENT, OTHER_ENVIRONMENT)
        for alpha in ("0", "0.5")
    ]
    output = printed(tmp_path, rows)
    assert all(f", env {e.env_id}\n" in output for e in (ENVIRONMENT, OTHER_ENVIRONMENT))
    assert output.count("unknown_clock") == 1
    assert "? every row: unknown_clock: " in output
    assert output.endswith("Rows of 2 environments are not comparable: torch 2.9.0 / 2.10.0.\n")


def test_json_of_two_environments_comes_with_a_warning(tmp_path: Path) -> None:
    """On standard error, so that a pipe carries JSON alone."""
    point = network_point("0")
    rows = [row(point, measured(80.0)), row(point, measured(70.0), OTHER_ENVIRONMENT)]
    Store.create(tmp_path).append(rows)
    result = CliRunner().invoke(APP, [str(tmp_path), "--json"])
    assert len(json.loads(result.stdout)) == 2
    assert "warning: Rows of 2 environments are not comparable: torch" in result.stderr


def test_throughput_is_better_where_it_is_larger(tmp_path: Path) -> None:
    """The one objective that is made large."""
    best, *_ = json.loads(printed(tmp_path, resnet_rows(TIMES), "--x", "throughput", "--json"))
    assert (best["alpha"], best["on_front"]) == (0.5, True)
    assert "Front over throughput (more is better)" in printed(tmp_path, [], "--x", "throughput")


def test_marks_tell_the_front_from_noise_and_from_what_a_budget_forbids(tmp_path: Path) -> None:
    """Each mark that is drawn is explained, and no other."""
    times = [("0", 80.0, None, 4000), ("0.25", 80.2, 1.0, 4000), ("0.5", 60.0, 0.75, 5000)]
    output = printed(tmp_path, resnet_rows(times), "--max", "macs=4.5k")
    lines = output.splitlines()
    assert [line[:12] for line in lines if line.startswith(("* alpha", "~ alpha", "x alpha"))] == [
        "* alpha 0   ",
        "~ alpha 0.25",
        "x alpha 0.5 ",
    ]
    assert lines[1:4] == [
        "* on the front: under the same conditions no point is better on one and no worse on the other",
        "~ within noise of it: no point is surely so, at the ends of the 95 % intervals",
        "x infeasible: over a budget",
    ]


def test_three_objectives_have_their_columns(tmp_path: Path) -> None:
    """The third after the second."""
    output = printed(tmp_path, resnet_rows(TIMES), "--z", "memory")
    assert output.startswith(
        "Front over latency (less is better), macs (less is better) and memory (less is better)\n"
        "* on the front: under the same conditions no point is better on one and no worse on the others\n"
    )
    assert output.count("51.38") == 3
    assert "ms/call x MACs/item x bytes up to the reference" in output


def test_published_accuracies_are_joined(tmp_path: Path) -> None:
    """A front for each source family; the JSON says where a figure is from."""
    rows = resnet_rows(TIMES)
    output = printed(tmp_path, rows, "--y", "top1")
    assert "Front over latency (less is better) and top1 (more is better)" in output
    assert "imagenet1k, authors" in output
    points = json.loads(printed(tmp_path, [], "--y", "top1", "--json"))
    found = {(p["accuracy_family"], p["alpha"]): p["top1_percent"] for p in points}
    assert found["authors", 0.5] == pytest.approx(77.4, abs=1)
    assert {p["accuracy_match"] for p in points if p["accuracy_family"] == "authors"} <= {
        "exact",
        "pre-activation twin",
    }


def test_a_given_axis_narrows_the_fronts(tmp_path: Path) -> None:
    """To one batch here; a value that no row has is listed against."""
    rows = [*resnet_rows(TIMES, batch=1), *resnet_rows(TIMES, batch=8)]
    assert printed(tmp_path, rows, "--given", "batch=8").count("batch 8") == 1
    with pytest.raises(UsageError, match="batch is 1 or 8"):
        front(tmp_path, given=["batch=7"])


def test_many_points_are_cut_to_the_front_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million dominated rows tell a person nothing; `--all` draws them."""
    monkeypatch.setattr("octprobe.commands.front.MANY_POINTS", 3)
    monkeypatch.setattr("octprobe.commands.front.MANY_FRONTS", 1)
    rows = [*resnet_rows(TIMES, batch=1), *resnet_rows(TIMES, batch=8)]
    output = printed(tmp_path, rows)
    assert output.count("alpha 0.5") == 1
    assert "alpha 0.25" not in output
    assert "of  verdict" not in output  # a share of vanilla's is no share where vanilla is not drawn
    assert "  not drawn: 2 dominated\n" in output
    assert "and 1 more front: narrow with --given, or see every one with --all\n" in output
    assert printed(tmp_path, [], "--all").count("alpha 0.25") == 2
    result = CliRunner().invoke(APP, [str(tmp_path), "--json"])
    assert [(p["batch"], p["alpha"]) for p in json.loads(result.stdout)] == [(1, 0.5), (8, 0.5)]
    assert "not listed: 4 dominated; --all lists them" in result.stderr
    assert len(json.loads(printed(tmp_path, [], "--all", "--json"))) == 6


def test_json_says_beside_it_what_it_is_split_by(tmp_path: Path) -> None:
    """With each front's hypervolume; standard output is JSON alone."""
    Store.create(tmp_path).append([*resnet_rows(TIMES, batch=1), *resnet_rows(TIMES[:1], batch=8)])
    result = CliRunner().invoke(APP, [str(tmp_path), "--json"])
    assert {p["standing"] for p in json.loads(result.stdout)} == {"on_front", "dominated"}
    reference = "up to the reference latency"
    assert result.stderr.splitlines() == [
        "Front over latency (less is better) and macs (less is better), one for each batch",
        f"batch 1: hypervolume 4.8e+10 ms/call x MACs/item {reference} 84.00, macs 4000000000",
        f"batch 8: hypervolume 0 ms/call x MACs/item {reference} 80.00, macs 4000000000",
    ]


def test_a_damaged_part_is_named_and_the_rest_is_drawn(tmp_path: Path) -> None:
    """On standard error; the exit code stays 0."""
    Store.create(tmp_path).append(resnet_rows(TIMES))
    (tmp_path / "parts" / "a.parquet").write_bytes(b"PAR1")
    result = CliRunner().invoke(APP, [str(tmp_path)])
    assert (result.exit_code, result.stdout.count("* alpha 0.5")) == (0, 1)
    assert "a.parquet is damaged" in result.stderr


def test_other_objectives_have_their_own_headings(tmp_path: Path) -> None:
    """Memory in MB with its share of vanilla's; a ratio with its interval and pairs."""
    output = printed(tmp_path, resnet_rows(TIMES), "--x", "memory", "--y", "latency")
    assert "MB  vanilla" in output
    assert "Front over memory (less is better) and latency (less is better)" in output


def test_json_lists_points_with_their_flag(tmp_path: Path) -> None:
    """One object a point; the dominated ones are there, flagged."""
    points = json.loads(printed(tmp_path, resnet_rows(TIMES), "--json"))
    assert [(p["alpha"], p["macs"], p["on_front"]) for p in points] == [
        (0.5, 2_000_000_000, True),
        (0.0, 4_000_000_000, False),
        (0.25, 3_000_000_000, False),
    ]


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    """A store of failures has no front, and says why."""
    output = printed(tmp_path, [ended(network_point("0"), Status.FAILED)])
    assert output.startswith("No front: no row has both latency_ms_median and macs.\n")
    assert "left out: 1 row (status failed)" in output
    assert json.loads(printed(tmp_path, [], "--json")) == []


def test_an_empty_store_is_left_to_the_door(tmp_path: Path) -> None:
    """There is nothing to answer from: exit code 2."""
    Store.create(tmp_path)
    with pytest.raises(StoreError, match=r"holds no rows yet; `octprobe sweep FILE --store .* measures some"):
        front(tmp_path)
    (tmp_path / "parts" / "a.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=r"holds no rows that can be read: .*a\.parquet is damaged"):
        front(tmp_path)


def test_an_unknown_axis_is_left_to_the_door(tmp_path: Path) -> None:
    """The command raises a usage error, which is exit code 2."""
    Store.create(tmp_path)
    with pytest.raises(UsageError, match="Did you mean macs"):
        front(tmp_path, x="latency", y="mac", as_json=False)


def test_the_summary_has_the_front_and_each_networks_fastest_alpha(tmp_path: Path) -> None:
    """What a sweep prints at its end."""
    rows = [
        *resnet_rows(TIMES),
        *resnet_rows([("0", 40.0, None, 2000), ("0.5", 44.0, 1.1, 1000)], network="resnet26"),
    ]
    Store.create(tmp_path).append(rows)
    output = summary(tmp_path)
    assert "Front over latency" in output
    assert "resnet50\n  alpha 0.5 is the fastest: 0.75 [" in output
    assert "resnet26\n  no alpha beats vanilla: the best, alpha 0.5, takes 1.100 [" in output
    assert output.endswith("An alpha is FASTER than vanilla in 1 of 2 cases.\n")


def test_the_summary_names_the_doubts_of_a_winner(tmp_path: Path) -> None:
    """A doubted answer is not passed off as a sure one."""
    Store.create(tmp_path).append([row(network_point("0.5"), measured(80.0, 0.9, doubts=(Doubt.UNSTABLE,)))])
    assert "FASTER (doubts: unstable)" in summary(tmp_path)


def test_the_summary_says_a_doubt_of_all_rows_once(tmp_path: Path) -> None:
    """It is no reason to doubt this winner more than that one."""
    rows = [
        row(network_point(alpha), measured(80.0, ratio, doubts=(Doubt.UNKNOWN_CLOCK, *more)))
        for alpha, ratio, more in (("0", None, ()), ("0.5", 0.9, (Doubt.BIMODAL,)))
    ]
    Store.create(tmp_path).append(rows)
    assert summary(tmp_path).count("unknown_clock") == 1
    assert "FASTER (doubts: bimodal)" in summary(tmp_path)


def test_a_long_summary_is_cut_and_says_where_the_rest_is(tmp_path: Path) -> None:
    """Hundreds of layers do not flood the terminal."""
    shapes = range(1, 31)
    rows = [
        row(layer_point(alpha, alpha, out_channels=8 * n), measured(1.0, None if alpha == "0" else 0.9))
        for n in shapes
        for alpha in ("0", "0.5")
    ]
    Store.create(tmp_path).append(rows)
    output = summary(tmp_path)
    assert f"and {30 - SUMMARY_FRONTS} more fronts: octprobe front {tmp_path} --x latency --y macs" in output
    assert f"and {30 - SUMMARY_FINDINGS} more" in output
    assert "in 30 of 30 cases" in output


def test_an_empty_store_has_a_summary(tmp_path: Path) -> None:
    """A sweep of which everything was excluded ends without a crash."""
    Store.create(tmp_path)
    assert "No front" in summary(tmp_path)


@pytest.mark.parametrize(
    ("value", "drawn"), [(8, "████"), (7, "███▌"), (1, "▌"), (0, ""), (0.01, ""), (-1, "")]
)
def test_bars_are_proportional_to_an_eighth(value: float, drawn: str) -> None:
    """Four characters for the largest."""
    assert bar(value, 8, 4, unicode=True) == drawn


def test_bars_without_block_characters() -> None:
    """An ASCII terminal gets hashes, and something for everything above 0."""
    assert bar(8, 8, 4, unicode=False) == "####"
    assert bar(0.01, 8, 4, unicode=False) == "#"
    assert bar(0, 0, 4, unicode=False) == ""


@pytest.mark.parametrize(
    ("values", "step"),
    [([5e9, 3.0], (1e9, "G")), ([999.0], (1, "")), ([], (1, "")), ([None, 2e3], (1e3, "k"))],
)
def test_the_largest_figure_chooses_the_step(values: list[float | None], step: tuple[float, str]) -> None:
    """One prefix for a column."""
    assert scale(values) == step
