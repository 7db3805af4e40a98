"""What each doubt means and what to do about it, and which doubts all rows share."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from octprobe.explore.groups import Record
from octprobe.store.records import Doubt, Status

# Doubts that the machine casts on every row alike, so that a run says them once.
OF_THE_MACHINE = frozenset({Doubt.UNKNOWN_CLOCK})

# By `env_id`, the doubts that all rows of the environment have: said once, not on each row.
SharedDoubts = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Advice:
    """What was seen, and what a person can do about it."""

    meaning: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.meaning}. What to do: {self.remedy}."


ADVICE: Mapping[str, Advice] = {
    Doubt.NOT_CONVERGED: Advice(
        "the interval asked for was not reached within max_seconds",
        "close other programs, raise max_seconds or relative_ci, then --retry not_converged",
    ),
    Doubt.UNSTABLE: Advice(
        "medians of the rounds differ by more than 10 %", "something else ran; --retry unstable"
    ),
    Doubt.BIMODAL: Advice(
        "the samples lie in two heaps, as when a clock has two states",
        "fix the clock (governor performance), then --retry bimodal; the median may fall between the heaps",
    ),
    Doubt.CONTAMINATED: Advice(
        "others used the processors or the accelerator while samples were taken",
        "close other programs, then --retry contaminated",
    ),
    Doubt.THROTTLED: Advice(
        "heat or power held the clock down while samples were taken",
        "cool the device or lower its load, then --retry throttled",
    ),
    Doubt.SLOW_FIRST_CALL: Advice(
        "the very first call took far longer than the later ones",
        "add first_call_ms where a process makes few calls; the median stands",
    ),
    Doubt.PROFILER_EMPTY: Advice(
        "the profiler recorded nothing", "run the point again with --retry profiler_empty"
    ),
    Doubt.UNKNOWN_CLOCK: Advice(
        "the device's clock cannot be read, as on virtual machines", "trust ratios over times"
    ),
}


def explained(doubt: str) -> str:
    """Name a doubt with what it means and what to do; one that a newer octprobe raised is named only."""
    advice = ADVICE.get(doubt)
    return f"{doubt}: {advice}" if advice else doubt


def shared_doubts(rows: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Give, by `env_id`, the doubts that every measured row has; none where there is one row only."""
    measured: dict[str, list[Record]] = {}
    for row in rows:
        if row.get("status") == Status.MEASURED:
            measured.setdefault(row["env_id"], []).append(row)
    return {env_id: _in_all(found) if len(found) > 1 else () for env_id, found in measured.items()}


def shared_lines(shared: SharedDoubts) -> list[str]:
    """Say each shared doubt once, with what it means, and in which environments where it is not in all."""
    places: dict[str, list[str]] = {}
    for env_id, doubts in shared.items():
        for doubt in doubts:
            places.setdefault(doubt, []).append(env_id)
    return [
        f"every row{_of(found) if len(found) < len(shared) else ''}: {explained(doubt)}"
        for doubt, found in places.items()
    ]


def own_doubts(row: Record, shared: SharedDoubts) -> list[str]:
    """Give a row's doubts beyond those that all rows of its environment share."""
    known = shared.get(row["env_id"], ())
    return [doubt for doubt in row.get("doubts") or () if doubt not in known]


def _of(env_ids: Sequence[str]) -> str:
    return f" of env {', '.join(env_ids)}"


def _in_all(rows: Sequence[Record]) -> tuple[str, ...]:
    """Give the doubts of the first row that every other has too."""
    return tuple(
        d for d in rows[0].get("doubts") or () if all(d in (row.get("doubts") or ()) for row in rows)
    )
