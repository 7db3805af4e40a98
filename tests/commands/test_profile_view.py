"""A profile's page and its JSON object, from figures made by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fakes import ENVIRONMENT
from octprobe.commands.profile_view import as_object, print_profile
from octprobe.measure.profile import Profile
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.store.records import PATHS, Breakdown, Doubt, Latency, OperatorTime, PartTime, PathMacs

POINT = DesignPoint(
    subject=NetworkSubject(network="resnet18", alpha=Decimal("0.5")), conditions=Conditions(batch=2)
)
LATENCY = Latency(
    # In an order without a trend, which would widen the interval.
    samples_ms=tuple(10 + 11 * k % 30 / 100 for k in range(30)),
    calls_per_sample=1,
    pair_ratios=(),
    rounds=3,
    first_call_ms=None,
    warmup_calls=4,
)
PARTS = tuple(
    PartTime(layer=layer, path=path, time_ms=time_ms, kernels=kernels)
    for layer, path, time_ms, kernels in (
        ("conv1", "plain", 1.0, 2),
        ("layer1.conv", "h2h", 4.0, 3),
        ("layer1.conv", "l2h", 3.0, 1),
        ("layer1.bn", "norm", 2.0, 4),
    )
)
OPERATORS = (
    OperatorTime(name="aten::conv2d", time_ms=8.0, kernels=6, calls=3),
    OperatorTime(name="aten::batch_norm", time_ms=2.0, kernels=4, calls=4),
)
ON_CUDA = Profile(
    latency=LATENCY,
    breakdown=Breakdown(
        device_time_ms=10.0,
        kernels=10,
        host_bound=False,
        layout_conversion_share=0.031,
        parts=PARTS,
        operators=OPERATORS,
    ),
    profiled_calls=5,
    path_macs=PathMacs(h2h=20_000_000, l2h=2_000_000, plain=3_000_000),
    doubts=(),
    environment=ENVIRONMENT,
)
COMPILED = replace(
    ON_CUDA, breakdown=replace(ON_CUDA.breakdown, parts=None, parts_reason="execution compiled is fused")
)

Page = Callable[..., list[str]]


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Page:
    """Give what is printed at some width, line by line, without the spaces at the ends."""

    def printed(profile: Profile, width: int = 100, depth: int = 2) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        print_profile(POINT, profile, depth)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return printed


def test_the_page_letter_for_letter(page: Page) -> None:
    """Totals with unit, interval and n; the tree; each path's share of the work beside that of the time."""
    assert page(ON_CUDA) == [
        "resnet18 alpha 0.5, batch 2, 224 px, contiguous",
        "latency      10.14 ms  a call, 95 % CI [10.09, 10.20] ms, n = 30, unprofiled",
        "device time  10.00 ms  a call, the median of 5 under the profiler",
        "kernels            10  a call",
        "host bound         no  the device is busy for at least 90% of the latency",
        "layout           3.1%  of the device time converts memory formats",
        "device            cpu  Fake CPU 3000, torch 2.9.0, 2 threads",
        "",
        "layer                     ms/call of time              paths, % of the layer's time",
        "resnet18 alpha 0.5         10.000  100.0%  ██████████  h2h 40  l2h 30  norm 20  plain 10",
        "├── conv1                   1.000   10.0%  █           plain",
        "└── layer1                  9.000   90.0%  █████████   h2h 44  l2h 33  norm 22",
        "    ├── conv                7.000   70.0%  ███████     h2h 57  l2h 43",
        "    └── bn                  2.000   20.0%  ██          norm",
        "",
        "path     MACs/item  of MACs  ms/call  of time         GMACs/s  kernels",
        "h2h    20.00 MMACs    80.0%    4.000    40.0%  ████▊    10.00        3",
        "l2h    2.000 MMACs     8.0%    3.000    30.0%  ███▋     1.333        1",
        "plain  3.000 MMACs    12.0%    1.000    10.0%  █▎       6.000        2",
        "norm             -        -    2.000    20.0%  ██▍          -        4",
        "all    25.00 MMACs            10.000                                10",
    ]


def test_on_a_processor_nothing_is_said_of_kernels(page: Page) -> None:
    """No kernels, no waiting, no conversion of formats: their lines are left out."""
    parts = tuple(replace(part, kernels=None) for part in PARTS)
    breakdown = Breakdown(device_time_ms=10.0, kernels=None, host_bound=None, parts=parts, operators=())
    lines = page(replace(ON_CUDA, breakdown=breakdown))
    assert [line.split()[0] for line in lines[1:4]] == ["latency", "device", "device"]
    assert lines[-1].split() == ["all", "25.00", "MMACs", "10.000"]
    assert "kernels" not in " ".join(lines)


def test_without_layers_operators_are_shown_with_the_reason(page: Page) -> None:
    """A long kernel's name is cut, and no more operators than a page has room for are shown."""
    long = OperatorTime(name="triton_" + "x" * 200, time_ms=0.5, kernels=1.5, calls=1.5)
    breakdown = replace(COMPILED.breakdown, operators=(*OPERATORS, *[long] * 40))
    lines = page(replace(ON_CUDA, breakdown=breakdown))
    start = lines.index("By operator; not by layer and path: execution compiled is fused.")
    assert lines[start + 1].split() == ["operator", "ms/call", "of", "time", "calls", "kernels"]
    assert lines[start + 2].split() == ["aten::conv2d", "8.000", "80.0%", "3", "6"]
    assert len(lines) == start + 2 + 15
    assert lines[-1].startswith("triton_xxx")
    assert lines[-1].endswith("1.5")
    assert max(map(len, lines)) <= 100


def test_a_path_whose_work_was_not_seen_has_a_dash_and_a_line(page: Page) -> None:
    """Its MACs count in the whole; what ran on threads of the network's own is not in the trace."""
    unseen = PathMacs(h2h=20_000_000, h2l=1_000_000, l2h=2_000_000, plain=3_000_000)
    lines = page(replace(ON_CUDA, path_macs=unseen))
    (row,) = (line.split() for line in lines if line.startswith("h2l "))
    assert row == ["h2l", "1.000", "MMACs", "3.8%", "-", "-", "-", "-"]
    assert lines[-1] == "h2l: MACs but no time seen, as of threads that the network starts itself."
    assert lines[-2].split()[:2] == ["all", "26.00"]


def test_macs_that_nobody_knows_are_dashes(page: Page) -> None:
    """Absent, never 0."""
    lines = page(replace(ON_CUDA, path_macs=None))
    assert lines[-1].split() == ["all", "-", "10.000", "10"]
    assert as_object(POINT, replace(ON_CUDA, path_macs=None))["macs_by_path"] is None


def test_a_doubt_is_explained(page: Page) -> None:
    """An empty session has dashes for figures, and says why."""
    empty = Breakdown(
        device_time_ms=None, kernels=None, host_bound=None, parts_reason="the profiler recorded nothing"
    )
    lines = page(replace(ON_CUDA, breakdown=empty, doubts=(Doubt.PROFILER_EMPTY,)))
    assert "device time         -  a call, the median of 5 under the profiler" in lines
    said = "doubt: profiler_empty: the profiler recorded nothing. What to do: "
    assert [line.startswith(said) for line in lines if "profiler_empty" in line] == [True]


def test_what_is_said_in_words_is_not_broken(page: Page) -> None:
    """A line each, however long, as a person may search for it."""
    reason = "execution compiled " + "is fused " * 20
    breakdown = replace(COMPILED.breakdown, parts_reason=reason)
    lines = page(replace(ON_CUDA, breakdown=breakdown, doubts=(Doubt.NOT_CONVERGED,)), width=60)
    assert f"By operator; not by layer and path: {reason}." in lines
    assert any(line.endswith("then --retry not_converged.") for line in lines)


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_page_fits_100_columns(page: Page, width: int) -> None:
    """Every path at once, times of seconds and names that are long; what is piped has no other width."""
    parts = tuple(
        PartTime(layer=f"features.{'denseblock' * 3}{k}.conv", path=path, time_ms=1234.5678, kernels=1000)
        for k, path in enumerate(PATHS)
    )
    breakdown = replace(ON_CUDA.breakdown, device_time_ms=12345.678, parts=parts)
    assert max(map(len, page(replace(ON_CUDA, breakdown=breakdown), width, depth=9))) <= 100


def test_json_has_every_figure_and_is_strict() -> None:
    """Nothing that a strict parser would refuse; the breakdown's fields by their own names."""
    found: dict[str, Any] = json.loads(json.dumps(as_object(POINT, ON_CUDA), allow_nan=False))
    assert (found["network"], found["alpha"], found["batch"], found["threads"]) == ("resnet18", 0.5, 2, 2)
    assert (found["latency_samples"], found["profiled_calls"], found["doubts"]) == (30, 5, [])
    assert found["latency_ms_ci_low"] < found["latency_ms_median"] < found["latency_ms_ci_high"]
    assert found["device_time_ms_by_path"] == {"h2h": 4.0, "l2h": 3.0, "plain": 1.0, "norm": 2.0}
    assert found["macs_by_path"] == {
        "h2h": 20_000_000, "h2l": 0, "l2h": 2_000_000, "l2l": 0, "plain": 3_000_000,
    }  # fmt: skip
    assert found["parts"][1] == {"layer": "layer1.conv", "path": "h2h", "time_ms": 4.0, "kernels": 3}
    assert found["operators"][0]["name"] == "aten::conv2d"
    assert (found["device_time_ms"], found["kernels"], found["host_bound"]) == (10.0, 10, False)


def test_what_is_not_known_is_null_in_json() -> None:
    """No layers, no times by path."""
    found = as_object(POINT, COMPILED)
    assert (found["parts"], found["device_time_ms_by_path"]) == (None, None)
    assert found["parts_reason"] == "execution compiled is fused"
