"""The dashboard in a browser: it works, asks nobody else for anything and keeps its console silent."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from chromium import Tab, new_tab
from fakes_store import measured, network_point, row
from octprobe.store.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ("overview", "front", "choose", "layers", "why", "compare", "rows")
# By name: width and height in CSS pixels, and scheme. The height holds a page, which scrolls within itself.
LOOKS = {"light": (1280, 2600, "light"), "dark": (1280, 2600, "dark"), "narrow": (390, 3600, "light")}
_AT_REST = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
_FILLED = "!document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner]')"
# Below a page's address Streamlit looks for its server before it looks at the root: a 404 each, by design.
_LOOKED_FOR = re.compile(r"404 \(Not Found\) http://[^/]+/\w+/_stcore/(health|host-config)$")
_SLOWEST_MS = 30_000


def address(server: str, page: str, query: str = "") -> str:
    """Give a page's address; the first page is the root."""
    return f"{server}/{'' if page == PAGES[0] else page}{query}"


def opened(browser: Any, url: str, look: str = "light") -> Tab:
    """Open a page and wait until it is whole."""
    width, height, scheme = LOOKS[look]
    tab = new_tab(browser, width, scheme)
    tab.page.set_viewport_size({"width": width, "height": height})
    tab.page.set_default_timeout(_SLOWEST_MS)
    tab.page.goto(url)
    tab.page.wait_for_selector(f"{_AT_REST} h1")
    tab.page.wait_for_function(_FILLED)
    return tab


def main_text(tab: Tab) -> str:
    """Give what a person reads beside the sidebar."""
    return str(tab.page.inner_text("[data-testid=stMain]"))


def recommendation(tab: Tab) -> str:
    """Give what is recommended, up to what binds."""
    return main_text(tab).partition("Recommendation")[2].partition("What binds")[0]


def faults(tab: Tab) -> list[str]:
    """Give what the console and the page said, but for Streamlit's own search for its server."""
    return [line for line in tab.said if not _LOOKED_FOR.search(line)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_nobody_and_says_nothing(
    browser: Any, dashboard: str, page: str, look: str, tmp_path: Path
) -> None:
    """No request leaves, the console is silent, nothing failed, no page scrolls aside; a picture is kept."""
    tab = opened(browser, address(dashboard, page), look)
    folder = Path(os.environ.get("OCTPROBE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=folder / f"{page}-{look}.png")
    assert tab.outside(dashboard) == []
    assert faults(tab) == []
    assert tab.page.locator("[data-testid=stException]").count() == 0
    main = "[data-testid=stMain]"
    assert tab.page.evaluate(f"document.querySelector('{main}').scrollWidth") <= LOOKS[look][0]


def test_a_click_on_a_point_opens_its_detail(browser: Any, dashboard: str) -> None:
    """The row, its samples and the Python that builds it; the address names the point."""
    tab = opened(browser, address(dashboard, "front", "?y=macs&network=resnet50"))
    point = tab.page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
    box = point.bounding_box()
    assert "The Python that builds it" not in main_text(tab)
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.page.wait_for_selector("text=The Python that builds it")
    assert re.search(r"[?&]point=[0-9a-f]{16}(@|%40)[0-9a-f]", tab.page.url)
    tab.page.wait_for_selector("code:has-text('build_network(')")
    again = opened(browser, tab.page.url)
    again.page.wait_for_selector("text=The Python that builds it")
    assert faults(again) == []


def test_a_slider_changes_the_recommendation(browser: Any, dashboard: str) -> None:
    """A tighter budget gives another choice, and the address keeps it."""
    tab = opened(browser, address(dashboard, "choose", "?goal=top1"))
    before = recommendation(tab)
    slider = tab.page.get_by_role("slider").first
    slider.focus()
    slider.press("Home")
    tab.page.wait_for_function(
        "before => !document.querySelector('[data-testid=stMain]').innerText.includes(before)", arg=before
    )
    tab.page.wait_for_selector(_AT_REST)
    assert "max_latency=" in tab.page.url
    assert recommendation(tab) != before
    tab.page.wait_for_selector("text=What binds")
    assert recommendation(opened(browser, tab.page.url)) == recommendation(tab)


def test_a_link_restores_the_view_and_nonsense_in_it_does_no_harm(browser: Any, dashboard: str) -> None:
    """What a parameter names is chosen; what it cannot mean is the default."""
    tab = opened(browser, address(dashboard, "front", "?x=macs&y=memory&network=resnet50"))
    assert "Memory against MACs" in main_text(tab)
    chosen = tab.page.locator("[data-testid=stSidebar] [data-testid=stSelectbox]", has_text="network")
    assert "resnet50" in chosen.inner_text() + str(chosen.locator("input").input_value())
    lost = opened(browser, address(dashboard, "front", "?x=%3Cscript%3E&y=&network=nothing&point=zzz"))
    assert "Top-1 accuracy against latency" in main_text(lost)
    assert faults(tab) == faults(lost) == []


def test_a_new_part_appears_without_a_reload(browser: Any, growing: tuple[str, Path]) -> None:
    """A running sweep's point is counted while the page is open."""
    url, store = growing
    tab = opened(browser, url)
    points = tab.page.locator("[data-testid=stMetric]", has_text=re.compile("^Points"))
    before = int(points.locator("[data-testid=stMetricValue]").inner_text())
    Store(store).append([row(network_point("0", "resnet18"), measured(30.0))])
    expected = f"[data-testid=stMetricValue]:has-text('{before + 1}')"
    tab.page.wait_for_selector(expected)
    assert faults(tab) == []
