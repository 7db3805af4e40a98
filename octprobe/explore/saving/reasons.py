"""Why a saving of MACs did not become time: sentences with figures of the breakdown, strongest first."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from octprobe.explore.groups import Record
from octprobe.units import show_bytes, show_ms, show_number

# Parts of a call that an octave network has more of, and that multiply nothing.
_GLUE = ("pool", "upsample", "add", "norm", "other")
_PATHS = ("h2h", "h2l", "l2h", "l2l", "plain")
_PATH_NAMES = {"h2l": "high to low", "l2h": "low to high", "h2h": "high to high", "l2l": "low to low"}
# What `why_slow` reads of a row.
REASON_COLUMNS = (
    *("host_bound", "kernels", "operators", "bytes_read", "bytes_written", "macs", "macs_executed"),
    *("latency_ms_median", "device_time_ms"),
    *(f"device_time_ms_{path}" for path in (*_PATHS, *_GLUE)),
    *(f"macs_{path}" for path in _PATHS),
)
# A share of vanilla's device time that the noise of one profiled pass could hide is no reason.
_LEAST_SHARE_OF_TIME = 0.02
# Counts are exact; less than this above vanilla's does not explain a lost saving.
_LEAST_RISE = 0.1
# Below this saving there is little to win: the paper's smallest alpha, .125, leaves 82 % of a layer's MACs.
_SMALL_SAVING = 0.15
# Bytes that fall by less than half as much as the MACs leave a network bound by memory.
_LEAST_SHARE_OF_SAVING = 0.5


class _Reason(NamedTuple):
    """A sentence, and how much it explains: milliseconds of a call, compared within one kind of reason."""

    weight: float
    sentence: str


def why_slow(record: Record, anchor: Record | None) -> tuple[str, ...]:
    """Say why an octave row's saving of MACs did not become time; empty where nothing is known.

    A device that waits for its host comes first, for then no work saved on the device can show. Then come
    parts that take more time than vanilla's, by milliseconds; then what is only counted: bytes, operators,
    MACs that are executed beyond the operator's work, and a saving that is small to begin with.

    Args:
        record: an octave row, with what it has of `REASON_COLUMNS`.
        anchor: the vanilla row of its group.
    """
    if anchor is None:
        return ()
    timed = sorted((*_glue(record, anchor), *_paths(record, anchor)), key=lambda reason: -reason.weight)
    counted = [told for tell in _COUNTED if (told := tell(record, anchor))]
    return (*_host(record, anchor), *(reason.sentence for reason in timed), *counted)


def _host(record: Record, anchor: Record) -> Iterable[str]:
    if not record.get("host_bound"):
        return ()
    busy, latency = record.get("device_time_ms"), record.get("latency_ms_median")
    share = f", busy for {_percent(busy / latency)} of a call" if busy is not None and latency else ""
    kernels = _beside("kernels", record, anchor)
    return (f"the device waits for the host{share}{f', which starts {kernels} a call' if kernels else ''}",)


def _glue(record: Record, anchor: Record) -> Iterable[_Reason]:
    """Find the kinds of glue that take longer than in vanilla."""
    whole = anchor.get("device_time_ms")
    for part in _GLUE:
        time = record.get(f"device_time_ms_{part}")
        if time is None or not whole:
            continue
        # No part of that kind in vanilla is no time in it, as the rest of its breakdown is there.
        before = anchor.get(f"device_time_ms_{part}") or 0.0
        if time - before >= _LEAST_SHARE_OF_TIME * whole:
            sentence = (
                f"{_GLUE_NAMES[part]} take {show_ms(time)}/call where vanilla's take "
                f"{show_ms(before)} (of {show_ms(whole)} in all)"
            )
            yield _Reason(time - before, sentence)


def _paths(record: Record, anchor: Record) -> Iterable[_Reason]:
    """Find the octave paths that take more time a MAC than vanilla's convolutions."""
    whole, rate = anchor.get("device_time_ms"), _time_a_mac(anchor)
    if not whole or rate is None:
        return
    for path, name in _PATH_NAMES.items():
        time, macs = record.get(f"device_time_ms_{path}"), record.get(f"macs_{path}")
        if time is None or not macs:
            continue
        excess = time - macs * rate
        if excess >= _LEAST_SHARE_OF_TIME * whole:
            sentence = (
                f"the path {name} takes {show_ms(time)}/call, {show_number(time / (macs * rate), 2)} times "
                f"what vanilla's convolutions take for as many MACs"
            )
            yield _Reason(excess, sentence)


def _time_a_mac(anchor: Record) -> float | None:
    """Give vanilla's device time in convolutions and linear layers over their MACs, ms an item's MAC."""
    time, macs = anchor.get("device_time_ms_plain"), anchor.get("macs_plain")
    return time / macs if time is not None and macs else None


def _bytes(record: Record, anchor: Record) -> str | None:
    moved, before = _moved(record), _moved(anchor)
    macs = _ratio("macs", record, anchor)
    if moved is None or not before or macs is None or macs >= 1:
        return None
    if 1 - moved / before >= _LEAST_SHARE_OF_SAVING * (1 - macs):
        return None
    return (
        f"it reads and writes {show_bytes(moved)}/item, {_percent(moved / before)} of vanilla's, "
        f"at {_percent(macs)} of its MACs"
    )


def _moved(record: Record) -> float | None:
    read, written = record.get("bytes_read"), record.get("bytes_written")
    return None if read is None or written is None else float(read + written)


def _operators(record: Record, anchor: Record) -> str | None:
    ratio = _ratio("operators", record, anchor)
    if ratio is None or ratio < 1 + _LEAST_RISE:
        return None
    return (
        f"it dispatches {_beside('operators', record, anchor)} a call, {show_number(ratio, 2)} times as many"
    )


def _kernels(record: Record, anchor: Record) -> str | None:
    ratio = _ratio("kernels", record, anchor)
    if record.get("host_bound") or ratio is None or ratio < 1 + _LEAST_RISE:
        return None
    return f"it runs {_beside('kernels', record, anchor)} a call, {show_number(ratio, 2)} times as many"


def _executed(record: Record, anchor: Record) -> str | None:
    ratio, work = _ratio("macs_executed", record, anchor), _ratio("macs", record, anchor)
    if ratio is None or work is None or ratio < work * (1 + _LEAST_RISE):
        return None
    return f"it executes {_percent(ratio)} of vanilla's MACs though its work is {_percent(work)}"


def _small(record: Record, anchor: Record) -> str | None:
    ratio = _ratio("macs", record, anchor)
    if ratio is None or ratio < 1 - _SMALL_SAVING:
        return None
    if ratio >= 1:
        return f"it saves no MACs: it has {_percent(ratio)} of vanilla's"
    return f"it saves {_percent(1 - ratio)} of vanilla's MACs only"


_COUNTED: tuple[Callable[[Record, Record], str | None], ...] = (
    _bytes,
    _kernels,
    _operators,
    _executed,
    _small,
)

_GLUE_NAMES = {
    "pool": "poolings",
    "upsample": "up-samplings",
    "add": "additions",
    "norm": "norms",
    "other": "parts that are no convolution, pooling, norm or addition",
}


def _ratio(column: str, record: Record, anchor: Record) -> float | None:
    part, whole = record.get(column), anchor.get(column)
    return None if part is None or not whole else part / whole


def _beside(column: str, record: Record, anchor: Record) -> str | None:
    """Give a count with vanilla's: `561 kernels (vanilla 172)`."""
    count, before = record.get(column), anchor.get(column)
    if count is None:
        return None
    return f"{count:g} {column}" + (f" (vanilla {before:g})" if before is not None else "")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
