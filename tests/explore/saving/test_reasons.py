"""Why an octave row is slow: each reason from its own columns, in order; silence where nothing is known."""

from typing import Any

import pytest

from octprobe.explore.saving.reasons import REASON_COLUMNS, why_slow
from octprobe.store.row import Row

VANILLA: dict[str, Any] = {
    "latency_ms_median": 100.0,
    "device_time_ms": 90.0,
    "device_time_ms_plain": 80.0,
    "device_time_ms_norm": 10.0,
    "macs": 800,
    "macs_plain": 800,
    "macs_executed": 800,
    "bytes_read": 60_000_000,
    "bytes_written": 40_000_000,
    "operators": 100,
    "kernels": 172,
}
# Half of the MACs, and all else in proportion: nothing is to be said of it.
HALF = {
    "latency_ms_median": 50.0,
    "device_time_ms": 45.0,
    "macs": 400,
    "macs_executed": 400,
    "bytes_read": 30_000_000,
    "bytes_written": 20_000_000,
    "operators": 100,
    "kernels": 172,
}


def test_nothing_known_is_no_reason() -> None:
    """No row beside it, no columns, or all in proportion."""
    assert why_slow(HALF, None) == ()
    assert why_slow({}, {}) == ()
    assert why_slow(dict.fromkeys(REASON_COLUMNS), dict.fromkeys(REASON_COLUMNS)) == ()
    assert why_slow(HALF, VANILLA) == ()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"host_bound": True, "device_time_ms": 45.0, "latency_ms_median": 100.0, "kernels": 561},
            "the device waits for the host, busy for 45 % of a call, which starts 561 kernels (vanilla 172) "
            "a call",
        ),
        (
            {"device_time_ms_upsample": 9.0},
            "up-samplings take 9.000 ms/call where vanilla's take 0 ms (of 90.00 ms in all)",
        ),
        (
            {"device_time_ms_norm": 13.0},
            "norms take 13.00 ms/call where vanilla's take 10.00 ms (of 90.00 ms in all)",
        ),
        (
            {"device_time_ms_l2h": 30.0, "macs_l2h": 100},
            "the path low to high takes 30.00 ms/call, 3.0 times what vanilla's convolutions take for as "
            "many MACs",
        ),
        (
            {"bytes_read": 55_000_000, "bytes_written": 35_000_000},
            "it reads and writes 90.00 MB/item, 90 % of vanilla's, at 50 % of its MACs",
        ),
        ({"kernels": 344}, "it runs 344 kernels (vanilla 172) a call, 2.0 times as many"),
        ({"operators": 150}, "it dispatches 150 operators (vanilla 100) a call, 1.5 times as many"),
        ({"macs_executed": 600}, "it executes 75 % of vanilla's MACs though its work is 50 %"),
    ],
)
def test_each_reason_has_its_figures(columns: dict[str, Any], sentence: str) -> None:
    """And is the only one."""
    assert why_slow(HALF | columns, VANILLA) == (sentence,)


@pytest.mark.parametrize(
    "columns",
    [
        {"device_time_ms_upsample": 1.7},
        {"device_time_ms_h2h": 11.7, "macs_h2h": 100},
        {"operators": 109},
        {"bytes_read": 44_000_000},
        {"macs_executed": 430},
    ],
)
def test_what_noise_could_hide_is_no_reason(columns: dict[str, Any]) -> None:
    """Just under each threshold."""
    assert why_slow(HALF | columns, VANILLA) == ()


def test_a_small_saving_is_a_reason() -> None:
    """As at alpha .125; and where nothing is saved at all."""
    assert "it saves 10 % of vanilla's MACs only" in why_slow({"macs": 720}, VANILLA)
    assert "it saves no MACs: it has 100 % of vanilla's" in why_slow({"macs": 800}, VANILLA)


def test_the_host_comes_first_then_the_most_milliseconds_then_counts() -> None:
    """Glue and paths share one order."""
    columns = {
        "host_bound": True,
        "device_time_ms_add": 5.0,
        "device_time_ms_pool": 7.0,
        "device_time_ms_h2l": 16.0,
        "macs_h2l": 100,
        "operators": 200,
    }
    found = why_slow(HALF | columns, VANILLA)
    starts = ["the device waits", "poolings", "the path high to low", "additions", "it dispatches"]
    assert [sentence[: len(start)] for sentence, start in zip(found, starts, strict=True)] == starts


def test_what_is_read_are_columns_of_the_row() -> None:
    """The list cannot drift from the schema."""
    assert set(REASON_COLUMNS) <= set(Row.__dataclass_fields__)
