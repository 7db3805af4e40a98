"""A store's own accuracies beside its rows: front, recommendation, report and query use them."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes_store import measured, network_point, row
from octprobe.commands.main import app
from octprobe.errors import UsageError
from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.dominance.standings import Standing
from octprobe.explore.known_accuracies import every_accuracy, known_accuracies
from octprobe.explore.objectives import objective
from octprobe.explore.store_front import store_front
from octprobe.facts.published import published_accuracies
from octprobe.figures.front import info, plot
from octprobe.store.accuracy import PUBLISHED, Accuracy
from octprobe.store.accuracy_run import Split
from octprobe.store.accuracy_runs import append_runs
from octprobe.store.query import load_frame
from octprobe.store.store import Store
from runs import run_of

NETWORK = "octprobe:resnet8"
TRAINED, ELASTIC = "trained 01234567 stripes", "elastic 89abcdef stripes"


@pytest.fixture
def validated(store: Path) -> Path:
    """Give the store with validation images of what was trained alone, and an alpha without any."""
    runs = [
        run_of(right, 500, alpha=alpha, seed=seed, split="validation")
        for alpha, right in ((0.0, 455), (0.5, 450))
        for seed in (0, 1)
    ]
    append_runs(store, [*runs, run_of(800, alpha=0.25)])
    return store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a store of three alphas with times, two of them trained from two seeds, all of them elastic."""
    times = {"0": 8.0, "0.25": 6.0, "0.5": 4.0}
    rows = [row(network_point(alpha, NETWORK), measured(ms)) for alpha, ms in times.items()]
    Store.create(tmp_path).append([*rows, row(network_point("0.5", "resnet50"), measured(50.0))])
    runs = [run_of(right, alpha=alpha, seed=s) for alpha, right in ((0.0, 900), (0.5, 894)) for s in (0, 1)]
    runs += [
        run_of(right, alpha=alpha, kind="elastic", recipe_digest="89abcdef")
        for alpha, right in ((0.0, 880), (0.25, 870), (0.5, 700))
    ]
    append_runs(tmp_path, runs)
    return tmp_path


def points(store: Path, family: str | None = None) -> list[tuple[object, ...]]:
    """Give every point of the front of latency and top-1."""
    fronts = store_front(store, ["latency", "top1"], accuracy_from=family).info.fronts
    return [
        (front.given["accuracy_family"], point.record["alpha"], *point.values, point.standing)
        for front in fronts
        for point in front.points
    ]


def test_published_and_own(store: Path) -> None:
    """Own ones come after the published; a damaged part is told."""
    known = known_accuracies(store)
    published = len(published_accuracies())
    assert known.accuracies[:published] == published_accuracies()
    assert [each.source_family for each in known.accuracies[published:]] == [TRAINED] * 2 + [ELASTIC] * 3
    (store / "accuracy" / "x.parquet").write_bytes(b"")
    assert len(known_accuracies(store).damaged) == len(every_accuracy(store).damaged) == 1


def of_stripes(accuracies: Iterable[Accuracy]) -> list[tuple[object, ...]]:
    """Give what own accuracies are of, and their figures."""
    return [
        (each.source_family, each.alpha, each.split, each.top1_percent, each.test_top1_percent)
        for each in accuracies
        if each.kind != PUBLISHED
    ]


def test_a_family_is_chosen_among_by_its_validation_images(validated: Path) -> None:
    """Its test images stand beside; an alpha that was asked about them alone is no choice of it."""
    assert of_stripes(known_accuracies(validated).accuracies) == [
        *((TRAINED, 0.0, "validation", 91.0, 90.0), (TRAINED, 0.5, "validation", 90.0, 89.4)),
        *((ELASTIC, 0.0, "test", 88.0, 88.0), (ELASTIC, 0.25, "test", 87.0, 87.0)),
        (ELASTIC, 0.5, "test", 70.0, 70.0),
    ]
    assert {each[2] for each in of_stripes(known_accuracies(validated, Split.TEST).accuracies)} == {"test"}
    assert len(of_stripes(known_accuracies(validated, Split.TEST).accuracies)) == 6
    assert len(of_stripes(every_accuracy(validated).accuracies)) == 2 + 6


def test_no_front_mixes_splits(validated: Path) -> None:
    """Each has its own, and its points carry what is reported of them."""
    fronts = store_front(validated, ["latency", "top1"]).info.fronts
    splits = {front.given["accuracy_family"]: front.given["accuracy_split"] for front in fronts}
    assert (splits[TRAINED], splits[ELASTIC], splits["authors"]) == ("validation", "test", None)
    (front,) = (front for front in fronts if front.given["accuracy_family"] == TRAINED)
    assert [(point.y, point.record["test_top1_percent"]) for point in front.points] == [
        (90.0, 89.4),
        (91.0, 90.0),
    ]
    (tested,) = store_front(
        validated, ["latency", "top1"], accuracy_from=TRAINED, split=Split.TEST
    ).info.fronts
    assert {point.record["alpha"]: point.y for point in tested.points} == {0.0: 90.0, 0.25: 80.0, 0.5: 89.4}


def test_a_figure_tells_test_beside_validation(validated: Path) -> None:
    """Where a person points at a dot."""
    frame = with_accuracies(load_frame(validated), known_accuracies(validated).accuracies, TRAINED)
    (line,) = info(frame, "latency", "top1").lines
    assert [dot.source for dot in line.dots] == [
        "this store, 2 seeds, validation images, exact, 89.40 % on test images",
        "this store, 2 seeds, validation images, exact, 90.00 % on test images",
    ]


def test_the_front_shows_test_beside_validation(validated: Path) -> None:
    """As a column of its own, and in JSON; by test images on request."""
    asked = ("front", str(validated), "--y", "top1", "--accuracy-from", TRAINED)
    text = output(*asked)
    assert "stripes, trained 01234567 stripes, validation" in text
    assert "test top1" in text
    (line,) = (line for line in text.splitlines() if "alpha 0.5" in line)
    assert line.split()[-4:] == ["92.64]", "2", "89.40", "-"]
    rows = json.loads(output(*asked, "--json"))
    assert [(row["top1_percent"], row["test_top1_percent"], row["accuracy_split"]) for row in rows] == [
        (90.0, 89.4, "validation"),
        (91.0, 90.0, "validation"),
    ]
    tested = output(*asked, "--split", "test")
    assert "stripes, trained 01234567 stripes, test" in tested
    assert "test top1" not in tested


def test_a_recommendation_says_by_which_images(validated: Path) -> None:
    """By validation with test beside, which bars nothing; by test with a caveat."""
    asked = ["recommend", str(validated), "--minimize", "latency", "--min", "top1=89.5"]
    asked += ["--accuracy-from", TRAINED]
    text = output(*asked)
    assert (
        "Accuracy: on validation images, by which choices are made; its top-1 on test images is 89.40 %"
        in text
    )
    advice = json.loads(output(*asked, "--json"))
    assert (advice["choice"]["alpha"], advice["choice"]["figures"]["top1"]["value"]) == (0.5, 90.0)
    assert (advice["choice"]["accuracy_split"], advice["choice"]["test_top1_percent"]) == ("validation", 89.4)
    assert advice["request"]["split"] == "validation"
    tested = json.loads(output(*asked, "--split", "test", "--json"))
    assert (tested["choice"]["alpha"], tested["choice"]["figures"]["top1"]["value"]) == (0.0, 90.0)
    codes = [[each["code"] for each in found["caveats"]] for found in (advice, tested)]
    assert ["chosen_by_test" in each for each in codes] == [False, True]


def test_families_have_a_front_each(store: Path) -> None:
    """Own networks meet by their own name; alpha 0.25 was not trained alone, so it has one place only."""
    found = points(store)
    assert (TRAINED, 0.5, 4.0, 89.4, Standing.ON_FRONT) in found
    assert {(each[0], each[1]) for each in found if str(each[0]) in (TRAINED, ELASTIC)} == {
        (TRAINED, 0.0),
        (TRAINED, 0.5),
        *((ELASTIC, alpha) for alpha in (0.0, 0.25, 0.5)),
    }
    assert any(each[0] == "authors" for each in found)


def test_a_family_is_chosen(store: Path) -> None:
    """By name; an unknown one lists those there are."""
    assert {each[0] for each in points(store, ELASTIC)} == {ELASTIC}
    with pytest.raises(
        UsageError, match=r"no accuracy is of the family 'nobody'; there are: .*elastic 89abcdef"
    ):
        points(store, "nobody")


def test_the_interval_tells_noise(tmp_path: Path) -> None:
    """A slower point whose accuracy may well be as good is within noise, not dominated."""
    Store.create(tmp_path).append(
        [row(network_point(alpha, NETWORK), measured(ms)) for alpha, ms in (("0", 8.0), ("0.5", 4.0))]
    )
    append_runs(tmp_path, [run_of(890, alpha=0.0), run_of(892, alpha=0.5)])
    assert {each[1]: each[4] for each in points(tmp_path)} == {
        0.5: Standing.ON_FRONT,
        0.0: Standing.WITHIN_NOISE,
    }
    assert objective("top1").interval == ("top1_ci_low_percent", "top1_ci_high_percent")


def test_the_figure_has_the_source_and_its_interval(store: Path) -> None:
    """Own points are measured, and the axis says what their bars are."""
    frame = with_accuracies(load_frame(store), known_accuracies(store).accuracies, TRAINED)
    shown = info(frame, "latency", "top1")
    (line,) = shown.lines
    assert [dot.source for dot in line.dots] == ["this store, 2 seeds, test images, exact"] * 2
    assert all(dot.point.y_ends is not None for dot in line.dots)
    assert plot(shown).layout.yaxis.title.text == "top-1 accuracy, % (mean, 95 % CI)"


def output(*arguments: str) -> str:
    """Run a command of the desk."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_front_command(store: Path) -> None:
    """JSON carries family, interval and seeds."""
    text = output("front", str(store), "--y", "top1", "--accuracy-from", TRAINED, "--json")
    first = json.loads(text)[0]
    assert (first["top1_percent"], first["seeds"], first["accuracy_kind"]) == (89.4, 2, "trained")
    assert first["top1_ci_low_percent"] < 89.4 < first["top1_ci_high_percent"]
    assert "top1" in output("front", str(store), "--y", "top1")


def test_recommend_takes_own_accuracies(store: Path) -> None:
    """The family that covers most; a budget of 85 % leaves the fastest that has it."""
    options = ["--minimize", "latency", "--min", "top1=85", "--json"]
    elastic = json.loads(output("recommend", str(store), *options))
    assert (elastic["choice"]["alpha"], elastic["choice"]["accuracy_family"]) == (0.25, ELASTIC)
    trained = json.loads(output("recommend", str(store), *options, "--accuracy-from", TRAINED))
    figure = trained["choice"]["figures"]["top1"]
    assert (trained["choice"]["alpha"], figure["value"], figure["n"], figure["source"]) == (
        0.5,
        89.4,
        2,
        "trained",
    )
    assert figure["ci_low"] < 89.4 < figure["ci_high"]


def test_query_sees_both_splits(validated: Path) -> None:
    """A row each."""
    text = output(
        "query",
        str(validated),
        "SELECT split, alpha, images, top1_percent, test_top1_percent FROM accuracies "
        "WHERE kind = 'trained' AND alpha = 0.5 ORDER BY split",
        "--json",
    )
    assert [tuple(row.values()) for row in json.loads(text)] == [
        ("test", 0.5, 1000, 89.4, 89.4),
        ("validation", 0.5, 500, 90.0, 89.4),
    ]


def test_query_sees_them(store: Path) -> None:
    """In the view `accuracies`."""
    text = output(
        "query",
        str(store),
        "SELECT alpha, seeds FROM accuracies WHERE kind = 'trained' ORDER BY alpha",
        "--json",
    )
    assert json.loads(text) == [{"alpha": 0.0, "seeds": 2}, {"alpha": 0.5, "seeds": 2}]


def test_the_report_draws_them(store: Path, tmp_path: Path) -> None:
    """Its front has the families of the store."""
    page = tmp_path / "r.html"
    output("report", str(store), "-o", str(page))
    assert TRAINED in page.read_text(encoding="utf-8")
