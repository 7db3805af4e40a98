"""Two fronts as one picture: `make fronts` draws docs/fronts.png of stores that are there, with a Chromium.

Left published ImageNet accuracies beside the latencies of sweeps/resnet.yaml, right those of
its own networks, trained on Fashion-MNIST; whatever is measured is so where the picture is made.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

import octprobe
from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.known_accuracies import known_accuracies
from octprobe.figures import front
from octprobe.store.accuracy_run import Split

REPOSITORY = Path(__file__).parents[1]
PICTURE = REPOSITORY / "docs" / "fronts.png"
_PANELS = (
    ("resnet", "ImageNet networks: published top-1, measured latency"),
    ("fashion", "Fashion-MNIST networks: trained top-1 on test images, measured latency"),
)
_TICKS_MS = [step * 10.0**power for power in range(-1, 3) for step in (1, 2, 5)]
_WIDTH, _HEIGHT = 1480, 640
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; font: 15px sans-serif; display: grid; grid-template-columns: 1fr 1fr; background: white }}
h2 {{ font-size: 16px; margin: 12px 8px 0 }}
p {{ font-size: 12px; margin: 4px 8px 0 }}
</style>{panels}"""


def page(stores: Path) -> str:
    """Draw the panels as one page that needs no network."""
    panels = [_panel(stores / name, title, place == 0) for place, (name, title) in enumerate(_PANELS)]
    return _PAGE.format(panels="".join(panels))


def _panel(store: Path, title: str, is_first: bool) -> str:
    frame = with_accuracies(octprobe.load(store), known_accuracies(store, Split.TEST).accuracies)
    found = front.info(frame, "latency", "top1")
    drawn = front.plot(found)
    drawn.update_layout(title=None, width=_WIDTH // 2 - 10, height=_HEIGHT - 80, margin={"t": 12})
    # Batches lie a factor apart.
    drawn.update_xaxes(type="log", tickvals=_TICKS_MS, ticktext=[f"{tick:g}" for tick in _TICKS_MS])
    chart = drawn.to_html(full_html=False, include_plotlyjs=is_first, config={"staticPlot": True})
    return f"<section><h2>{title}</h2><p>{escape(found.heading.conditions)}</p>{chart}</section>"


def photograph(html: str, target: Path) -> None:
    """Let a browser draw a page into a picture.

    Raises:
        RuntimeError: there is no Chromium, or it failed.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise RuntimeError("no Chromium is installed; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "fronts.html"
        source.write_text(html, encoding="utf-8")
        subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=10000"),
                *(f"--window-size={_WIDTH},{_HEIGHT}", f"--screenshot={target}", source.as_uri()),
            ],
            check=True,
            capture_output=True,
        )


def main(arguments: Sequence[str]) -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=Path, default=REPOSITORY / "results")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    asked = parser.parse_args(arguments)
    photograph(page(asked.stores), asked.picture)


if __name__ == "__main__":
    main(sys.argv[1:])
