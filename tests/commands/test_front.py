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
from octprobe.errors import UsageError
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
    """An empty store and a store of failures have no front."""
    assert "No front: no row has both latency_ms_median and macs." in printed(tmp_path / "a", [])
    failed = printed(tmp_path / "b", [ended(network_point("0"), Status.FAILED)])
    assert "left out: 1 row" in failed
    assert json.loads(printed(tmp_path / "c", [], "--json")) == []


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
    assert f"and {30 - SUMMARY_FRONTS} more: octprobe front {tmp_path} --x latency --y macs" in output
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
