"""What a resumed store says of a sweep's points before anything is measured."""

from pathlib import Path

import pytest

from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, ended, measured, network_point, row
from octprobe.commands.resumed import resumption_lines
from octprobe.store.records import Status
from octprobe.store.store import Store

POINTS = [network_point(alpha) for alpha in ("0", "0.25", "0.5", "0.75")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give a store without rows."""
    return Store.create(tmp_path)


def lines(store: Store, *, fresh: bool = False, retry: frozenset[str] = frozenset()) -> list[str]:
    """Give what is said where the points are to be measured in the usual environment."""
    return resumption_lines(store, POINTS, ENVIRONMENT, fresh=fresh, retry=retry)


def test_a_new_store_has_nothing_to_say(store: Store) -> None:
    """Nor has one all of whose points were measured here."""
    assert lines(store) == []
    store.append([row(point, measured(1.0)) for point in POINTS])
    assert lines(store) == []


def test_points_that_stay_skipped_are_counted(store: Store) -> None:
    """By their last attempt, in this environment, among the points that are asked for."""
    store.append([ended(POINTS[1], Status.SKIPPED), row(POINTS[0], measured(1.0))])
    store.append([ended(network_point("0.5", "resnet18"), Status.SKIPPED)])
    one = "1 point was skipped by an earlier run; `--retry skipped` tries it again."
    assert lines(store) == [one]
    store.append([ended(POINTS[2], Status.SKIPPED), ended(POINTS[3], Status.FAILED)])
    assert lines(store) == ["2 points were skipped by an earlier run; `--retry skipped` tries them again."]
    store.append([row(POINTS[2], measured(1.0), attempt=2)])
    assert lines(store) == [one]


def test_what_is_tried_again_needs_no_word(store: Store) -> None:
    """All of it, or the skipped alone; another status is no matter."""
    store.append([ended(POINTS[1], Status.SKIPPED)])
    assert lines(store, fresh=True) == lines(store, retry=frozenset({"skipped"})) == []
    assert len(lines(store, retry=frozenset({"failed"}))) == 1


def test_another_environment_is_said_first_and_its_skipped_are_not_counted(store: Store) -> None:
    """They are tried here anyway."""
    store.append([row(POINTS[0], measured(1.0), OTHER_ENVIRONMENT), ended(POINTS[1], Status.SKIPPED)])
    store.append([ended(POINTS[2], Status.SKIPPED, environment=OTHER_ENVIRONMENT)])
    elsewhere, stays = lines(store)
    assert elsewhere.startswith("1 point was measured before under another environment (torch 2.10.0, now ")
    assert stays.startswith("1 point was skipped by an earlier run")
