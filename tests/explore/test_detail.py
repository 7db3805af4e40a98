"""All that a row tells: each figure beside its spread, and nothing said of what is absent."""

from dataclasses import replace
from typing import Any

import pytest

from fakes_store import (
    ENVIRONMENT,
    cost_of,
    ended,
    latency_of,
    layer_point,
    measured,
    network_point,
    row,
)
from octprobe.explore.detail import PathShare, facts_of, path_shares
from octprobe.store.query import plain
from octprobe.store.records import (
    Breakdown,
    Company,
    Environment,
    Measurement,
    Memory,
    PassSeconds,
    PathMacs,
    Status,
)

GPU = replace(ENVIRONMENT, device_kind="cuda", device_name="Fake GPU", driver="550.54", cuda="12.8")
BUSY = Company(
    foreign_cpu_seconds=(0.0002,) * 41,
    clock_mhz=(1410.0,) * 41,
    temperature_c_max=65.0,
    throttle_reasons=("sw_power_cap", "hw_slowdown"),
    throttled_samples=1,
    foreign_processes=2,
)
ON_GPU = Breakdown(
    device_time_ms=0.9,
    kernels=561,
    host_bound=True,
    layout_conversion_share=0.034,
    parts_reason="compiled code has no paths",
)


def record_of(
    measurement: Measurement, environment: Environment = ENVIRONMENT, **axes: Any
) -> dict[str, Any]:
    """Give the row of a network at alpha 0.5 as plain values."""
    alpha = axes.pop("alpha", "0.5")
    return {
        name: plain(value)
        for name, value in vars(row(network_point(alpha, **axes), measurement, environment)).items()
    }


def facts(measurement: Measurement, environment: Environment = ENVIRONMENT, **axes: Any) -> dict[str, str]:
    """Give the lines by name."""
    return dict(facts_of(record_of(measurement, environment, **axes)))


def test_a_row_measured_on_a_processor() -> None:
    """Every line of it, but for the ids and what pseudo-random resampling gives."""
    seconds = PassSeconds(build=0.5, warm_up=2.0)
    told = facts(measured(72.0, 0.9, reason="no kernels: it broke", seconds=seconds), batch=8)
    del told["ids"]
    ratio = told.pop("vanilla")
    assert ratio.startswith("0.9 [0.8")
    assert ratio.endswith("] of its time, 41 pairs, FASTER by a band of 1.0 %")
    assert told == {
        "status": "measured: attempt 1, 2026-01-02 12:00 UTC, sweep quickstart",
        "reason": "no kernels: it broke",
        "latency": "72.00 [71.75, 72.25] ms/call, 41 samples of 1 call, 3 rounds, "
        "within 0.35 % (1.0 % asked for)",
        "back to back": "72.00 [72.00, 72.00] ms/call, 9 blocks of 2 calls, 111.1 items/s",
        "before": "first call 144.0 ms, 5 calls in all",
        "company": "timed beside 1 more, other programs took 0 % of the processors, the hypervisor 0 %",
        "peak memory": "51.38 MB measured, 102.8 MB live by the walk",
        "held beside": "weights 102.2 MB, input 4.817 MB",
        "output": "off eager float32's by 0.000001 of its norm",
        "work": "4.089 GMACs/item, 25.56 M parameters, 120 operators/call, "
        "reads 4.000 kB/item, writes 2.000 kB/item",
        "device time": "64.80 ms/call",
        "time spent": "build 0.5 s, warm_up 2.0 s",
        "environment": "device_name Fake CPU 3000, torch 2.9.0, deterministic False, cpu_count 2, "
        "default_threads 2, os Linux 6.1",
    }


def test_a_row_measured_on_an_accelerator_in_bad_company() -> None:
    """Clocks, kernels, reserved memory and a compilation have lines where they were read."""
    latency = replace(
        latency_of(1.0, 1.1), company=BUSY, timed_together=1, compile_seconds=12.3, period_samples_ms=()
    )
    told = facts(
        measured(
            1.0,
            latency=latency,
            breakdown=ON_GPU,
            memory=Memory(peak_allocator_bytes=51_000_000, peak_reserved_bytes=70_000_000),
            cost=replace(cost_of(1000), macs_executed=3000, feature_map_bytes=2_000_000, octave_exits=1),
        ),
        GPU,
    )
    assert (
        told["company"]
        == "timed alone, other programs took 10.0 % of the processors, 2 programs on the accelerator"
    )
    assert (
        told["clock"]
        == "1410 MHz, at most 65.00 degrees C, held down by sw_power_cap, hw_slowdown, 1 block discarded"
    )
    assert told["before"] == "compiled in 12.30 s, first call 2.000 ms, 5 calls in all"
    assert told["peak memory"] == (
        "51.00 MB measured, 70.00 MB reserved, 12.85 MB live by the walk, 2.000 MB in and out by closed form"
    )
    assert told["work"].startswith("1.000 kMACs/item, 3.000 kMACs executed, ")
    assert told["work"].endswith(", 1 octave exit")
    assert told["device time"] == (
        "0.9 ms/call, 561 kernels/call, waits for the host, 3.4 % of it converts memory formats, "
        "not by path: compiled code has no paths"
    )
    assert told["environment"].startswith("device_name Fake GPU, driver 550.54, torch 2.9.0, cuda 12.8, ")
    assert "cpu_model Fake CPU 3000" in told["environment"]
    assert "back to back" not in told


def test_vanilla_is_compared_with_nothing() -> None:
    """It is what the others are compared with; a point that lost its anchor has no such line."""
    assert facts(measured(80.0), alpha="0")["vanilla"] == "this row"
    assert "vanilla" not in facts(measured(80.0))


def test_a_failure_has_its_reason_and_no_figures() -> None:
    """Absent figures have no lines."""
    told = dict(facts_of(vars(ended(network_point("0.5"), Status.CRASHED, "SIGSEGV"))))
    assert set(told) == {"status", "reason", "ids", "environment"}
    assert told["status"].startswith("crashed: attempt 1")
    assert told["reason"] == "SIGSEGV"


def test_too_few_samples_have_no_interval() -> None:
    """The count is there, the brackets are not."""
    assert facts(measured(80.0, count=1))["latency"].startswith("80.00 ms/call, 1 sample of 1 call, ")


def test_work_and_time_of_the_paths_stand_side_by_side() -> None:
    """Shares are of the paths' own sums; a path with neither has no line, one with either has."""
    cost = replace(cost_of(1000), path_macs=PathMacs(h2h=600, h2l=300, plain=100))
    record = record_of(measured(1.0, cost=cost, breakdown=None)) | {
        "device_time_ms_h2h": 0.75,
        "device_time_ms_add": 0.25,
    }
    assert path_shares(record) == [
        PathShare("h2h", 600, 0.6, 0.75, 0.75),
        PathShare("h2l", 300, 0.3, None, None),
        PathShare("plain", 100, 0.1, None, None),
        PathShare("add", None, None, 0.25, 0.25),
    ]


@pytest.mark.parametrize(
    ("field", "lost"),
    [
        ("cost", {"held beside", "work"}),
        ("breakdown", {"device time"}),
        ("memory", set()),
        ("latency", {"latency", "vanilla", "back to back", "before", "company"}),
    ],
)
def test_a_pass_that_gave_nothing_costs_its_own_lines(field: str, lost: set[str]) -> None:
    """The others stand; a peak that was not measured is still counted."""
    whole, part = facts(measured(80.0, 0.9)), facts(measured(80.0, 0.9, **{field: None}))
    assert set(whole) - set(part) == lost
    assert (part["peak memory"] == "12.85 MB live by the walk") == (field == "memory")


def test_a_layer_has_its_closed_form() -> None:
    """Its feature maps are known without a walk."""
    cost = replace(cost_of(1000), feature_map_bytes=802_816)
    told = dict(facts_of(vars(row(layer_point("0.5", "0.5"), measured(1.0, cost=cost)))))
    assert told["peak memory"].endswith("802.8 kB in and out by closed form")
