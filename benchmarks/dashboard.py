"""How long the dashboard's pages take over a million rows: `make bench-dashboard`.

Each page is opened first by a server that has just started, in a new tab; then one of its choices is changed.
Both are timed to the end: no part of the page is still missing, none is still computed. The server's peak of
resident memory is read after all pages were opened in one server. The page is docs/dashboard_scale.md.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.scale import FOLDER, machine
from benchmarks.served import Served, served
from benchmarks.synthetic import write_store

ROWS = 1_000_000
RUNS = 3
FIRST_PAINT_SECONDS, INTERACTION_SECONDS, MEMORY_BYTES = 3.0, 1.0, 1.5e9
_CHROMIUM = "/usr/bin/chromium"
_AT_REST = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testScriptState === 'notRunning' && document.querySelector('h1')
    && !document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true]');
}"""
# A sentence, figure or table about the rows, of a page that has its title.
_BEGUN = """() => document.querySelector('h1') && document.querySelector(
  '[data-testid=stMain] '
    + ':is([data-testid=stText], .js-plotly-plot .main-svg, [data-testid=stDataFrame] canvas)'
)"""
_PATIENCE_MS = 120_000
_SETTLE_MS = 100


@dataclass(frozen=True)
class Choice:
    """Another entry of a list or place of a slider: made ready, and then the key that is timed from."""

    role: str
    key: str
    label: str | None = None
    downs: int = 0

    def ready(self, page: Any) -> Any:
        """Give the widget as it is before the key."""
        widget = page.get_by_role(self.role, **({"name": self.label} if self.label else {})).first
        widget.click() if self.downs else widget.focus()
        for _ in range(self.downs):
            widget.press("ArrowDown")
        return widget


def listed(label: str, downs: int) -> Choice:
    """Choose an entry so far down a list."""
    return Choice("combobox", "Enter", label, downs)


# By page: its address, and what is changed on it.
PAGES: Mapping[str, tuple[str, Choice]] = {
    "overview": ("", listed("network", 2)),
    "front": ("front", listed("Along y", 2)),
    "choose": ("choose", Choice("slider", "Home")),
    "layers": ("layers", listed("resolution", 2)),
    "why": ("why", listed("Point", 3)),
    "compare": ("compare", listed("Judge by", 1)),
    "rows": ("rows", listed("network", 2)),
}


@dataclass
class Opened:
    """One page: seconds by run."""

    name: str
    start: list[float] = field(default_factory=list)
    first_paint: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    interaction: list[float] = field(default_factory=list)


def at_rest(page: Any) -> None:
    """Wait until nothing on a page is missing or computed."""
    page.wait_for_function(_AT_REST, timeout=_PATIENCE_MS)


def opening(page: Any, url: str) -> tuple[float, float]:
    """Open an address; give the seconds to the first content and to the whole page."""
    start = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_function(_BEGUN, timeout=_PATIENCE_MS)
    begun = time.monotonic() - start
    at_rest(page)
    return begun, time.monotonic() - start


def changing(page: Any, choice: Choice) -> float:
    """Give the seconds from a choice until the page that it changes is whole again."""
    widget = choice.ready(page)
    start = time.monotonic()
    widget.press(choice.key)
    page.wait_for_timeout(_SETTLE_MS)
    at_rest(page)
    return time.monotonic() - start


def peak_bytes(process_id: int) -> int:
    """Read a process's peak of resident memory."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def open_page(browser: Any, running: Served, found: Opened) -> None:
    """Open a page in a new tab, change a choice on it, and note both times."""
    path, choice = PAGES[found.name]
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    begun, whole = opening(page, f"{running.url}/{path}")
    found.first_paint.append(begun)
    found.whole.append(whole)
    found.interaction.append(changing(page, choice))
    context.close()


def measure(store: Path, names: Sequence[str], runs: int) -> Iterator[Opened]:
    """Open each page so many times, each time in a server that has just started."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        for name in names:
            found = Opened(name)
            for _ in range(runs):
                begun = time.monotonic()
                with served(str(store.resolve()), folder=store.parent) as running:
                    found.start.append(time.monotonic() - begun)
                    open_page(browser, running, found)
            yield found
        browser.close()


def measure_memory(store: Path, names: Sequence[str]) -> tuple[int, dict[str, Opened]]:
    """Open all pages one after the other in one server; give its peak in bytes, and the times."""
    from playwright.sync_api import sync_playwright

    pages = {name: Opened(name) for name in names}
    with sync_playwright() as playwright, served(str(store.resolve()), folder=store.parent) as running:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        for found in pages.values():
            open_page(browser, running, found)
        browser.close()
        return peak_bytes(running.process.pid), pages


def page_text(rows: int, cold: Sequence[Opened], peak: int, warm: Mapping[str, Opened]) -> str:
    """Write docs/dashboard_scale.md."""
    runs = len(cold[0].first_paint)
    head = [
        "# The dashboard over a million rows",
        "",
        "<!-- Generated by `make bench-dashboard`. -->",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} over {rows:,} synthetic rows: {machine()};",
        "the browser runs on the same processors. *First paint* is the time from the address to the first",
        "sentence, figure or table about the rows, in a server that has just started and has shown nothing;",
        "*whole page* is the time until nothing of the page is missing. *Next page* is that time in a server",
        "that has shown the pages above it. *Interaction* is the time from a choice to the whole page as it",
        f"then is. Median of {runs} runs, the largest in brackets; next page: one run.",
        "",
        f"| page | first paint, s (goal {FIRST_PAINT_SECONDS:g}) | whole page, s | next page, s "
        f"| interaction, s (goal {INTERACTION_SECONDS:g}) |",
        "|---|---|---|---|---|",
    ]
    table = [
        f"| {one.name} | {_told(one.first_paint)} | {_told(one.whole)} | {warm[one.name].whole[0]:.2f} "
        f"| {_told(one.interaction)} |"
        for one in cold
    ]
    goal = f"goal: at most {MEMORY_BYTES / 1e6:,.0f} MB"
    memory = f"Peak of the server's resident memory, all pages opened: {peak / 1e6:,.0f} MB ({goal})."
    start = f"From the command to its address: {_told([s for one in cold for s in one.start])} s."
    return "\n".join([*head, *table, "", start, "", memory]) + "\n"


def _told(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({max(seconds):.2f})"


def main() -> None:
    """Measure, and print the page; progress goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="size of the store")
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), help="which are opened")
    parser.add_argument("--runs", type=int, default=RUNS, help="first paints of each page")
    wanted = parser.parse_args()
    store = FOLDER / str(wanted.rows)
    write_store(store, wanted.rows)
    peak, warm = measure_memory(store, wanted.pages)
    sys.stderr.write(f"{peak / 1e6:,.0f} MB; {warm}\n")
    cold = []
    for found in measure(store, wanted.pages, wanted.runs):
        sys.stderr.write(f"{found}\n")
        cold.append(found)
    sys.stdout.write(page_text(wanted.rows, cold, peak, warm))


if __name__ == "__main__":
    main()
