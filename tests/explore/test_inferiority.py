"""Elastic against standalone: the bound, the pairs, and what both took."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from octprobe.errors import UsageError
from octprobe.explore.inferiority import compare_trainings, lower_bound
from octprobe.store.accuracy_run import AccuracyRun
from runs import run_that

Flags = npt.NDArray[np.bool_]


def run(right: list[int], **changed: Any) -> AccuracyRun:
    """Give a test row of one training."""
    usual = {"recipe_digest": "aaaa", "seconds": 10.0, "cpu_seconds": 20.0, "images_seen": 100}
    return run_that(right, **usual | changed)


def elastic(right: list[int], **changed: Any) -> AccuracyRun:
    """Give a test row of an elastic training."""
    return run(
        right,
        **{
            "kind": "elastic",
            "recipe_digest": "bbbb",
            "seconds": 12.0,
            "cpu_seconds": 20.0,
            "images_seen": 150,
        }
        | changed,
    )


def exact_quantile(worse: Flags, better: Flags, share: float) -> float:
    """Give the quantile of the mean difference over every resample of seeds and images, each as likely."""
    seeds, images = worse.shape
    differences = worse.astype(int) - better.astype(int)
    means = [
        float(np.mean([[differences[s, i] for i in chosen] for s in rows]))
        for rows in itertools.product(range(seeds), repeat=seeds)
        for chosen in itertools.product(range(images), repeat=images)
    ]
    return float(np.quantile(means, share))


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ([[1, 0, 0, 1]], [[1, 1, 1, 1]]),
        ([[1, 0, 0, 1], [1, 1, 1, 0]], [[1, 1, 1, 1], [0, 1, 1, 1]]),
        ([[0, 0, 1, 1], [1, 1, 1, 1]], [[1, 0, 0, 1], [0, 1, 1, 0]]),
    ],
)
def test_the_bound_is_that_of_all_resamples(worse: list[list[int]], better: list[list[int]]) -> None:
    """Means of so few images lie apart, so that the quantile over all resamples is met exactly."""
    one, other = np.array(worse, dtype=bool), np.array(better, dtype=bool)
    assert lower_bound(one, other) == pytest.approx(exact_quantile(one, other, 0.05))


def test_drawing_patterns_is_drawing_images() -> None:
    """Over 200 images the bound is that of a plain bootstrap with as many resamples, within its noise."""
    draws = np.random.default_rng(3)
    one, other = draws.random((3, 200)) < 0.85, draws.random((3, 200)) < 0.88
    differences = one.astype(int) - other.astype(int)
    rows, images = draws.integers(0, 3, (4000, 3)), draws.integers(0, 200, (4000, 200))
    means = [differences[r][:, i].mean() for r, i in zip(rows, images, strict=True)]
    assert lower_bound(one, other) == pytest.approx(float(np.quantile(means, 0.05)), abs=0.003)


ANSWERS = arrays.arrays(bool, (3, 40))


@settings(deadline=None, max_examples=40)
@given(ANSWERS, ANSWERS)
def test_the_bound_lies_below_the_difference(one: Flags, other: Flags) -> None:
    """Never above it, and within what images and seeds can make of it."""
    difference = float(one.mean() - other.mean())
    bound = lower_bound(one, other, resamples=2000)
    assert -1 <= bound <= difference + 0.02
    assert lower_bound(one, other, resamples=2000) == bound


@settings(deadline=None, max_examples=40)
@given(ANSWERS)
def test_equal_answers_are_not_inferior_at_all(one: Flags) -> None:
    """Nothing differs, so nothing is in doubt."""
    assert lower_bound(one, one) == 0.0


@settings(deadline=None, max_examples=20)
@given(ANSWERS, ANSWERS, st.permutations(range(40)), st.permutations(range(3)))
def test_the_order_of_images_and_seeds_says_nothing(
    one: Flags, other: Flags, images: list[int], seeds: list[int]
) -> None:
    """Only which answers belong together does."""
    moved = lower_bound(one[seeds][:, images], other[seeds][:, images], resamples=20_000)
    assert moved == pytest.approx(lower_bound(one, other, resamples=20_000), abs=0.02)


def test_more_seeds_that_agree_make_no_bound_sharper_than_images_do() -> None:
    """Three copies of a seed are one: images are drawn the same for all."""
    draws = np.random.default_rng(1)
    one, other = draws.random((1, 400)) < 0.8, draws.random((1, 400)) < 0.82
    thrice = lower_bound(np.repeat(one, 3, 0), np.repeat(other, 3, 0))
    assert thrice == pytest.approx(lower_bound(one, other), abs=0.003)


def test_a_false_claim_is_rare() -> None:
    """Where the elastic one is worse by just the margin, at most 1 of 12 tests call it non-inferior."""
    draws = np.random.default_rng(7)
    called = 0
    for _ in range(300):
        hard = draws.random(2000)
        alone = np.stack([draws.random(2000) * 0.2 + hard < 0.90] * 3)
        together = alone & (draws.random((1, 2000)) > 0.02)
        margin = 0.02 * 0.80
        called += lower_bound(together, alone, resamples=1000) > -margin
    assert called / 300 < 1 / 12


def test_shapes_must_agree() -> None:
    """One answer an image and seed on both sides."""
    with pytest.raises(ValueError, match="both need answers"):
        lower_bound(np.ones((1, 3), dtype=bool), np.ones((1, 4), dtype=bool))


def test_each_alpha_is_tested_over_its_pairs() -> None:
    """In the order of alpha, maps last; a seed without its pair, and validation, stay out."""
    good, bad = [1] * 40, [1] * 20 + [0] * 20
    map_text = '{"layer1": 0.5}'
    rows = [
        *(run(good, alpha=None, alpha_map=map_text), elastic(good, alpha=None, alpha_map=map_text)),
        *(run(good), run(good, seed=1), run(good, seed=2)),
        *(elastic(bad), elastic(good, seed=1)),
        *(run(good, alpha=0.0), elastic(good, alpha=0.0)),
        *(run(bad, split="validation", alpha=0.25), elastic(good, split="validation", alpha=0.25)),
        elastic(good, alpha=0.75),
    ]
    found = compare_trainings(rows).alphas
    assert [(each.alpha, each.seeds, each.images) for each in found] == [
        (0.0, 1, 40),
        (0.5, 2, 40),
        (None, 1, 40),
    ]
    assert [each.is_shown for each in found] == [True, False, True]
    half = found[1]
    assert (half.standalone_percent, half.elastic_percent, half.difference_points) == (100, 75, -25)
    assert half.lower_points < -25


def test_the_margin_decides() -> None:
    """One of a hundred wrong is 1 point; with its noise it is within 5, and not within 1."""
    rows = [run([1] * 100), elastic([1] * 99 + [0])]
    assert not compare_trainings(rows, margin_points=1).alphas[0].is_shown
    assert compare_trainings(rows, margin_points=5).alphas[0].is_shown


def test_the_price_counts_an_elastic_training_once() -> None:
    """It stands beside two alphas of each of two seeds: 2 x 12 s against 4 x 10 s."""
    rows = [
        make([1, 0, 1], alpha=alpha, seed=seed)
        for make in (run, elastic)
        for alpha in (0.0, 0.5)
        for seed in (0, 1)
    ]
    price = compare_trainings(rows).price
    assert (price.standalone_seconds, price.elastic_seconds) == (40, 24)
    assert (price.standalone_images, price.elastic_images) == (400, 300)
    assert price.share_of_seconds == 0.6
    assert price.share_of_cpu_seconds == 0.5
    assert compare_trainings([run([1], seconds=None), elastic([1])]).price.share_of_seconds is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([run([1])], "the store holds no elastic accuracies; `octprobe accuracy show` lists all"),
        ([elastic([1])], "the store holds no trained accuracies; `octprobe accuracy show` lists all"),
        (
            [run([1]), run([1], recipe_digest="cccc"), elastic([1])],
            "the store holds trained accuracies of 2 recipes; choose one with --standalone: aaaa, cccc",
        ),
        (
            [run([1]), elastic([1]), elastic([1], recipe_digest="cccc")],
            "the store holds elastic accuracies of 2 recipes; choose one with --elastic: bbbb, cccc",
        ),
        ([run([1]), elastic([1], seed=1)], "no alpha was trained both alone and elastic from the same seed"),
        (
            [make([1], dataset=name) for make in (run, elastic) for name in ("val-1", "val-2")],
            "both were trained on 2 networks or data sets: octprobe:resnet8 on val-1, 224 px; "
            "octprobe:resnet8 on val-2, 224 px; choose the data set with --dataset",
        ),
        (
            [make([1], network=name) for make in (run, elastic) for name in ("a", "b")],
            "both were trained on 2 networks or data sets: a on stripes, 224 px; b on stripes, 224 px; ",
        ),
    ],
)
def test_what_cannot_be_compared(rows: list[AccuracyRun], message: str) -> None:
    """One line with a way out."""
    with pytest.raises(UsageError) as caught:
        compare_trainings(rows)
    assert str(caught.value).startswith(message)


def test_a_recipe_is_chosen_by_its_digest() -> None:
    """Its beginning will do."""
    rows = [run([1]), run([0], recipe_digest="cccc"), elastic([1])]
    assert compare_trainings(rows, standalone="c").alphas[0].standalone_percent == 0
    with pytest.raises(UsageError, match="no trained accuracies of the recipe dddd"):
        compare_trainings(rows, standalone="dddd")


def test_a_data_set_is_chosen_by_its_name() -> None:
    """Of a recipe that was trained on several; one that both do not share bars nothing."""
    rows = [
        make(right, dataset=name)
        for name, right in (("val-1", [1, 1]), ("val-2", [1, 0]))
        for make in (run, elastic)
    ]
    (one,) = compare_trainings(rows, dataset="val-2").alphas
    assert (one.dataset, one.standalone_percent) == ("val-2", 50)
    (other,) = compare_trainings(rows[:3]).alphas
    assert other.dataset == "val-1"
    with pytest.raises(UsageError, match="the store holds no trained accuracies"):
        compare_trainings(rows, dataset="val")


@pytest.mark.parametrize("margin", [float("inf"), float("nan"), -0.5, 100.5])
def test_a_margin_is_a_number_of_points(margin: float) -> None:
    """With an infinite one everything would be non-inferior."""
    with pytest.raises(
        UsageError, match=r"^--margin \S+: is no number of points of top-1; give one from 0 to 100"
    ):
        compare_trainings([run([1]), elastic([1])], margin_points=margin)


@pytest.mark.parametrize(("seeds", "share"), [(1, 0.0), (2, 0.7071), (3, 0.8165), (5, 0.8944)])
def test_few_seeds_show_little_of_their_spread(seeds: int, share: float) -> None:
    """Draws from n values vary by (n - 1) / n of the variance that the values are from."""
    rows = [make([1, 0], seed=seed) for make in (run, elastic) for seed in range(seeds)]
    assert compare_trainings(rows).alphas[0].seen_of_spread == pytest.approx(share, abs=1e-4)
    values = np.random.default_rng(0).normal(size=(4000, seeds))
    assert np.sqrt(values.var(1).mean()) == pytest.approx(share, abs=0.02)


def test_what_a_later_look_at_a_checkpoint_took_is_no_training() -> None:
    """`octprobe accuracy at` keeps rows without a time; the training's own counts, whatever the alpha."""
    rows = [run([1], alpha=alpha) for alpha in (0.0, 0.75)]
    for own, other in ((0.0, 0.75), (0.75, 0.0)):
        later = elastic([1], alpha=other, seconds=None, cpu_seconds=None, images_seen=None)
        price = compare_trainings([*rows, elastic([1], alpha=own), later]).price
        assert (price.standalone_seconds, price.elastic_seconds, price.elastic_images) == (20, 12, 150)
