"""The resume index: what a store already knows of a point in an environment, and whether that is enough."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from octprobe.store.records import Status

INDEX_COLUMNS = (
    "point_id",
    "env_id",
    "status",
    "attempt",
    "recorded_at",
    "reason",
    "doubts",
    "relative_ci_asked",
    "relative_ci_reached",
)

NO_RETRY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Attempt:
    """How one attempt at a point ended."""

    status: str
    attempt: int
    reason: str | None
    doubts: tuple[str, ...]
    relative_ci_asked: float | None
    relative_ci_reached: float | None

    def is_final(self, relative_ci: float, retry: frozenset[str] = NO_RETRY) -> bool:
        """Say whether nothing is left to do: not interrupted, not to be retried, as precise as asked."""
        if self.status == Status.INTERRUPTED or not retry.isdisjoint((self.status, *self.doubts)):
            return False
        return self.status != Status.MEASURED or self._is_precise(relative_ci)

    def _is_precise(self, relative_ci: float) -> bool:
        known = (self.relative_ci_asked, self.relative_ci_reached)
        return any(share is not None and share <= relative_ci for share in known)


@dataclass(frozen=True)
class ResumeIndex:
    """Every attempt of a store by (`point_id`, `env_id`), in order; a line for each unreadable part."""

    by_point: Mapping[tuple[str, str], tuple[Attempt, ...]]
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], warnings: tuple[str, ...] = ()) -> "ResumeIndex":
        """Index rows that carry at least `INDEX_COLUMNS`."""
        found: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
        # A stable sort: of equal attempts at equal times the later part stays last, as for every reader.
        for row in sorted(rows, key=lambda row: (row["attempt"], row["recorded_at"])):
            found[row["point_id"], row["env_id"]].append(_attempt(row))
        return cls({key: tuple(attempts) for key, attempts in found.items()}, warnings)

    def last(self, point_id: str, env_id: str) -> Attempt | None:
        """Give the last attempt at a point in an environment."""
        attempts = self.by_point.get((point_id, env_id))
        return attempts[-1] if attempts else None

    def attempts(self, point_id: str, env_id: str) -> int:
        """Give the number of the last attempt, 0 where there is none; the next row carries one more."""
        last = self.last(point_id, env_id)
        return last.attempt if last else 0

    def done(self, point_id: str, env_id: str, relative_ci: float, retry: frozenset[str] = NO_RETRY) -> bool:
        """Say whether a point needs no further attempt.

        Args:
            point_id: the point.
            env_id: the environment it would be measured in.
            relative_ci: half width of the interval asked for, as a share of the median; binds measured rows.
            retry: statuses and doubts whose rows are to be attempted again.
        """
        last = self.last(point_id, env_id)
        return last is not None and last.is_final(relative_ci, retry)


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(
        status=row["status"],
        attempt=row["attempt"],
        reason=row["reason"],
        doubts=tuple(row["doubts"] or ()),
        relative_ci_asked=row["relative_ci_asked"],
        relative_ci_reached=row["relative_ci_reached"],
    )
