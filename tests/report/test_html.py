"""The page: whole within itself, inert, small enough to send."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from demo_store import write_demo
from fakes_store import OTHER_ENVIRONMENT, ended, measured, network_point, resnet_rows, row
from figures.rows_drawn import HOSTILE, TIMES
from octprobe.errors import StoreError
from octprobe.report.html import MOST_BYTES, MOST_TABLE_ROWS, html_report
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

FIGURES = ["front", "efficiency", "saving", "distribution", "paths", "layers", "memory"]


class Page(HTMLParser):
    """What a browser finds in a page: elements, their addresses, and text outside of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.shown: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what could ask somebody for something."""
        self.tags.append(tag)
        self._inside = tag if tag in {"script", "style"} else self._inside
        for name, value in attrs:
            if name in {"src", "href", "srcset", "action", "data", "poster", "background"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        """Keep what is read by a person."""
        if not self._inside:
            self.shown.append(data)

    @property
    def text(self) -> str:
        """Give the text shown, blanks run together."""
        return " ".join(" ".join(self.shown).split())


def page_of(path: Path, rows: list[Row]) -> str:
    """Write rows to a store and report on it."""
    Store.create(path).append(rows)
    return html_report(path)


def figures_of(page: str) -> dict[str, dict[str, object]]:
    """Give the figures as the page's script reads them."""
    found = re.search(r'<script type="application/json" id="figures-data">(.*?)</script>', page, re.DOTALL)
    assert found
    figures: dict[str, dict[str, object]] = json.loads(found[1])
    return figures


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    """Every address is data within the page, and the browser is told to refuse others."""
    page = html_report(write_demo(tmp_path / "demo"))
    found = Page(page)
    assert found.addresses
    assert all(address.startswith("data:text/csv;") for address in found.addresses)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(found.tags)
    assert "default-src 'none'" in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_page_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    """No clock and no chance is in it."""
    store = write_demo(tmp_path / "demo")
    page = html_report(store)
    assert len(page.encode()) < MOST_BYTES
    assert page == html_report(store)


def test_the_page_has_every_figure_with_its_caption_and_its_table(tmp_path: Path) -> None:
    """In the order of the story; each id once."""
    page = html_report(write_demo(tmp_path / "demo"))
    found = Page(page)
    assert [name for name in found.ids if name in FIGURES] == FIGURES
    assert sorted(figures_of(page)) == sorted(FIGURES)
    assert len(found.ids) == len(set(found.ids))
    assert found.tags.count("figcaption") == len(FIGURES)
    # The three of the summary, and one a figure.
    assert found.tags.count("table") == 3 + len(FIGURES)
    assert len(found.addresses) == 3 + len(FIGURES)


def test_the_summary_comes_first(tmp_path: Path) -> None:
    """Points by status, the headline, verdicts, break-even and doubts stand above the figures."""
    text = Page(html_report(write_demo(tmp_path / "demo"))).text
    wanted = [
        "An alpha is FASTER than vanilla in",
        "45 points",
        "Fastest alpha against vanilla",
        "From which alpha on it pays",
        "unknown_clock: the device's clock cannot be read",
        "Environments",
        "Latency against MACs",
        "Points that were not measured",
    ]
    places = [text.find(part) for part in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_failures_have_their_reason_and_their_log(tmp_path: Path) -> None:
    """As text."""
    page = html_report(write_demo(tmp_path / "demo"))
    assert "the worker ended with signal 9" in page
    assert "<pre>line one\nKilled &lt;b&gt;now&lt;/b&gt;</pre>" in page


def test_text_of_a_store_is_no_markup_anywhere(tmp_path: Path) -> None:
    """Not in the page, nor in what the script hands to plotly."""
    rows = [
        *resnet_rows(TIMES, HOSTILE),
        ended(network_point("0.75", HOSTILE), Status.FAILED, HOSTILE + "</script>"),
    ]
    page = page_of(tmp_path / "store<b>", rows)
    plain = [*resnet_rows(TIMES, "mine"), ended(network_point("0.75", "mine"), Status.FAILED)]
    clean = page_of(tmp_path / "clean", plain)
    assert Page(page).tags == Page(clean).tags
    assert Page(page).handlers == []
    assert HOSTILE not in page
    assert HOSTILE in Page(page).text
    labels = json.dumps(figures_of(page))
    assert not [tag for tag in ("<b>bold", "<a ", "<script") if tag in labels]
    assert "&lt;script&gt;" in labels
    # Nothing in the data can end the element that holds it, `<br>` included.
    assert "<" not in page.partition('id="figures-data">')[2].partition("</script>")[0]


def test_rows_of_two_environments_are_told_apart(tmp_path: Path) -> None:
    """And said not to be comparable."""
    points = [(network_point("0"), None), (network_point("0.5"), 0.9)]
    rows = [row(p, measured(80.0, r)) for p, r in points]
    rows += [row(p, measured(70.0, r), OTHER_ENVIRONMENT) for p, r in points]
    text = Page(page_of(tmp_path / "store", rows)).text
    assert "Rows of 2 environments are not comparable: torch 2.9.0 / 2.10.0." in text
    assert f"torch 2.10.0, env {OTHER_ENVIRONMENT.env_id}" in text


def test_one_case_is_told_in_words(tmp_path: Path) -> None:
    """The verdict's sentence is the headline."""
    text = Page(page_of(tmp_path / "store", resnet_rows(TIMES))).text
    assert "resnet50: alpha 0.5 is the fastest: 0.75 [" in text


@pytest.mark.parametrize("batches", [400])
def test_a_large_store_stays_small_on_the_page(tmp_path: Path, batches: int) -> None:
    """Tables end where a person stops reading, and say so."""
    rows = [line for batch in range(1, batches + 1) for line in resnet_rows(TIMES[:2], batch=batch)]
    page = page_of(tmp_path / "store", rows)
    assert len(page.encode()) < MOST_BYTES
    assert f"The first {MOST_TABLE_ROWS[0]} of {batches} rows; the store has all." in page
    assert "12 of 400 lines are drawn" in page


def test_the_largest_figures_and_tables_fit(tmp_path: Path) -> None:
    """As many points as are drawn, under names of the greatest length: tables give way."""
    name = f"mine:{'n' * 200}"
    alphas = [f"0.{n:03}" for n in range(1, 81)]
    rows = [
        line
        for batch in range(1, 13)
        for line in resnet_rows(
            [("0", 80.0, None, 4000), *((alpha, 70.0, 0.9, 3000) for alpha in alphas)], name, batch=batch
        )
    ]
    page = page_of(tmp_path / "store", rows)
    assert len(page.encode()) < MOST_BYTES
    assert "octave points are drawn, evenly chosen" in page


def test_a_damaged_part_is_named_and_the_rest_is_told(tmp_path: Path) -> None:
    """By its name alone: where the store lies is nobody's business."""
    store = write_demo(tmp_path / "demo")
    (store / "parts" / "zzz.parquet").write_bytes(b"PAR1")
    page = html_report(store)
    assert "zzz.parquet is damaged; its rows are left out" in page
    assert str(tmp_path) not in page


def test_vanilla_alone_and_doubts_alone(tmp_path: Path) -> None:
    """Figures without anything to draw say why, and nothing fails."""
    page = page_of(tmp_path / "a", [row(network_point("0"), measured(80.0, doubts=(Doubt.BIMODAL,)))])
    assert "nothing can be said of alpha yet" in page
    assert "1 of 1 measured points: bimodal" in page
    assert json.dumps(figures_of(page)).count("Nothing to draw") >= 6


def test_an_empty_store_is_one_line(tmp_path: Path) -> None:
    """It says what to do."""
    Store.create(tmp_path)
    with pytest.raises(StoreError, match="holds no rows yet; `octprobe sweep FILE"):
        html_report(tmp_path)


@pytest.mark.parametrize("column", ["latency_ms_ci_high", "latency_ms_median", "time_ratio_ci_high", "macs"])
def test_a_figure_without_bound_stops_no_report(column: str, tmp_path: Path) -> None:
    """A store of another hand may hold infinities; none of them is a bare token in the page's JSON."""
    rows = [row(network_point("0"), measured(80.0)), row(network_point("0.5"), measured(70.0, 0.9))]
    endless = 2**62 if column == "macs" else float("inf")
    page = page_of(tmp_path, [rows[0], replace(rows[1], **{column: endless})])
    assert "resnet50" in page
    assert "Infinity" not in json.dumps(figures_of(page), allow_nan=False)
