"""`octprobe accuracy show` and `inferior`: what a store says of its trainings."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from octprobe.commands.accuracy import accuracy
from octprobe.errors import StoreError, UsageError
from octprobe.store.accuracy_runs import append_runs
from runs import run_of


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a store of standalone and elastic trainings at two alphas, of two seeds, and one that diverged."""
    rows = [
        run_of(right, alpha=alpha, seed=seed, **more)
        for alpha, right in ((0.0, 900), (0.5, 890))
        for seed in (0, 1)
        for more in ({}, {"kind": "elastic", "recipe_digest": "ee", "seconds": 90.0})
    ]
    rows.append(run_of(800, alpha=0.0, split="validation"))
    lost = {"status": "diverged", "reason": "the loss became nan in epoch 2", "correct": None}
    rows.append(run_of(0, alpha=0.75, **lost))
    rows.append(run_of(0, alpha=None, alpha_map='{"layer1": 0.5}', **lost | {"status": "failed"}))
    append_runs(tmp_path, rows)
    return tmp_path


def printed(*arguments: str) -> str:
    """Run the command and give its standard output."""
    result = CliRunner().invoke(accuracy, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_table(store: Path) -> None:
    """A block a family, with intervals and what a training took; what was lost is told with its reason."""
    lines = printed("show", str(store)).splitlines()
    assert lines[0].split()[:6] == ["alpha", "kind", "top-1", "95", "%", "CI"]
    assert lines[2] == "elastic ee stripes: octprobe:resnet8, 224 px"
    assert lines[3].split()[:3] == ["0", "elastic", "90.00"]
    assert lines[4].split()[:6] == ["0.5", "elastic", "89.00", "[87.06,", "90.94]", "-1.00"]
    assert lines[4].split()[6:] == ["99.00", "2", "1000", "7.000", "1", "min", "30", "s", "50000"]
    assert lines[5] == "trained 01234567 stripes: octprobe:resnet8, 224 px"
    assert lines[8:10] == [
        "trained octprobe:resnet8 alpha 0.75, seed 0: diverged: the loss became nan in epoch 2",
        'trained octprobe:resnet8 alpha {"layer1": 0.5}, seed 0: failed: the loss became nan in epoch 2',
    ]
    assert lines[10].startswith("test images; the interval is over seeds and images")


def test_validation(store: Path) -> None:
    """The images by which choices are made, on request."""
    lines = printed("show", str(store), "--split", "validation").splitlines()
    assert lines[3].split()[:3] == ["0", "trained", "80.00"]
    assert lines[-1].startswith("validation images;")


def test_json_has_a_row_a_seed_and_split(store: Path) -> None:
    """Without the bits of the answers."""
    rows = json.loads(printed("show", str(store), "--json"))
    assert len(rows) == 11
    assert "correct" not in rows[0]
    assert (rows[0]["alpha"], rows[0]["top1_percent"], rows[0]["loss"]) == (0.0, 90.0, None)


def test_the_test_of_inferiority(store: Path) -> None:
    """Equal answers are non-inferior; the time of both is told."""
    lines = printed("inferior", str(store)).splitlines()
    assert lines[2] == "octprobe:resnet8 on stripes"
    assert lines[-2] == (
        "At least: the one-sided 95 % bound on test images, by a paired bootstrap over images and seeds; "
        "drawn from 2 seeds it sees 0.71 of the spread between trainings; non-inferior above -0.5 points."
    )
    assert lines[3].split() == ["0", "90.00", "90.00", "+0.00", "+0.00", "2", "1000", "non-inferior"]
    assert lines[-1] == (
        "Time: elastic 3 min 00 s, alone 5 min 00 s (0.60 of it); of processors 2 min 30 s and 5 min 00 s "
        "(0.50 of it); images seen: 100,000 and 200,000."
    )


def test_inferior_as_json(store: Path) -> None:
    """With the bound and whether it is shown; a margin of 0 is shown by nothing but a gain."""
    found = json.loads(printed("inferior", str(store), "--json", "--margin", "0"))
    assert [each["is_shown"] for each in found["alphas"]] == [False, False]
    assert found["price"]["elastic_seconds"] == 180
    assert [round(each["seen_of_spread"], 4) for each in found["alphas"]] == [0.7071, 0.7071]


def test_one_seed_says_nothing_of_another(tmp_path: Path) -> None:
    """Nor does a training that does not say what it took."""
    append_runs(
        tmp_path,
        [run_of(900, images_seen=None, seconds=None), run_of(900, kind="elastic", recipe_digest="ee")],
    )
    lines = printed("inferior", str(tmp_path)).splitlines()
    assert (
        "by a paired bootstrap over images; one seed says nothing of how far another would lie" in lines[-2]
    )
    assert lines[-1].startswith("Time: elastic 1 min 15 s, alone - (the share is not known); ")
    assert lines[-1].endswith("images seen: 50,000 and -.")


def test_a_margin_without_end_is_refused(store: Path) -> None:
    """By option and value."""
    with pytest.raises(UsageError, match=r"^--margin inf: is no number of points"):
        printed("inferior", str(store), "--margin", "inf")


def test_a_store_without_accuracies(tmp_path: Path) -> None:
    """One line with a way out."""
    for command in ("show", "inferior"):
        with pytest.raises(StoreError, match="holds no accuracies; `octprobe accuracy train FILE"):
            printed(command, str(tmp_path))
    append_runs(tmp_path, [run_of(1)])
    with pytest.raises(UsageError, match="the store holds no elastic accuracies"):
        printed("inferior", str(tmp_path))
