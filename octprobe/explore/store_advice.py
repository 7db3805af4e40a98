"""A recommendation from a store, read with no more of it than comparing takes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from octprobe.explore.advice.arrays import Places
from octprobe.explore.advice.given import ROW, SELECTED_BY, Selection, select
from octprobe.explore.advice.request import Request
from octprobe.explore.known_accuracies import Known, known_accuracies
from octprobe.explore.recommend import Recommendation, advise
from octprobe.store.columns import ColumnReader
from octprobe.store.store import DamagedPart, refuse_empty

# So many rows are read whole at once; of more, only those that are told, each at the price of its part.
_FEW_ROWS = 50_000


class StoreAdvice(NamedTuple):
    """A recommendation, and the parts of the store that could not be read."""

    advice: Recommendation
    damaged: tuple[DamagedPart, ...]


def store_advice(path: str | Path, request: Request) -> StoreAdvice:
    """Recommend among a store's rows: their axes are read first, and then what compares those selected.

    Raises:
        StoreError: there is no store, it is newer than this octprobe, or no network in it was measured.
        UsageError: what `recommend` refuses.
    """
    reader = ColumnReader(path)
    loaded = reader.read(SELECTED_BY)
    refuse_empty(path, len(loaded.frame), loaded.damaged)
    selected = select(loaded.frame, request.where)
    places: Places = selected.frame[ROW].to_numpy()

    def read(names: Sequence[str], some: Places) -> pd.DataFrame:
        return reader.rows(names, some)

    are_few = len(places) <= _FEW_ROWS
    rows = read(request.columns() if are_few else request.judged(), places).reset_index(drop=True)
    selection = Selection(rows.assign(**{ROW: places}), selected.given, selected.counts)
    fetch = None if are_few else partial(read, request.columns())
    known = known_accuracies(path, request.split) if request.needs_accuracy else Known((), ())
    advice = advise(selection, request, known.accuracies, fetch)
    return StoreAdvice(advice, (*loaded.damaged, *known.damaged))
