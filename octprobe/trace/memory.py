"""What the processor's allocator held over time, the scratch of its library of kernels left out."""

from collections.abc import Iterable, Sequence
from typing import Final

from octprobe.trace.attribution import OpenSpans
from octprobe.trace.timeline import OPERATOR, MemoryRecord, Span, Timeline

# torch's number for the processor in a memory record.
_CPU_DEVICE_TYPE: Final = 0
# Operators in which oneDNN computes. Within these torch takes tensors through operators of their own
# (aten::empty, aten::resize_) or keeps them; what is taken directly and given back before the end is
# oneDNN's: reordered copies and scratchpads (torch 2.14). A compiler's operators take true tensors so.
_ONEDNN_PREFIXES: Final = ("aten::mkldnn_", "mkldnn::")
_ONEDNN: Final = frozenset(
    f"aten::{name}" for name in ("_convolution", "convolution_backward", "addmm", "mm", "bmm", "baddbmm")
)


def peak_allocated_bytes(timeline: Timeline) -> int | None:
    """Give the most bytes the processor's allocator held above the start, without oneDNN's scratch.

    Args:
        timeline: a trace read with its memory. Without a record in it nothing was taken; without an operator
            either nothing was recorded, and there is no figure.
    """
    of_cpu = (record for record in timeline.memory if record.device_type == _CPU_DEVICE_TYPE)
    records = sorted(of_cpu, key=lambda record: record.at_ns)
    operators = [span for span in timeline.spans if span.category == OPERATOR]
    if not records and not operators:
        return None
    scratch = _scratch(records, operators)
    held = peak = 0
    for place, record in enumerate(records):
        held += 0 if place in scratch else record.size_bytes
        peak = max(peak, held)
    return peak


def _scratch(records: Sequence[MemoryRecord], operators: Iterable[Span]) -> set[int]:
    """Give the places of records that oneDNN's scratch made, taken and given back within one operator."""
    opened = OpenSpans(operators)
    places: set[int] = set()
    taken: dict[int | None, tuple[int, Span | None]] = {}
    for place, record in enumerate(records):
        if record.size_bytes > 0:
            taken[record.address] = place, opened.innermost(record.thread, record.at_ns)
            continue
        taken_at, owner = taken.pop(record.address, (place, None))
        if record.address is not None and owner and _uses_onednn(owner) and record.at_ns < owner.end_ns:
            places |= {taken_at, place}
    return places


def _uses_onednn(operator: Span) -> bool:
    return operator.name in _ONEDNN or operator.name.startswith(_ONEDNN_PREFIXES)
