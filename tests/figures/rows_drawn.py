"""Frames that the figures' tests share, and what holds of every figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fakes_store import resnet_rows
from octprobe.store.query import load_frame
from octprobe.store.row import Row
from octprobe.store.store import Store

TIMES = [
    ("0", 80.0, None, 4_000_000_000),
    ("0.25", 84.0, 1.05, 3_000_000_000),
    ("0.5", 60.0, 0.75, 2_000_000_000),
]
CONDITIONS = "Fake CPU 3000, torch 2.9.0; 224 px, batch 1, float32, infer, contiguous, eager"
HOSTILE = "<b>bold</b><a href='http://example.invalid/'>x</a><script>alert(1)</script>"


def frame_of(path: Path, rows: Sequence[Row]) -> pd.DataFrame:
    """Write rows to a store and read them back as figures get them."""
    Store.create(path).append(rows)
    return load_frame(path)


def small_frame(path: Path, **conditions: Any) -> pd.DataFrame:
    """Give one group: vanilla, a slower and a faster alpha."""
    return frame_of(path, resnet_rows(TIMES, **conditions))


def axis_titles(figure: go.Figure) -> list[str]:
    """Give the titles of all axes."""
    layout = figure.to_plotly_json()["layout"]
    return [layout[name].get("title", {}).get("text", "") for name in layout if name[1:].startswith("axis")]


def all_text(figure: go.Figure) -> str:
    """Give everything that a figure shows, as it is handed to the browser."""
    return str(figure.to_json())


def notes_of(figure: go.Figure) -> str:
    """Give the text of a figure's annotations."""
    return " ".join(note.text for note in figure.layout.annotations)
