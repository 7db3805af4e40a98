"""`octprobe show`: every row, its doubts and its failures; JSON a strict parser reads."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakes_store import (
    OTHER_ENVIRONMENT,
    ended,
    layer_point,
    measured,
    network_point,
    output_over,
    resnet_rows,
    row,
)
from octprobe.commands.show import show
from octprobe.errors import StoreError
from octprobe.store.records import Doubt, Status
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
    """Two versions of torch are two blocks, told apart by name and id."""
    point = network_point("0.5")
    output = shown(tmp_path, [row(point, measured(80.0)), row(point, measured(70.0), OTHER_ENVIRONMENT)])
    assert "torch 2.9.0, env " in output
    assert "torch 2.10.0, env " in output


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
