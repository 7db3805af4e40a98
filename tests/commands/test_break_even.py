"""`octprobe break-even`: the table of alphas, the sentences below it, and JSON."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakes_store import OTHER_ENVIRONMENT, ended, measured, network_point, output_over, resnet_rows, row
from octprobe.commands.break_even import break_even
from octprobe.errors import StoreError
from octprobe.plan.point import DesignPoint, NetworkSubject
from octprobe.store.records import Doubt, Status
from octprobe.store.store import Store
from octprobe.units import show_number

APP = typer.Typer()
APP.command()(break_even)

TIMES = [
    ("0", 80.0, None, 400),
    ("0.25", 84.0, 1.05, 300),
    ("0.5", 60.0, 0.75, 200),
    ("0.75", 64.0, 0.8, 100),
]


def test_the_table_of_a_small_store(tmp_path: Path) -> None:
    """Letter for letter, the realised saving's interval turned round."""
    rows = resnet_rows(TIMES[:3])
    ends = [f"[{show_number(r.time_ratio_ci_low)}, {show_number(r.time_ratio_ci_high)}]" for r in rows[1:]]
    half = rows[2]
    assert half.time_ratio_ci_low
    assert half.time_ratio_ci_high
    saved = (
        f"[{show_number((1 - half.time_ratio_ci_high) * 2)}, {show_number((1 - half.time_ratio_ci_low) * 2)}]"
    )
    lines = output_over(APP, tmp_path, rows).splitlines()
    assert lines[:5] == [
        "Fake CPU 3000, torch 2.9.0, 224 px, batch 1, float32, infer, contiguous, eager",
        "realised saving: the share of the MACs saved that became time; 1 is all of it, below 0 is time lost",
        "alpha       time           95 % CI  pairs  verdict        MACs  realised            95 % CI",
        "        /vanilla                           or status  /vanilla    saving",
        "resnet50",
    ]
    assert lines[5].split()[:2] == ["0.25", "1.050"]
    assert ends[0] in lines[5]
    assert lines[6] == f"  0.5       0.75  {ends[1]}     41  FASTER          0.5       0.5   {saved}"
    assert lines[7] == "    FASTER from alpha 0.5"
    assert lines[8].startswith("    - 0.25: it reads and writes 6.000 kB/item, 100 % of vanilla's")
    assert lines[-1] == "Some alpha is FASTER than vanilla in 1 of 1 cases."


def test_slower_again_lost_and_failed_alphas_are_said(tmp_path: Path) -> None:
    """Doubts and statuses stand below, each with its alpha."""
    rows = [
        *resnet_rows(TIMES),
        row(network_point("0.875"), measured(88.0, 1.1, macs=90, doubts=(Doubt.UNSTABLE,))),
        ended(network_point("1"), Status.CRASHED),
    ]
    output = output_over(APP, tmp_path, rows)
    assert (
        "FASTER from alpha 0.5, no longer at 0.875; 0.75 is slower again than 0.5; "
        "0.875 is slower again than 0.5\n" in output
    )
    assert "? 0.875: unstable\n" in output
    assert "? 1: status crashed\n" in output
    assert "crashed  " in output


def test_batches_and_environments_are_told_apart(tmp_path: Path) -> None:
    """The batch from which on it pays; each environment has its id."""
    rows = [*resnet_rows(TIMES[:2]), *resnet_rows(TIMES, batch=8)]
    output = output_over(APP, tmp_path / "a", rows)
    assert "Across batches\n  resnet50: pays from batch 8 on\n" in output
    assert "no alpha is FASTER than vanilla (SLOWER)" in output
    assert "resnet50, batch 8\n" in output
    several = [*rows, row(network_point("0.5"), measured(80.0, 0.9), OTHER_ENVIRONMENT)]
    output = output_over(APP, tmp_path / "b", several)
    assert f"torch 2.10.0, env {OTHER_ENVIRONMENT.env_id}\n" in output
    assert "Rows of 2 environments are not comparable: torch 2.9.0 / 2.10.0." in output


def test_json_is_one_object(tmp_path: Path) -> None:
    """Break-evens and batches."""
    found = json.loads(output_over(APP, tmp_path, resnet_rows(TIMES), "--json"))
    assert found["break_even"][0]["smallest"]["alpha"] == 0.5
    assert found["batches"] == []


def test_vanilla_alone_is_said(tmp_path: Path) -> None:
    """No finding, no error."""
    line = "No break-even: the store has no row at an alpha above 0.\n"
    vanilla = resnet_rows(TIMES[:1])
    assert output_over(APP, tmp_path / "a", vanilla) == line
    found = json.loads(output_over(APP, tmp_path / "b", vanilla, "--json"))
    assert found == {"break_even": [], "batches": []}


def test_alpha_maps_and_damaged_parts_are_named_on_standard_error(tmp_path: Path) -> None:
    """What is left out is counted; the rest is shown."""
    point = DesignPoint(subject=NetworkSubject(network="resnet50", alpha=(("layer1", Decimal("0.5")),)))
    Store.create(tmp_path).append([*resnet_rows(TIMES), row(point, measured(50.0, 0.6))])
    (tmp_path / "parts/broken.parquet").write_bytes(b"PAR1")
    result = CliRunner().invoke(APP, [str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["break_even"]) == 1
    assert "broken.parquet is damaged" in result.stderr
    assert "left out: 1 row with an alpha map, which has no order" in result.stderr


def test_text_from_a_store_is_inert(tmp_path: Path) -> None:
    """A network's name cannot move the cursor."""
    assert "\x1b" not in output_over(APP, tmp_path, resnet_rows(TIMES, network="res\x1b[2Jnet"))


def test_no_store_is_left_to_the_door(tmp_path: Path) -> None:
    """Exit code 2 there."""
    with pytest.raises(StoreError, match="no such folder"):
        break_even(tmp_path / "none", as_json=False)
