"""The overview of a store: counts, headline, where octave loses, and what was missed."""

from pathlib import Path

import pandas as pd

from demo_store import write_demo
from fakes_store import OTHER_ENVIRONMENT, ended, measured, network_point, row
from octprobe.explore.labels import LABEL_COLUMNS
from octprobe.report.missed import missed_table
from octprobe.report.overview import COLUMNS, Summary, findings, summarize
from octprobe.store.columns import read_columns
from octprobe.store.records import Status
from octprobe.store.store import Store


def frame_of(path: Path) -> pd.DataFrame:
    return read_columns(path, (*LABEL_COLUMNS, *COLUMNS)).frame


def summary_of(path: Path) -> Summary:
    return summarize(frame_of(path), "results/here")


def test_everything_is_counted(tmp_path: Path) -> None:
    """The coverage adds up to the points, network by network and status by status."""
    found = summary_of(write_demo(tmp_path))
    assert found.points == 45
    assert dict(found.statuses) == {"measured": 42, "crashed": 1, "skipped": 1, "out_of_memory": 1}
    places = {name: place for place, name in enumerate(found.coverage.head)}
    assert sum(line[places["points"]] for line in found.coverage.rows) == 45
    assert [line[0] for line in found.coverage.rows] == ["resnet101", "resnet26", "resnet50", "single layers"]
    crashed = {line[0]: line[places["crashed, points"]] for line in found.coverage.rows}
    assert crashed == {"resnet101": 1, "resnet26": 0, "resnet50": 0, "single layers": 0}
    by_word = frame_of(tmp_path).query("status == 'measured'")["verdict"].value_counts()
    assert found.verdicts == {word: by_word.get(word, 0) for word in found.verdicts}


def test_the_slowest_come_first(tmp_path: Path) -> None:
    """Of those that are shown to be slower, the ten worst."""
    found = summary_of(write_demo(tmp_path))
    ratios = [line[1] for line in found.losing.rows]
    assert ratios == sorted(ratios, reverse=True)
    slower = frame_of(tmp_path).query("verdict == 'SLOWER'")["time_ratio_median"]
    assert ratios == sorted(slower, reverse=True)[:10]


def test_each_environment_has_its_headline(tmp_path: Path) -> None:
    """The best that is FASTER, else the best there is, else that nothing can be said."""
    store = Store.create(tmp_path)
    store.append([row(network_point("0"), measured(90.0)), row(network_point("0.5"), measured(70.0, 0.8))])
    store.append([row(network_point("0"), measured(80.0), minutes=1, environment=OTHER_ENVIRONMENT)])
    headlines = summary_of(tmp_path).headlines
    assert len(headlines) == 2
    assert "alpha 0.5 is the fastest" in headlines[0]
    assert "nothing can be said of alpha yet" in headlines[1]


def test_what_was_missed_has_its_command(tmp_path: Path) -> None:
    """The sweep's kept file, the store and the status, quoted for a shell."""
    store = Store.create(tmp_path)
    store.append(
        [row(network_point("0"), measured(90.0)), ended(network_point("0.5"), Status.CRASHED, "signal 9")]
    )
    found = summarize(frame_of(tmp_path), "results/my run")
    (missed,) = found.missed
    assert (missed.place, missed.status, missed.reason, found.missed_points) == (1, "crashed", "signal 9", 1)
    file = "'results/my run/specs/0123456789abcdef.yaml'"
    assert missed.retry == f"octprobe sweep {file} --store 'results/my run' --retry crashed"
    assert missed_table(found.missed).rows == ((missed.label, "crashed", "signal 9"),)


def test_findings_are_one_a_group(tmp_path: Path) -> None:
    """As the report has them."""
    fastest, even = findings(frame_of(write_demo(tmp_path)))
    assert len(fastest.rows) >= 5
    assert len(even.rows) >= len(fastest.rows)
