"""The fastest alpha: by the paired ratio, never claimed where the verdict does not carry it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes_store import OTHER_ENVIRONMENT, ended, layer_point, measured, network_point, resnet_rows, row
from octprobe.explore.fastest import Fastest, fastest_alphas
from octprobe.explore.find import find_rows
from octprobe.plan.variant import Variant
from octprobe.store.query import load_frame
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store


def findings(tmp_path: Path, rows: Sequence[Row]) -> list[Fastest]:
    """Take rows through a store and find the fastest alphas."""
    Store.create(tmp_path).append(rows)
    return fastest_alphas(load_frame(tmp_path))


def test_the_smallest_ratio_wins_not_the_smallest_median(tmp_path: Path) -> None:
    """The machine drifted between points: raw medians say 0.25, the pairs say 0.5."""
    times = [("0", 100.0, None, 400), ("0.25", 70.0, 0.9, 300), ("0.5", 90.0, 0.7, 200)]
    found = findings(tmp_path, resnet_rows(times))[0]
    assert (found.subject, found.alpha, found.verdict) == ("resnet50", "alpha 0.5", "FASTER")
    assert found.beats_vanilla
    assert found.latency is not None
    assert found.time_ratio is not None
    assert (found.latency.median, found.latency.count) == (90.0, 41)
    assert (found.time_ratio.median, found.time_ratio.count) == (0.7, 41)
    assert found.macs_share == 0.5
    assert found.sentence() == (
        f"alpha 0.5 is the fastest: {found.time_ratio} of vanilla's time (41 pairs) "
        "at 50 % of its MACs, FASTER"
    )


def test_a_variant_is_not_taken_for_the_usual_network(tmp_path: Path) -> None:
    """The one that is fastest is named with what is unusual of it, and found again by that name."""
    exchanged, none = network_point("0.5"), network_point("0.5", variant=Variant(exchange="none"))
    rows = [
        row(network_point("0"), measured(100.0)),
        row(exchanged, measured(90.0, 0.9)),
        row(none, measured(80.0, 0.8)),
    ]
    (found,) = findings(tmp_path, rows)
    assert found.alpha == "alpha 0.5 exchange none"
    assert found.record is not None
    assert found.record["point_id"] == none.point_id
    named = find_rows([vars(each) for each in rows], "resnet50 alpha 0.5 exchange none, batch 1")
    assert [each["point_id"] for each in named] == [none.point_id]


def test_no_alpha_beats_vanilla(tmp_path: Path) -> None:
    """The best of the slower is named with its verdict."""
    times = [("0", 100.0, None, 400), ("0.25", 120.0, 1.2, 300), ("0.5", 105.0, 1.05, 200)]
    found = findings(tmp_path, resnet_rows(times))[0]
    assert not found.beats_vanilla
    assert found.sentence().startswith("no alpha beats vanilla: the best, alpha 0.5, takes 1.05")
    assert found.sentence().endswith("SLOWER")


def test_the_same_time_does_not_beat_vanilla(tmp_path: Path) -> None:
    """SAME is not FASTER, even below 1."""
    rows = [
        row(network_point("0"), measured(100.0)),
        row(network_point("0.5"), measured(99.9, 0.999, spread=0.001)),
    ]
    found = findings(tmp_path, rows)[0]
    assert found.verdict == "SAME"
    assert found.sentence().startswith("no alpha beats vanilla: the best, alpha 0.5")


def test_ambiguous_is_said_plainly(tmp_path: Path) -> None:
    """Nothing is claimed from an interval that spans the band."""
    rows = [
        row(network_point("0"), measured(100.0)),
        row(network_point("0.5"), measured(97.0, 0.97, spread=0.2)),
    ]
    found = findings(tmp_path, rows)[0]
    assert found.verdict == "AMBIGUOUS"
    assert found.sentence().startswith("no alpha is shown to beat vanilla: alpha 0.5 takes 0.97")
    assert found.sentence().endswith("AMBIGUOUS; measure longer to decide")


def test_what_is_shown_comes_before_what_is_likely(tmp_path: Path) -> None:
    """A FASTER alpha is not displaced by an ambiguous one, which is named beside it."""
    rows = [
        row(network_point("0"), measured(100.0, macs=400)),
        row(network_point("0.25"), measured(90.0, 0.9, macs=300)),
        row(network_point("0.5"), measured(85.0, 0.85, macs=200, spread=0.9)),
    ]
    found = findings(tmp_path, rows)[0]
    assert (found.alpha, found.perhaps_faster) == ("alpha 0.25", ("alpha 0.5",))
    assert found.sentence().endswith("; perhaps faster still, but ambiguous: alpha 0.5")


def test_each_network_and_condition_has_its_own(tmp_path: Path) -> None:
    """Networks, batches, memory formats, environments and layers are compared with their own vanilla."""
    rows = [
        *resnet_rows([("0", 100.0, None, 400), ("0.5", 90.0, 0.9, 200)], batch=8),
        *resnet_rows([("0", 10.0, None, 400), ("0.5", 11.0, 1.1, 200)], batch=1),
        *resnet_rows([("0", 9.0, None, 400)], batch=1, memory_format="channels_last"),
        *resnet_rows([("0", 5.0, None, 200), ("0.5", 4.0, 0.8, 100)], network="resnet26", batch=1),
        row(network_point("0.5", batch=1), measured(5.0, 0.5), OTHER_ENVIRONMENT),
        row(layer_point("0", "0"), measured(1.0)),
        row(layer_point("0.25", "0.5"), measured(1.0, 0.7)),
    ]
    found = {
        (f.subject, f.conditions["batch"], f.conditions["memory_format"], f.conditions["env_id"][:2]): f
        for f in findings(tmp_path, rows)
    }
    assert len(found) == 6
    layers = [f for f in found.values() if f.subject.startswith("conv")]
    assert [(f.subject, f.alpha) for f in layers] == [("conv 64->64 k3 s1 p1", "alpha 0.25->0.5")]


def test_a_group_of_vanilla_alone_has_nothing_to_compare(tmp_path: Path) -> None:
    """The reason is given."""
    found = findings(tmp_path, resnet_rows([("0", 100.0, None, 400)]))[0]
    assert found.alpha is None
    assert found.sentence() == "nothing to compare with vanilla: only vanilla has a row"


def test_a_group_without_a_measured_alpha_says_how_they_ended(tmp_path: Path) -> None:
    """Failures are not hidden behind a missing answer."""
    rows = [*resnet_rows([("0", 100.0, None, 400)]), ended(network_point("0.5"), Status.TIMED_OUT)]
    found = findings(tmp_path, rows)[0]
    assert found.sentence() == (
        "nothing to compare with vanilla: no octave point has a time ratio (status timed_out)"
    )


def test_doubts_travel_with_the_answer(tmp_path: Path) -> None:
    """A doubted winner says so."""
    rows = [row(network_point("0.5"), measured(90.0, 0.9, doubts=(Doubt.THROTTLED,)))]
    found = findings(tmp_path, rows)[0]
    assert found.doubts == ("throttled",)
    assert found.macs_share is None


@pytest.mark.parametrize("count", [3, 9])
def test_too_few_pairs_show_no_interval(tmp_path: Path, count: int) -> None:
    """No interval is invented."""
    found = findings(tmp_path, [row(network_point("0.5"), measured(50.0, 0.5, count=count))])[0]
    assert str(found.time_ratio) == "0.5"
    assert found.verdict == "AMBIGUOUS"


def test_an_interrupted_row_makes_no_claim(tmp_path: Path) -> None:
    """Samples of a round that was cut short are kept, and not compared."""
    rows = [
        row(network_point("0"), measured(100.0)),
        row(network_point("0.5"), measured(50.0, 0.5, status=Status.INTERRUPTED)),
    ]
    found = findings(tmp_path, rows)[0]
    assert found.alpha is None
    assert not found.beats_vanilla
