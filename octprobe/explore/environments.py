"""In what the environments of rows differ: a figure holds for one environment only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from octprobe.explore.groups import Record
from octprobe.store.records import Environment, Status

# What `env_id` is a digest of, less the kind of device, which its name tells.
ENVIRONMENT_COLUMNS = tuple(
    field.name for field in fields(Environment) if field.name not in ("device_kind", "os")
)


@dataclass(frozen=True)
class Difference:
    """A column of the environment that takes more than one value; `values` are by `env_id`, as met."""

    column: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.column} {_listed(self.values.values())}"

    def of(self, env_id: str) -> str:
        """Give the column with the value of one environment."""
        return f"{self.column} {_shown(self.values[env_id])}"


def differences(rows: Iterable[Record]) -> tuple[Difference, ...]:
    """Find the columns in which the environments of rows differ; none where the columns do not tell."""
    environments: dict[str, Record] = {}
    for row in rows:
        environments.setdefault(row["env_id"], row)
    values = {
        column: {env_id: row.get(column) for env_id, row in environments.items()}
        for column in ENVIRONMENT_COLUMNS
    }
    if values["cpu_model"] == values["device_name"]:  # the processor is the device: said once
        del values["cpu_model"]
    return tuple(Difference(name, found) for name, found in values.items() if len(set(found.values())) > 1)


def incomparable(rows: Iterable[Record]) -> str | None:
    """Say in a line that rows are not comparable and in what they differ; None for one environment."""
    known = list(rows)
    count = len({row["env_id"] for row in known})
    if count < 2:
        return None
    return f"Rows of {count} environments are not comparable: {_told(map(str, differences(known)))}."


def measured_elsewhere(rows: Iterable[Record], here: Environment, point_ids: Collection[str]) -> str | None:
    """Say in a line how many points were measured in other environments only, and what has changed.

    Args:
        rows: attempts with `point_id`, `env_id`, `status` and `ENVIRONMENT_COLUMNS`.
        here: the environment in which the points are to be measured.
        point_ids: the points.
    """
    wanted = [row for row in rows if row["point_id"] in point_ids]
    known_here = {row["point_id"] for row in wanted if row["env_id"] == here.env_id}
    elsewhere = [
        row for row in wanted if row["point_id"] not in known_here and row["status"] == Status.MEASURED
    ]
    if not elsewhere:
        return None
    changes = differences([*elsewhere, {**asdict(here), "env_id": here.env_id}])
    points = len({row["point_id"] for row in elsewhere})
    places = len({row["env_id"] for row in elsewhere})
    return (
        f"{points} {'point was' if points == 1 else 'points were'} measured before under "
        f"{'another environment' if places == 1 else f'{places} other environments'} "
        f"({_told(map(_change, changes))}) and {'is' if points == 1 else 'are'} measured again."
    )


def _change(difference: Difference) -> str:
    """Give what was and what is; the environment that is comes last."""
    *before, now = difference.values.values()
    return f"{difference.column} {_listed(before)}, now {_shown(now)}"


def _told(parts: Iterable[str]) -> str:
    return "; ".join(parts) or "an earlier octprobe told environments apart otherwise"


def _listed(values: Iterable[object]) -> str:
    return " / ".join(dict.fromkeys(map(_shown, values)))


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
