"""Every page bears every kind of store, and says what it is for."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from demo_store import write_demo
from fakes_store import OTHER_ENVIRONMENT, measured, network_point, row
from octprobe.store.store import Store
from pages_of_app import PAGES, opened, shown
from stores_of_app import HOSTILE, KINDS, filled, two_environments

# What a page says of a store as a sweep leaves it.
WORDS = {
    "overview": ("at 30 % of its MACs, FASTER", "Where OctConv loses", "signal 9", "--retry crashed"),
    "front": ("Top-1 accuracy against latency", "on the front", "pre-activation twin"),
    "choose": ("Recommendation", "What binds", "Runner-up", "octavize(network, 0.75"),
    "layers": ("Speed-up of a layer over channels and resolution", "128 → 128, 3×3", "Blue is faster"),
    "why": ("Reasons", "the path high to low takes", "layer1.0.conv1", "h2l, ms/call"),
    "compare": ("fewer than two environments",),
    "rows": ("45 rows", "latency_ms_median, ms/call", "batch, items"),
}


@pytest.fixture
def demo(tmp_path: Path) -> str:
    """Give a store as a sweep leaves it."""
    return str(write_demo(tmp_path / "store"))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_bears_a_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: str, kind: str) -> None:
    """No exception, and something is said."""
    app = opened(monkeypatch, str(KINDS[kind](tmp_path / "store")), page=page)
    assert app.title[0].value == f"octprobe: {page.capitalize()}"
    said = shown(app)
    assert len(said) > 60
    if kind == "empty":
        assert "no rows yet" in said
        assert "octprobe sweep sweeps/quickstart.yaml --store" in said


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_its_question(monkeypatch: pytest.MonkeyPatch, demo: str, page: str) -> None:
    """The key words of a real store are there."""
    said = shown(opened(monkeypatch, demo, page=page))
    assert [word for word in WORDS[page] if word not in said] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_has_its_table(monkeypatch: pytest.MonkeyPatch, demo: str, page: str) -> None:
    """An expander with a table follows each chart."""
    app = opened(monkeypatch, demo, page=page)
    charts = app.get("plotly_chart")
    tables = [one for one in app.expander if one.label.endswith(": the table")]
    assert len(tables) == len(charts)
    assert all(len(one.dataframe) == 1 for one in tables)


@pytest.mark.parametrize("page", PAGES)
def test_text_of_a_store_is_never_markup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: str) -> None:
    """Names, reasons and logs stay out of every element that reads Markdown or HTML."""
    app = opened(monkeypatch, str(KINDS["hostile"](tmp_path / "store")), page=page)
    kinds = ("markdown", "caption", "info", "warning", "subheader", "title", "metric", "expander", "html")
    for kind in kinds:
        for element in app.get(kind):
            told = f"{getattr(element, 'label', '')} {getattr(element, 'value', '')}"
            assert "script" not in told
            assert "bold" not in told
    assert "\u202e" not in shown(app)


def test_hostile_text_is_shown_as_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is there to read, whole."""
    app = opened(monkeypatch, str(KINDS["hostile"](tmp_path / "store")))
    assert any(HOSTILE.replace("\u202e", "\\u202e") in one.value for one in app.text)


def test_a_slider_changes_the_recommendation(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """At 77 % of top-1 and more the fast small network goes, and what binds is said."""
    app = opened(monkeypatch, demo, page="choose")
    assert "resnet26 alpha 0.75, contiguous, eager" in [one.value for one in app.text]
    app.slider(key="min_top1").set_value(77.0).run()
    assert not app.exception
    texts = [one.value for one in app.text]
    assert "resnet26 alpha 0.75, contiguous, eager" not in texts
    assert any(text.startswith("--min top1=77% binds: ") for text in texts)
    assert "Near misses" in [frame.proto.alt for frame in app.dataframe]


def test_budgets_that_nothing_meets_are_said(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """With the nearest miss of each."""
    app = opened(monkeypatch, demo, page="choose", max_memory="30.2", min_top1="78")
    assert "Nothing meets these budgets." in [one.value for one in app.warning]


def test_a_point_opens_in_detail(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """Its figures, samples, paths, environment and Python."""
    app = opened(monkeypatch, demo, page="front", point="33db95c2")
    said = shown(app)
    for word in ("resnet26 alpha 0.5, 224 px, batch 1", "Latency samples", "Device time by octave path"):
        assert word in said
    assert "Fake CPU 3000" in said
    assert any("octavize(network, 0.5" in one.value for one in app.code)


def test_a_point_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """In a line, the text inert."""
    app = opened(monkeypatch, demo, page="front", point="<b>no</b>")
    assert "No row of the store has a point_id that begins with '<b>no</b>'." in [t.value for t in app.text]


def test_a_comparison_shows_both_sides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Points with their verdicts, the environments' difference, vanilla's own shift; then by date."""
    store = str(two_environments(tmp_path / "store"))
    app = opened(monkeypatch, store, page="compare")
    table = app.dataframe[0].value
    change = table["B / A"].tolist()
    assert sorted(round(value, 2) for value in change) == [1.2] * 3
    assert set(table["verdict"]) == {"SLOWER"}
    assert "torch 2.9.0 / 2.10.0" in shown(app)
    dated = opened(monkeypatch, store, page="compare", compare="since a date", since="2026-01-02T13:00")
    assert dated.dataframe[0].value["B / A"].round(2).tolist() == [1.2] * 3
    bad = opened(monkeypatch, store, page="compare", compare="since a date", since="noon")
    assert "--since noon: no date" in shown(bad)


def test_two_sweeps_of_other_environments_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Sweeps are a side each."""
    store = str(two_environments(tmp_path / "store"))
    app = opened(monkeypatch, store, page="compare", compare="sweeps", side_a="later", side_b="quickstart")
    assert app.dataframe[0].value["verdict"].tolist() == ["FASTER"] * 3


def test_the_older_side_is_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the sides are called: `later` stands before `quickstart` in the alphabet."""
    app = opened(monkeypatch, str(two_environments(tmp_path / "store")), page="compare", compare="sweeps")
    assert app.dataframe[0].value["verdict"].tolist() == ["SLOWER"] * 3


def test_many_points_are_compared_by_their_medians(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a verdict, which is said."""
    places = [network_point("0.5", batch=batch) for batch in range(1, 1502)]
    before = [row(point, measured(10.0, 0.9, count=1)) for point in places]
    after = [row(point, measured(12.0, 0.9, count=1), OTHER_ENVIRONMENT, minutes=9) for point in places]
    app = opened(monkeypatch, str(filled(tmp_path / "store", *before, *after)), page="compare")
    assert "1,501 points on both sides" in shown(app)
    assert app.dataframe[0].value["B / A: median"].round(6).tolist() == [1.2]
    few = opened(monkeypatch, str(tmp_path / "store"), page="compare", batch="7")
    assert few.dataframe[0].value["B / A"].round(6).tolist() == [1.2]


def test_reasons_are_against_a_row_s_own_vanilla(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """Whatever stands beside it; of two octave points both are explained."""
    alone = opened(monkeypatch, demo, page="why", network="resnet50", batch="1")
    options = alone.selectbox(key="b").options
    reasons = [one.value for one in alone.text if one.value.startswith("•")]
    beside = opened(monkeypatch, demo, page="why", network="resnet50", batch="1", b=options[3])
    both = [one.value for one in beside.text if one.value.startswith("•")]
    assert reasons
    assert both[: len(reasons)] == reasons
    assert len(both) > len(reasons)


@pytest.mark.parametrize("axis", ["kernel", "exchange", "downsample"])
def test_vanilla_stays_beside_the_form_that_is_chosen(
    monkeypatch: pytest.MonkeyPatch, demo: str, axis: str
) -> None:
    """It has no octave form, and without it nothing could be told of those that have."""
    value = {"kernel": "four", "exchange": "both", "downsample": "average"}[axis]
    whole, narrowed = opened(monkeypatch, demo), opened(monkeypatch, demo, **{axis: value})
    assert narrowed.metric[0].value == whole.metric[0].value
    assert "at 30 % of its MACs" in shown(narrowed)


def test_a_store_s_own_rows_end_the_demonstration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is labelled while it is shown, and gives way to the first row."""
    store = Store.create(tmp_path / "store")
    app = opened(monkeypatch, str(store.path), demo="true")
    assert "These rows are the demonstration's" in shown(app)
    assert app.metric[0].value == "40"
    store.append([row(network_point("0"), measured(90.0))])
    app.run()
    assert "These rows are the demonstration's" not in shown(app)
    assert app.metric[0].value == "1"


def test_the_demonstration_shows_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a store the switch opens the one of the package."""
    monkeypatch.delenv("OCTPROBE_STORE", raising=False)
    app: AppTest = opened(monkeypatch)
    assert "octprobe sweep sweeps/quickstart.yaml" in shown(app)
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert "Headline" in shown(app)
    assert "Headline" in shown(opened(monkeypatch, demo="true"))


@pytest.mark.parametrize(
    ("name", "title"),
    [("realised saving", "Realised saving by alpha"), ("latency against MACs", "Latency against MACs")],
)
def test_the_layers_page_has_the_other_figures_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, title: str
) -> None:
    """One at a time, named in the address."""
    store = write_demo(tmp_path / "store")
    app = opened(monkeypatch, str(store), page="layers", figure=name)
    assert [one.value for one in app.subheader if one.value == title] == [title]
