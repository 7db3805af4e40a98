"""octprobe: profile Octave Convolution on your own hardware and choose alpha for a budget."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

__version__ = "0.1.0"
__all__ = ["load"]


def load(store: str | Path) -> "pandas.DataFrame":
    """Read a result store: one row a design point and environment, the last attempt, `point_id` first.

    Args:
        store: the folder that `octprobe sweep` wrote, such as `results/resnet`.

    Raises:
        octprobe.errors.StoreError: there is no store, or it cannot be read.
    """
    from octprobe.store.query import load_frame  # pandas takes most of a second to import

    return load_frame(Path(store))
