"""MACs, bytes and milliseconds, and how each is shown to a person."""

import math
from decimal import Decimal

ABSENT = "-"
_DECIMAL_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIGNIFICANT_DIGITS = 4
_ITEMSIZES = {"float32": 4, "tf32": 4, "bfloat16": 2, "float16": 2}


def bytes_in_dtype(float32_bytes: int, dtype: str) -> int:
    """Scale bytes that were counted in float32 to another number format.

    Raises:
        KeyError: no axis of octprobe has such a number format.
    """
    return float32_bytes * _ITEMSIZES[dtype] // _ITEMSIZES["float32"]


def show_number(value: float | None, digits: int = _SIGNIFICANT_DIGITS) -> str:
    """Show a number with so many significant digits, never in exponent form; absent is a dash."""
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if abs(value) < 1:
        return f"{Decimal(f'{value:.{digits}g}'):f}"
    whole = len(str(int(abs(value))))
    return f"{value:.{max(digits - whole, 0)}f}"


def _scaled(value: float | None, unit: str) -> str:
    if value is None:
        return ABSENT
    for size, prefix in _DECIMAL_STEPS:
        if abs(value) >= size:
            return f"{show_number(value / size)} {prefix}{unit}"
    return f"{show_number(value)} {unit}".rstrip()


def show_macs(macs: float | None) -> str:
    """Show a count of multiply-accumulates: `4.089 GMACs`."""
    return _scaled(macs, "MACs")


def show_bytes(size: float | None) -> str:
    """Show bytes in decimal units: `102.2 MB`."""
    return _scaled(size, "B")


def show_count(count: float | None) -> str:
    """Show a bare count in decimal steps: `25.56 M`."""
    return _scaled(count, "")


def show_ms(milliseconds: float | None) -> str:
    """Show a duration given in milliseconds: `81.57 ms`."""
    return ABSENT if milliseconds is None else f"{show_number(milliseconds)} ms"


def show_duration(seconds: float | None) -> str:
    """Show a wait as a person says it: `42 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return ABSENT
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
