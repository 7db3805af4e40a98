"""Small pictures under one another, one a group: figures of one group are never set beside another's."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from octprobe.figures.look import figure, wrapped
from octprobe.figures.shapes import Heading

# So many groups fit a screen or two; further ones are named in a note.
MOST_FACETS = 6
_TITLE_PX = 72
# What a telephone's screen holds beside the names of the rows.
_TITLE_CHARACTERS = 42
_ROW_PX = 30
_MARGIN_PX = 150


def stacked(heading: Heading, facets: Sequence[tuple[str, int]]) -> go.Figure:
    """Begin a figure of small pictures, each as high as its number of rows asks.

    Args:
        heading: what stands over the whole.
        facets: the name of each picture and how many bars or boxes it has.
    """
    heights = [count * _ROW_PX + _TITLE_PX for _, count in facets]
    whole = sum(heights)
    drawn = make_subplots(
        rows=len(facets),
        cols=1,
        subplot_titles=[wrapped(name, _TITLE_CHARACTERS) for name, _ in facets],
        row_heights=heights,
        vertical_spacing=_TITLE_PX / (whole + _MARGIN_PX) if len(facets) > 1 else 0.0,
    )
    drawn.update_layout(figure(heading.title, heading.conditions, height=whole + _MARGIN_PX).layout)
    drawn.update_annotations(x=0, xanchor="left", font={"size": 12}, align="left")
    drawn.update_yaxes(autorange="reversed", type="category", ticksuffix="  ")
    return drawn
