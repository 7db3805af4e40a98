"""The source family whose accuracies a recommendation counts: one only, for they are never mixed."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.accuracies import EXACT, with_accuracies
from octprobe.explore.advice.arrays import Flags
from octprobe.explore.advice.candidates import complete, figures_of
from octprobe.explore.advice.request import Request
from octprobe.store.accuracy import Accuracy

# What tells which accuracies are a row's.
_JOINED_BY = (
    *("subject", "network", "alpha", "alpha_map", "resolution", "kernel"),
    *("exchange", "downsample", "octave_kernels", "return_at"),
)
_PLACE = "_place"
_UNIT = ["accuracy_family", "dataset"]


@dataclass(frozen=True)
class Coverage:
    """How many points a source family has the accuracies of, on one data set.

    Attributes:
        feasible: of the points that meet every budget which is no accuracy.
        points: of all.
    """

    family: str
    dataset: str
    feasible: int
    points: int


@dataclass(frozen=True)
class Joined:
    """Rows with the accuracies of one family beside them; `families` lists all, the one taken first."""

    frame: pd.DataFrame
    families: tuple[Coverage, ...] = ()


def join_accuracies(frame: pd.DataFrame, request: Request, accuracies: Sequence[Accuracy]) -> Joined:
    """Set accuracies beside rows: of the family asked for, else of that which covers most feasible points.

    Of families that cover equally many, the one that covers more points at all, then the first by name.

    Raises:
        UsageError: there is no such family.
    """
    if not request.needs_accuracy:
        return Joined(frame)
    if request.accuracy_from is not None:
        _check_family(request.accuracy_from, accuracies)
    slim = frame[[name for name in _JOINED_BY if name in frame]].assign(**{_PLACE: np.arange(len(frame))})
    told = with_accuracies(slim, accuracies, request.accuracy_from)
    families = _coverages(told, _feasible_otherwise(frame, request), request)
    if families:
        is_taken = (told["accuracy_family"] == families[0].family) & (told["dataset"] == families[0].dataset)
        told = told[is_taken.to_numpy(dtype=bool, na_value=False)]
    return Joined(_beside(frame, told), families)


def _check_family(family: str, accuracies: Sequence[Accuracy]) -> None:
    known = sorted({accuracy.source_family for accuracy in accuracies})
    if family not in known:
        near = difflib.get_close_matches(family, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"--accuracy-from {family}: no accuracy is of that family.{hint} Choose from: {', '.join(known)}."
        )


def _feasible_otherwise(frame: pd.DataFrame, request: Request) -> Flags:
    """Say which rows meet every budget that is no accuracy, and have the goal where that is none."""
    meets = np.ones(len(frame), dtype=bool)
    if not request.goal.is_accuracy:
        meets &= ~np.isnan(figures_of(frame, request.goal.column))
    for budget in request.budgets:
        if not budget.objective.is_accuracy:
            values = figures_of(frame, budget.objective.column)
            meets &= (values <= budget.bound) if budget.is_upper else (values >= budget.bound)
    return meets


def _coverages(told: pd.DataFrame, feasible: Flags, request: Request) -> tuple[Coverage, ...]:
    wanted = [goal for goal in request.objectives if goal.is_accuracy]
    known = told[told["accuracy_family"].notna().to_numpy()].reset_index(drop=True)
    full, _ = complete(known, wanted)
    if not len(full):
        return ()
    places = full[[*_UNIT, _PLACE]].drop_duplicates()
    places = places.assign(feasible=feasible[places[_PLACE].to_numpy()])
    found = places.groupby(_UNIT, observed=True)["feasible"].agg(["sum", "size"])
    units = [
        Coverage(str(row["accuracy_family"]), str(row["dataset"]), int(row["sum"]), int(row["size"]))
        for _, row in found.reset_index().iterrows()
    ]
    return tuple(sorted(units, key=lambda unit: (-unit.feasible, -unit.points, unit.family, unit.dataset)))


def _beside(frame: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Put the accuracy columns beside the rows that they are of; of several lines a row, an exact match."""
    added = [name for name in told.columns if name not in (*_JOINED_BY, _PLACE)]
    exact = (told["accuracy_match"] != EXACT).to_numpy(dtype=bool, na_value=True)
    lines = told.iloc[np.argsort(exact, kind="stable")].drop_duplicates(_PLACE)
    columns = lines.set_index(_PLACE)[added].reindex(np.arange(len(frame)))
    columns.index = frame.index
    return pd.concat([frame, columns], axis=1)
