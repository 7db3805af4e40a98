"""The page in a browser, opened from disk with the network off."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components import need
from demo_store import write_demo
from fakes_store import ended, network_point, resnet_rows
from figures.rows_drawn import HOSTILE, TIMES
from octprobe.report.html import html_report
from octprobe.store.records import Status
from octprobe.store.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = {"wide": 1280, "narrow": 390}
_CHROMIUM = "/usr/bin/chromium"
# No name is resolved, so that a request to anywhere fails even where the machine has a network.
_OFFLINE = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"]
_EACH_PLOT = (
    "[...document.querySelectorAll('.plot')].map(plot => [plot.id, plot.querySelectorAll('svg').length])"
)
# A change of scheme is told to the page before the next frame.
_PAPER = """
new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
  done(getComputedStyle(document.querySelector('#plot-saving .main-svg')).backgroundColor))))
"""
_OUTSIDE = """
[...document.querySelectorAll('.plot text')].filter(text => {
  const inner = text.getBoundingClientRect(), outer = text.closest('.plot').getBoundingClientRect();
  return inner.width > 0 && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
}).map(text => text.textContent)
"""


@dataclass
class Opened:
    """A page that a browser has drawn, and all that it said and asked for meanwhile."""

    tab: Any
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the system's browser once."""
    need("chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as started:
        found = started.chromium.launch(executable_path=_CHROMIUM, args=_OFFLINE)
        yield found
        found.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the demonstration."""
    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    page.write_text(html_report(write_demo(folder / "demo")))
    return page


def opened(browser: Any, page: Path, width: int = 1280, scheme: str = "light") -> Opened:
    """Open a page from disk and wait until every figure is drawn."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, accept_downloads=True
    )
    found = Opened(context.new_page())
    found.tab.on("request", lambda request: found.requests.append(request.url))
    found.tab.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    found.tab.on("pageerror", lambda error: found.said.append(str(error)))
    found.tab.on("dialog", lambda dialog: (found.said.append(dialog.message), dialog.dismiss()))
    found.tab.goto(page.as_uri())
    found.tab.wait_for_selector("html[data-drawn]")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_every_figure_is_drawn_and_nothing_is_asked_for(
    browser: Any, demo: Path, width: int, scheme: str, tmp_path: Path
) -> None:
    """One request, of the file itself; the console stays silent; no label is cut, no page scrolls aside."""
    found = opened(browser, demo, width, scheme)
    assert [name for name, pictures in found.tab.evaluate(_EACH_PLOT) if not pictures] == []
    assert len(found.tab.query_selector_all(".plot")) == 7
    assert found.requests == [demo.as_uri()]
    assert found.said == []
    assert found.tab.evaluate(_OUTSIDE) == []
    assert found.tab.evaluate("document.documentElement.scrollWidth") == width
    found.tab.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)


def test_the_looks_follow_the_scheme(browser: Any, demo: Path) -> None:
    """A change while the page is open redraws the figures; paper is always light."""
    found = opened(browser, demo)
    assert found.tab.evaluate(_PAPER) == "rgb(255, 255, 255)"
    found.tab.emulate_media(color_scheme="dark")
    assert found.tab.evaluate(_PAPER) == "rgb(20, 24, 29)"
    found.tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert found.tab.evaluate(_PAPER) == "rgb(255, 255, 255)"


def test_no_button_leads_to_a_cloud(browser: Any, demo: Path) -> None:
    """Neither a logo nor a place to send figures to."""
    titles = opened(browser, demo).tab.evaluate(
        "[...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)"
    )
    assert "Zoom" in titles
    assert not [title for title in titles if "plotly" in title.lower() or "cloud" in title.lower()]


def test_a_table_is_downloaded_without_a_request(browser: Any, demo: Path, tmp_path: Path) -> None:
    """By its button, under its figure's name."""
    tab = opened(browser, demo).tab
    with tab.expect_download() as waiting:
        tab.click("#verdicts .download")
    assert waiting.value.suggested_filename == "verdicts.csv"
    waiting.value.save_as(tmp_path / "verdicts.csv")
    assert (tmp_path / "verdicts.csv").read_text("utf-8-sig").startswith('"network or layer","fastest alpha"')


def test_a_hostile_store_runs_nothing(browser: Any, tmp_path: Path) -> None:
    """Names and reasons stay text in the page and in the figures, links included."""
    rows = [*resnet_rows(TIMES, HOSTILE), ended(network_point("1", HOSTILE), Status.FAILED, HOSTILE)]
    Store.create(tmp_path / "store").append(rows)
    page = tmp_path / "report.html"
    page.write_text(html_report(tmp_path / "store"))
    found = opened(browser, page)
    assert found.said == []
    assert found.requests == [page.as_uri()]
    assert found.tab.evaluate("document.querySelectorAll('.plot a[href], .plot a[*|href]').length") == 0
    assert "<b>bold</b>" in found.tab.inner_text("#verdicts")
