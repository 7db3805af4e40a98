"""Rounds of adjacent pairs in seeded random order."""

import random
from collections import Counter
from itertools import pairwise

from octprobe.measure.schedule import Visit, plan_round


def test_each_subject_gets_the_visits_it_wants_beside_the_anchor() -> None:
    """Counts are kept, and every visit of another subject has the anchor for neighbour."""
    visits = plan_round({"a": 10, "b": 20, "v": 5}, "v", random.Random(1))
    assert Counter(visit.subject for visit in visits) == {"a": 10, "b": 20, "v": 5}
    assert all(visit.neighbour == (None if visit.subject == "v" else "v") for visit in visits)


def test_both_orders_of_a_pair_occur_about_equally() -> None:
    """A random half of the pairs begin with the anchor."""
    visits = plan_round({"a": 2000}, "v", random.Random(2))
    assert 900 < sum(visit.neighbour_first for visit in visits) < 1100
    assert {visit.order for visit in visits} == {("a", "v"), ("v", "a")}


def test_the_seed_decides_the_order() -> None:
    """The same seed gives the same round, another seed another."""
    counts = {"a": 10, "b": 10}
    assert plan_round(counts, "v", random.Random(3)) == plan_round(counts, "v", random.Random(3))
    assert plan_round(counts, "v", random.Random(3)) != plan_round(counts, "v", random.Random(4))


def test_subjects_are_interleaved_not_run_one_after_another() -> None:
    """In a round of 20 + 20 visits the subject changes far more often than once."""
    visits = plan_round({"a": 20, "b": 20}, "v", random.Random(5))
    changes = sum(one.subject != other.subject for one, other in pairwise(visits))
    assert changes > 10


def test_without_an_anchor_subjects_are_timed_alone() -> None:
    """An anchor that failed leaves the others without pairs, not without samples."""
    assert plan_round({"a": 2}, None, random.Random(6)) == [Visit("a"), Visit("a")]
    assert Visit("a").order == ("a",)
