"""One raw latency sample as a row of its own, for queries over samples."""

from dataclasses import dataclass, field

from octprobe.store.row import column


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One timed block of a point's last attempt in an environment. Absent is None."""

    point_id: str = field(metadata={"meaning": "identity of the work, as in `measurements`"})
    env_id: str = field(metadata={"meaning": "identity of the environment, as in `measurements`"})
    index: int = field(metadata={"meaning": "0 for the first block, in the order taken"})
    latency_ms: float | None = column(
        "time of a synchronized call in the block", "ms/call", source="measured"
    )
    foreign_cpu_seconds: float | None = column(
        "processor time of other processes in the block", "s", source="measured"
    )
    steal_seconds: float | None = column(
        "processor time that the hypervisor gave to others in the block", "s", source="measured"
    )


# A list shorter than the samples ends in nulls; a longer one is cut: what has no sample is no row.
SAMPLES_VIEW = """
SELECT
    point_id,
    env_id,
    unnest(range(len(latency_ms_samples))) AS index,
    unnest(latency_ms_samples) AS latency_ms,
    unnest(list_resize(foreign_cpu_seconds, len(latency_ms_samples))) AS foreign_cpu_seconds,
    unnest(list_resize(steal_seconds, len(latency_ms_samples))) AS steal_seconds
FROM measurements
"""
