"""A profile as a page of the terminal and as a JSON object."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from octprobe.commands.layer_tree import PATH_STYLES, draw, grow
from octprobe.commands.terminal import bar, cell, draws_unicode, make_console
from octprobe.explore.doubts import explained
from octprobe.measure.breakdown import HOST_BOUND_BELOW
from octprobe.measure.profile import Profile
from octprobe.plan.point import DesignPoint
from octprobe.stats import series_interval
from octprobe.store.records import PATHS
from octprobe.units import ABSENT, show_macs, show_ms, show_number

# Operators shown where there are no layers to show; JSON has them all.
_OPERATORS_SHOWN = 15
# Kernels of a compiler have names longer than a line.
_NAME_WIDTH = 40
_BAR_WIDTH = 12


def path_times_ms(profile: Profile) -> dict[str, float]:
    """Sum the parts by path, in the order of `PATHS`; paths that did not run are left out."""
    times_ms: dict[str, float] = {}
    for part in profile.breakdown.parts or ():
        times_ms[part.path] = times_ms.get(part.path, 0.0) + part.time_ms
    return {path: times_ms[path] for path in PATHS if path in times_ms}


def as_object(point: DesignPoint, profile: Profile) -> dict[str, Any]:
    """Give the profile as JSON has it: times in milliseconds a call, MACs of a forward an item."""
    interval, environment = series_interval(profile.latency.samples_ms), profile.environment
    axes = {name: value for name, value in point.axes().items() if name not in ("subject", "threads")}
    return axes | {
        "device": environment.device_kind,
        "device_name": environment.device_name,
        "torch": environment.torch,
        "threads": environment.default_threads,
        "env_id": environment.env_id,
        "latency_ms_median": interval.median,
        "latency_ms_ci_low": interval.low,
        "latency_ms_ci_high": interval.high,
        "latency_samples": interval.count,
        "doubts": [doubt.value for doubt in profile.doubts],
        "profiled_calls": profile.profiled_calls,
        "macs_by_path": asdict(profile.path_macs) if profile.path_macs else None,
        "device_time_ms_by_path": path_times_ms(profile) or None,
        **asdict(profile.breakdown),
    }


def print_profile(point: DesignPoint, profile: Profile, depth: int) -> None:
    """Print totals, then the tree of layers and the table of paths, or operators where there are no layers.

    Args:
        point: what was profiled.
        profile: what was found.
        depth: levels of modules in the tree.
    """
    console = make_console()
    unicode, breakdown = draws_unicode(console), profile.breakdown
    console.print(cell(point.label(), "bold"), soft_wrap=True)
    console.print(_totals(profile))
    for doubt in profile.doubts:
        console.print(cell(f"doubt: {explained(doubt)}", "yellow"), soft_wrap=True)
    console.print()
    if breakdown.parts is None:
        reason = f"By operator; not by layer and path: {breakdown.parts_reason}."
        console.print(cell(reason), soft_wrap=True)
        if breakdown.operators:
            console.print(_operators(profile))
        return
    root = grow(point.label().partition(",")[0], breakdown.parts, depth)
    for drawn in draw(root, console.width, unicode=unicode):
        console.print(drawn)
    console.print()
    console.print(_paths(profile, point.conditions.batch, unicode=unicode))
    if unseen := [path for path in _macs(profile) if path not in path_times_ms(profile)]:
        missed = f"{', '.join(unseen)}: MACs but no time seen, as of threads that the network starts itself."
        console.print(cell(missed, "yellow"), soft_wrap=True)


def _totals(profile: Profile) -> Table:
    table = _table("<", ">", "<")
    for row in _total_rows(profile):
        table.add_row(*map(cell, row))
    return table


def _total_rows(profile: Profile) -> Iterator[tuple[str, str, str]]:
    interval, breakdown = series_interval(profile.latency.samples_ms), profile.breakdown
    environment = profile.environment
    low, high = show_number(interval.low), show_number(interval.high)
    taken = f"a call, 95 % CI [{low}, {high}] ms, n = {interval.count}, unprofiled"
    yield "latency", show_ms(interval.median), taken
    median = f"a call, the median of {profile.profiled_calls} under the profiler"
    yield "device time", show_ms(breakdown.device_time_ms), median
    if breakdown.kernels is not None:
        yield "kernels", _count(breakdown.kernels), "a call"
    if breakdown.host_bound is not None:
        bound = ("yes", "less than") if breakdown.host_bound else ("no", "at least")
        yield (
            "host bound",
            bound[0],
            f"the device is busy for {bound[1]} {HOST_BOUND_BELOW:.0%} of the latency",
        )
    if breakdown.layout_conversion_share is not None:
        share = f"{breakdown.layout_conversion_share:.1%}"
        yield "layout", share, "of the device time converts memory formats"
    where = f"{environment.device_name}, torch {environment.torch}, {environment.default_threads} threads"
    yield "device", environment.device_kind, where


def _paths(profile: Profile, batch: int, *, unicode: bool) -> Table:
    """Show what share of the work each path has, and what share of the time."""
    times_ms, macs = path_times_ms(profile), _macs(profile)
    whole_ms, whole_macs = sum(times_ms.values()), sum(macs.values()) or None
    headings = ("path", "MACs/item", "of MACs", "ms/call", "of time", "", "GMACs/s", "kernels")
    # A processor has no kernels.
    shown = len(headings) - (profile.breakdown.kernels is None)
    table = _table(*"<>>>><>>"[:shown], headings=headings[:shown])
    for path in (path for path in PATHS if path in times_ms or path in macs):
        work, time_ms = macs.get(path), times_ms.get(path)
        row = (
            cell(path, PATH_STYLES[path]),
            show_macs(work),
            _percent(work, whole_macs),
            _ms(time_ms),
            _percent(time_ms, whole_ms),
            cell(bar(time_ms or 0.0, whole_ms, _BAR_WIDTH, unicode=unicode), PATH_STYLES[path]),
            show_number(work * batch / time_ms / 1e6 if work and time_ms else None),
            _count(_kernels(profile, path)),
        )
        table.add_row(*row[:shown])
    total = ("all", show_macs(whole_macs), "", _ms(whole_ms), "", "", "", _count(profile.breakdown.kernels))
    table.add_row(*total[:shown], style="bold")
    return table


def _macs(profile: Profile) -> dict[str, int]:
    """Give the MACs of the paths that have any."""
    macs = asdict(profile.path_macs) if profile.path_macs else {}
    return {path: work for path, work in macs.items() if work}


def _kernels(profile: Profile, path: str) -> int | None:
    """Sum a path's kernels a call; None on a processor."""
    counts = [part.kernels for part in profile.breakdown.parts or () if part.path == path]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _operators(profile: Profile) -> Table:
    breakdown = profile.breakdown
    table = _table(*"<>>>>", headings=("operator", "ms/call", "of time", "calls", "kernels"))
    for operator in (breakdown.operators or ())[:_OPERATORS_SHOWN]:
        name = cell(operator.name)
        name.truncate(_NAME_WIDTH, overflow="ellipsis")
        table.add_row(
            name,
            _ms(operator.time_ms),
            _percent(operator.time_ms, breakdown.device_time_ms),
            f"{operator.calls:g}",
            ABSENT if operator.kernels is None else f"{operator.kernels:g}",
        )
    return table


def _table(*sides: str, headings: tuple[str, ...] | None = None) -> Table:
    table = Table(box=None, pad_edge=False, show_header=headings is not None)
    for heading, side in zip(headings or ("",) * len(sides), sides, strict=True):
        table.add_column(heading, justify="left" if side == "<" else "right")
    return table


def _ms(time_ms: float | None) -> str:
    """Show a time with the same digits as all others in its column, down to a microsecond."""
    return ABSENT if time_ms is None else f"{time_ms:.3f}"


def _count(count: int | None) -> str:
    return ABSENT if count is None else f"{count:,}"


def _percent(part: float | None, whole: float | None) -> str:
    return ABSENT if part is None or not whole else f"{part / whole:.1%}"
