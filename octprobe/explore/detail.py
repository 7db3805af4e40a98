"""All that a row tells, in words: what was measured beside what was counted, each figure with its spread."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from octprobe.explore.environments import ENVIRONMENT_COLUMNS
from octprobe.explore.fastest import estimate
from octprobe.explore.groups import Record, is_anchor
from octprobe.store.records import PATHS, PassSeconds
from octprobe.units import show_bytes, show_count, show_macs, show_ms, show_number


class Fact(NamedTuple):
    """A line: what it is of, and its figures."""

    name: str
    text: str


class PathShare(NamedTuple):
    """One octave path or kind of glue: its MACs, an item, beside the device's time in it, a call."""

    path: str
    macs: int | None
    macs_share: float | None
    time_ms: float | None
    time_share: float | None


def facts_of(record: Record) -> list[Fact]:
    """Give what a row holds as lines; what it does not hold has none."""
    found = [Fact(name, tell(record)) for name, tell in _LINES.items()]
    return [fact for fact in found if fact.text]


def path_shares(record: Record) -> list[PathShare]:
    """Set each path's work beside its time, for the paths that a row has either of."""
    macs = {path: record.get(f"macs_{path}") or None for path in PATHS}
    times_ms = {path: record.get(f"device_time_ms_{path}") for path in PATHS}
    return [
        PathShare(path, macs[path], _part(macs[path], macs), times_ms[path], _part(times_ms[path], times_ms))
        for path in PATHS
        if macs[path] is not None or times_ms[path] is not None
    ]


def _part(value: float | None, values: dict[str, Any]) -> float | None:
    whole = sum(known for known in values.values() if known is not None)
    return None if value is None or not whole else value / whole


def _status(record: Record) -> str:
    moment = str(record["recorded_at"])[:16].replace("T", " ")
    ending = _list(f"attempt {record['attempt']}", f"{moment} UTC", _phrase("sweep {}", record.get("sweep")))
    return f"{record['status']}: {ending}"


def _reason(record: Record) -> str:
    return record.get("reason") or ""


def _ids(record: Record) -> str:
    return _list(*(f"{name} {record[f'{name}_id']}" for name in ("point", "group", "env")))


def _latency(record: Record) -> str:
    median = estimate(record, "latency_ms", record.get("latency_samples"))
    if median is None:
        return ""
    samples = f"{_number(median.count, 'sample')} of {_number(record.get('calls_per_sample'), 'call')}"
    reached = _phrase("within {}", record.get("relative_ci_reached"), _percent)
    asked = _phrase(" ({} asked for)", record.get("relative_ci_asked"), _percent)
    precision = reached and reached + (asked or "")
    rounds = _phrase("{}", record.get("rounds"), lambda n: _number(n, "round"))
    return _list(f"{median} ms/call", samples, rounds, precision)


def _ratio(record: Record) -> str:
    ratio = estimate(record, "time_ratio", record.get("pairs"))
    if ratio is None:
        return "this row" if is_anchor(record) else ""
    verdict = f"{record.get('verdict')} by a band of {_percent(record.get('verdict_band'))}"
    return f"{ratio} of its time, {_number(ratio.count, 'pair')}, {verdict}"


def _period(record: Record) -> str:
    median = estimate(record, "period_ms", record.get("period_samples"))
    if median is None:
        return ""
    blocks = f"{_number(median.count, 'block')} of {_number(record.get('calls_per_period_sample'), 'call')}"
    return _list(f"{median} ms/call", blocks, _phrase("{} items/s", record.get("throughput"), show_number))


def _before(record: Record) -> str:
    return _list(
        _phrase("compiled in {} s", record.get("compile_seconds"), show_number),
        _phrase("first call {}", record.get("first_call_ms"), show_ms),
        _phrase("{} in all", record.get("warmup_calls"), lambda calls: _number(calls, "call")),
    )


def _company(record: Record) -> str:
    return _list(
        _phrase("timed {}", record.get("timed_together"), _beside),
        _phrase("other programs took {} of the processors", record.get("foreign_cpu_share"), _percent),
        _phrase("the hypervisor {}", record.get("steal_share"), _percent),
        _phrase("{} on the accelerator", record.get("foreign_processes"), lambda n: _number(n, "program")),
    )


def _beside(together: int) -> str:
    return "alone" if together == 1 else f"beside {together - 1} more"


def _clock(record: Record) -> str:
    return _list(
        _phrase("{} MHz", record.get("clock_mhz_median"), show_number),
        _phrase("at most {} degrees C", record.get("temperature_c_max"), show_number),
        _phrase("held down by {}", record.get("throttle_reasons") or None, ", ".join),
        _phrase("{} discarded", record.get("throttled_samples") or None, lambda n: _number(n, "block")),
    )


def _memory(record: Record) -> str:
    """Give the peak by each way of knowing it."""
    return _list(
        _phrase("{} measured", record.get("peak_memory_allocator_bytes"), show_bytes),
        _phrase("{} reserved", record.get("peak_memory_reserved_bytes"), show_bytes),
        _phrase("{} live by the walk", record.get("peak_memory_live_bytes"), show_bytes),
        _phrase("{} in and out by closed form", record.get("feature_map_bytes"), show_bytes),
    )


def _held(record: Record) -> str:
    return _list(
        _phrase("weights {}", record.get("weights_bytes"), show_bytes),
        _phrase("input {}", record.get("input_bytes"), show_bytes),
    )


def _work(record: Record) -> str:
    """Give the counted work; what a call executes is named where it is more, as in training."""
    macs, executed = record.get("macs"), record.get("macs_executed")
    return _list(
        _phrase("{}/item", macs, show_macs),
        _phrase("{} executed", None if executed == macs else executed, show_macs),
        _phrase("{} parameters", record.get("parameters"), show_count),
        _phrase("{} operators/call", record.get("operators")),
        _phrase("reads {}/item", record.get("bytes_read"), show_bytes),
        _phrase("writes {}/item", record.get("bytes_written"), show_bytes),
        _phrase("{}", record.get("octave_exits"), lambda n: _number(n, "octave exit")),
    )


def _output(record: Record) -> str:
    error = record.get("output_error")
    return "" if error is None else f"off eager float32's by {_rounded(error)} of its norm"


def _device_time(record: Record) -> str:
    waits = record.get("host_bound")
    return _list(
        _phrase("{}/call", record.get("device_time_ms"), show_ms),
        _phrase("{}/call", record.get("kernels"), lambda n: _number(n, "kernel")),
        None if waits is None else f"{'waits' if waits else 'does not wait'} for the host",
        _phrase("{} of it converts memory formats", record.get("layout_conversion_share"), _percent),
        _phrase("not by path: {}", record.get("breakdown_reason")),
    )


def _spent(record: Record) -> str:
    """Give the wall time of each pass."""
    passes = [field.name for field in fields(PassSeconds)]
    return _list(*(_phrase(f"{name} {{}} s", record.get(f"{name}_seconds"), _rounded) for name in passes))


def _environment(record: Record) -> str:
    columns = [*ENVIRONMENT_COLUMNS, "os"]
    if record.get("cpu_model") == record.get("device_name"):
        columns.remove("cpu_model")
    return _list(*(_phrase(f"{column} {{}}", record.get(column)) for column in columns))


_LINES: dict[str, Callable[[Record], str]] = {
    "status": _status,
    "reason": _reason,
    "ids": _ids,
    "latency": _latency,
    "vanilla": _ratio,
    "back to back": _period,
    "before": _before,
    "company": _company,
    "clock": _clock,
    "peak memory": _memory,
    "held beside": _held,
    "output": _output,
    "work": _work,
    "device time": _device_time,
    "time spent": _spent,
    "environment": _environment,
}


def _list(*phrases: str | None, between: str = ", ") -> str:
    return between.join(phrase for phrase in phrases if phrase)


def _phrase(form: str, value: Any, show: Callable[[Any], object] = str) -> str | None:
    """Put a figure into words; what is absent has none."""
    return None if value is None else form.format(show(value))


def _number(count: float | None, noun: str) -> str:
    return f"{'-' if count is None else f'{count:g}'} {noun}{'' if count == 1 else 's'}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{_rounded(100 * share)} %"


def _rounded(value: float) -> str:
    return show_number(value, 2)
