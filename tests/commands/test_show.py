"""`octprobe show`: every row, its doubts and its failures; JSON a strict parser reads."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from fakes_store import (
    ENVIRONMENT,
    OTHER_ENVIRONMENT,
    breakdown_of,
    ended,
    layer_point,
    measured,
    network_point,
    output_over,
    resnet_rows,
    row,
)
from octprobe.commands.detail import print_details
from octprobe.commands.show import show
from octprobe.commands.tables import print_rows
from octprobe.errors import StoreError, UsageError
from octprobe.store.records import Doubt, Measurement, OperatorTime, Status
from octprobe.store.row import Row
from octprobe.store.schema import SCHEMA
from octprobe.store.store import Store
from octprobe.units import show_number

APP = typer.Typer()
APP.command()(show)


def shown(path: Path, rows: Sequence[Row], *options: str) -> str:
    """Run the command on a store of these rows and give what it prints."""
    return output_over(APP, path, rows, *options)


def test_figures_stand_under_units_with_interval_and_n(tmp_path: Path) -> None:
    """The whole table of a small store, letter for letter."""
    rows = resnet_rows([("0", 80.0, None, 4_089_184_256), ("0.5", 72.0, 0.9, 2_367_143_936)], threads=2)
    ends = f"[{show_number(rows[1].time_ratio_ci_low)}, {show_number(rows[1].time_ratio_ci_high)}]"
    assert shown(tmp_path, rows).splitlines() == [
        "Fake CPU 3000, torch 2.9.0, 224 px, batch 1, float32, infer, 2 threads, contiguous, eager",
        "alpha  latency         95 % CI   n      time           95 % CI  pairs  verdict      MACs   peak",
        "       ms/call         ms/call      /vanilla                           or status  G/item     MB",
        "resnet50",
        "  0      80.00  [79.72, 80.28]  41         -                 -      -  vanilla     4.089  51.38",
        f"  0.5    72.00  [71.75, 72.25]  41       0.9  {ends:>16}     41  FASTER      2.367  51.38",
        "",
        "2 rows: 2 measured; 0 with doubts.",
    ]


def test_failures_show_their_status_and_reason(tmp_path: Path) -> None:
    """What could not be measured is in the table, not left out."""
    rows = [
        *resnet_rows([("0", 80.0, None, 400)]),
        ended(network_point("0.5"), Status.OUT_OF_MEMORY, "asked for 3.2 GB"),
        ended(network_point("0.75"), Status.SKIPPED, "no C++ compiler"),
    ]
    output = shown(tmp_path, rows)
    assert "! alpha 0.5: out_of_memory: asked for 3.2 GB" in output
    assert "! alpha 0.75: skipped: no C++ compiler" in output
    assert "3 rows: 1 measured, 1 out_of_memory, 1 skipped; 0 with doubts." in output


def test_doubts_and_reasons_of_measured_rows_are_shown(tmp_path: Path) -> None:
    """A row with a time may still lack a figure, and says why."""
    doubted = measured(80.0, 0.9, doubts=(Doubt.UNSTABLE, Doubt.BIMODAL), reason="no memory: it broke")
    output = shown(tmp_path, [row(network_point("0.5"), doubted)])
    assert "? alpha 0.5: unstable\n" in output
    assert "? alpha 0.5: no memory: it broke\n" in output
    assert "? alpha 0.5: bimodal\n" in output
    assert "1 with doubts" in output


def test_environments_have_headings_of_their_own(tmp_path: Path) -> None:
    """Two versions of torch are two blocks, told apart by name and id, and by what else differs."""
    point, other = network_point("0.5"), replace(OTHER_ENVIRONMENT, governor="performance")
    output = shown(tmp_path, [row(point, measured(80.0)), row(point, measured(70.0), other)])
    assert f"torch 2.9.0, env {ENVIRONMENT.env_id}, governor none, " in output
    assert f"torch 2.10.0, env {other.env_id}, governor performance, " in output
    assert output.splitlines()[-2] == (
        "Rows of 2 environments are not comparable: torch 2.9.0 / 2.10.0; governor none / performance."
    )


def test_a_doubt_of_every_row_is_said_once_and_does_not_drown_the_others(tmp_path: Path) -> None:
    """A virtual machine's clock is unknown in each row; what one row alone has stays countable."""
    rows = [
        row(network_point(alpha), measured(80.0, doubts=(Doubt.UNKNOWN_CLOCK, *more)))
        for alpha, more in (("0", ()), ("0.25", (Doubt.UNSTABLE,)), ("0.5", ()))
    ]
    output = shown(tmp_path, rows)
    assert output.count("unknown_clock") == 1
    *_, clock, totals = output.splitlines()
    assert clock.startswith("? every row: unknown_clock: the device's clock cannot be read")
    assert totals == "3 rows: 3 measured; 1 with doubts of their own."
    assert "? alpha 0.25: unstable" in output


@pytest.mark.parametrize(("width", "is_wide"), [(100, False), (125, False), (126, True), (160, True)])
def test_a_wide_terminal_has_the_figures_of_calls_back_to_back(width: int, is_wide: bool) -> None:
    """Two more columns where there is room, and every line within the width."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, color_system=None)
    rows = resnet_rows([("0", 1234.5, None, 10**9), ("0.125", 1111.1, 0.9, 10**9)], batch=128)
    print_rows([vars(each) for each in rows], console)
    assert ("back to back  throughput" in text.getvalue()) == is_wide
    assert ("items/s" in text.getvalue()) == is_wide
    assert max(map(len, text.getvalue().splitlines())) <= width


def test_a_point_is_shown_at_length(tmp_path: Path) -> None:
    """Every figure of the rows that are named, with what to do about their doubts."""
    rows = [
        row(network_point("0.5", batch=8), measured(80.0, 0.9, doubts=(Doubt.UNSTABLE, Doubt.BIMODAL))),
        row(network_point("0.5", batch=80), measured(800.0, 0.9)),
    ]
    lines = shown(tmp_path, rows, "--point", "alpha 0.5, batch 8").splitlines()
    assert lines[0] == "resnet50 alpha 0.5, 224 px, batch 8, float32, infer, contiguous, eager"
    assert lines[1] == "  status        measured: attempt 1, 2026-01-02 12:00 UTC, sweep quickstart"
    assert "  plain      4.089  100 %        7.200   10 %" in lines
    assert "        72.00     53        -  aten::conv2d" in lines
    assert lines[-3].startswith("  ? unstable: medians of the rounds differ by more than 10 %. What to do: ")
    assert lines[-2].startswith("  ? bimodal: ")


def test_a_failed_point_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The reason in a line and the worker's last words, made inert."""
    failed = Measurement(status=Status.CRASHED, reason="SIGSEGV", log_tail="first\n\x1b[2Jlast")
    lines = shown(tmp_path, [row(network_point("0.5"), failed)], "--point", "resnet50").splitlines()
    assert "  reason        SIGSEGV" in lines
    assert lines[-3:] == ["  | first", "  | \\x1b[2Jlast", ""]


def test_many_operators_are_cut_and_counted(tmp_path: Path) -> None:
    """The longest stand first; JSON has the rest."""
    operators = tuple(
        OperatorTime(name=f"op{place}", time_ms=20.0 - place, kernels=2.0, calls=1.5) for place in range(11)
    )
    breakdown = replace(breakdown_of(72.0), operators=operators)
    output = shown(
        tmp_path, [row(network_point("0"), measured(80.0, breakdown=breakdown))], "--point", "alpha 0"
    )
    assert "        20.00    1.5        2  op0\n" in output
    assert "op7\n  and 3 more, as `--json` lists them\n" in output
    assert "op8" not in output


def test_long_lines_of_a_point_hang_under_their_name_on_a_terminal() -> None:
    """A pipe gets one line a fact; a terminal gets a column of names."""
    text = io.StringIO()
    console = Console(file=text, width=60, force_terminal=True, color_system=None, markup=False)
    print_details([vars(row(network_point("0.5"), measured(80.0, 0.9, breakdown=None)))], console)
    lines = text.getvalue().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("  latency "))
    assert lines[start + 1].startswith(" " * 16 + "1 call, 3 rounds")


def test_json_of_a_point_has_its_rows_only(tmp_path: Path) -> None:
    """With every column, the raw samples among them."""
    rows = resnet_rows([("0", 80.0, None, 400), ("0.5", 70.0, 0.9, 200)])
    (found,) = json.loads(shown(tmp_path, rows, "--json", "--point", rows[1].point_id))
    assert (found["alpha"], len(found["latency_ms_samples"])) == (0.5, 41)


def test_a_point_that_is_not_there_is_left_to_the_door(tmp_path: Path) -> None:
    """A usage error, which is exit code 2."""
    Store.create(tmp_path).append(resnet_rows([("0", 80.0, None, 400)]))
    with pytest.raises(UsageError, match="no row is called 'resnet51'"):
        show(tmp_path, point="resnet51")


def test_layers_are_named_by_their_shape(tmp_path: Path) -> None:
    """A layer's alphas differ at its two ends."""
    output = shown(
        tmp_path, [row(layer_point("0", "0.5", padding="same"), measured(1.0, 0.8, macs=5_000_000))]
    )
    assert "conv 64->64 k3 s1 psame" in output
    assert "0->0.5" in output
    assert "M/item" in output


def test_lines_fit_a_hundred_columns(tmp_path: Path) -> None:
    """The widest figures and words still fit."""
    rows = [
        row(network_point("0.125", batch=b), measured(1234.5, 1.0, macs=10**9, peak=10**9, spread=0.05))
        for b in (1, 128)
    ]
    rows.append(ended(network_point("0.5"), Status.OUT_OF_MEMORY))
    assert max(len(line) for line in shown(tmp_path, rows).splitlines()) <= 100


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    """No rows is no error."""
    assert shown(tmp_path, []) == "The store holds no rows yet.\n"
    assert json.loads(shown(tmp_path, [], "--json")) == []


def test_json_has_every_column_and_null_for_absent(tmp_path: Path) -> None:
    """A list of objects in the schema's order."""
    rows = [row(network_point("0.5"), measured(80.0, 0.9)), ended(network_point("0"), Status.FAILED, "boom")]
    first, second = json.loads(shown(tmp_path, rows, "--json"))
    assert list(first) == SCHEMA.names
    assert (first["verdict"], first["latency_samples"]) == ("FASTER", 41)
    assert (second["status"], second["reason"], second["macs"]) == ("failed", "boom", None)


def test_hostile_text_is_spelled_out(tmp_path: Path) -> None:
    """Escape sequences do not reach the terminal, markup is not obeyed, lines cannot be forged."""
    hostile = "\x1b[2J[bold red]gone[/]\nresnet50 FASTER \u202e :smile:"
    output = shown(tmp_path, [ended(network_point("0.5", network=hostile), Status.FAILED, hostile)])
    assert "\x1b" not in output
    assert r"\x1b[2J[bold red]gone[/]\nresnet50 FASTER \u202e :smile:" in output


def test_a_damaged_part_is_a_warning_and_the_rest_is_shown(tmp_path: Path) -> None:
    """The warning goes to standard error, so JSON stays JSON."""
    store = Store.create(tmp_path)
    store.append(resnet_rows([("0", 80.0, None, 400)]))
    (tmp_path / "parts" / "z.parquet").write_bytes(b"torn")
    result = CliRunner().invoke(APP, [str(tmp_path), "--json"])
    assert len(json.loads(result.stdout)) == 1
    assert "warning: " in result.stderr
    assert "z.parquet is damaged" in result.stderr


def test_no_store_is_left_to_the_door(tmp_path: Path) -> None:
    """The command raises; the entry point turns it into a line and an exit code."""
    with pytest.raises(StoreError, match="no such folder"):
        show(tmp_path / "nowhere")
