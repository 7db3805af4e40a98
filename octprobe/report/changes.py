"""A comparison of two sides of a store as tables."""

from octprobe.explore.compare import Comparison, PointChange
from octprobe.explore.comparison.shift import Shift
from octprobe.explore.groups import is_anchor
from octprobe.explore.labels import row_label
from octprobe.figures.shapes import Table
from octprobe.units import show_number


def points_table(found: Comparison) -> Table:
    """Give a row a joined point: both medians, B over A with its interval, the verdict and the rest."""
    head = (
        *("row", "A, ms/call", "B, ms/call", "samples A", "samples B", "B / A", "CI low", "CI high"),
        *("time / vanilla, B / A", "its CI low", "its CI high", "verdict", "what else"),
    )
    return Table(head, tuple(map(_row, found.points)))


def _row(point: PointChange) -> "tuple[str | float | int | None, ...]":
    one, ratio = point.latency, point.time_ratio
    figures = (one.a, one.b, one.count_a, one.count_b, one.ratio, one.low, one.high)
    return (row_label(point.a), *figures, ratio.ratio, ratio.low, ratio.high, point.verdict, _notes(point))


def _notes(point: PointChange) -> str | None:
    notes = [f"{name} {before} in A, {after} in B" for name, (before, after) in point.exact.items()]
    if point.status_changed:
        notes.insert(0, f"{point.a['status']} in A, {point.b['status']} in B")
    elif point.latency.reason:
        notes.insert(0, point.latency.reason)
    if point.time_ratio.reason and not is_anchor(point.a) and point.time_ratio.reason != point.latency.reason:
        notes.append(point.time_ratio.reason)
    return "; ".join(notes) or None


def only_table(found: Comparison) -> Table:
    """Give the points that one side alone has."""
    sides = [("A", row) for row in found.only_a] + [("B", row) for row in found.only_b]
    return Table(
        ("only in", "row", "status"), tuple((side, row_label(row), row.get("status")) for side, row in sides)
    )


def shift_table(found: Shift) -> Table:
    """Give a row a subject: how many points, and the quartiles of B over A."""
    head = ("network or layers", "points on both sides", "ended otherwise in B", "compared")
    rows = tuple(
        (one.subject, one.points, one.ended_otherwise, one.compared, *(one.quartiles or (None,) * 3))
        for one in found.subjects
    )
    return Table((*head, "B / A: 1st quartile", "B / A: median", "B / A: 3rd quartile"), rows)


def sentences(found: Comparison) -> list[str]:
    """Say how many points were joined and tested, the verdicts, and how far vanilla itself moved."""
    words = ", ".join(f"{count} {word}" for word, count in found.verdicts.items() if count)
    said = [
        f"{len(found.points)} points joined, {found.tested} tested by {found.basis} with a band of "
        f"{100 * found.tolerance.band:g} %, Holm-corrected: {words or 'no verdict'}."
    ]
    if found.environment_differences:
        said.append(f"The environments differ: {'; '.join(map(str, found.environment_differences))}.")
    if found.vanilla_shift is not None:
        said.append(
            f"Vanilla's own latency, B / A: {show_number(found.vanilla_shift)} (median of its points)."
        )
    return said
