"""A measurement's row: axes by name, figures derived once, bytes in the point's number format."""

import json
from dataclasses import fields, replace
from decimal import Decimal

import pytest

from fakes_store import (
    CONTEXT,
    ENVIRONMENT,
    NOON,
    cost_of,
    latency_of,
    layer_point,
    measured,
    network_point,
    row,
)
from octprobe import __version__
from octprobe.plan.point import DesignPoint, NetworkSubject
from octprobe.plan.variant import Variant
from octprobe.stats import median_interval, ratio_interval
from octprobe.store.flatten import make_row
from octprobe.store.records import Breakdown, Company, Doubt, Measurement, PartTime, PathMacs, Status
from octprobe.store.row import Row


def test_identity_context_and_environment() -> None:
    """The row says what was measured, where, when, and who asked."""
    point = network_point("0.5", batch=8, memory_format="channels_last")
    made = row(point, measured(80.0, 0.9), attempt=3)
    assert (made.point_id, made.group_id) == (point.point_id, point.anchor().point_id)
    assert (made.env_id, made.device, made.torch, made.os) == (
        ENVIRONMENT.env_id,
        "cpu",
        "2.9.0",
        "Linux 6.1",
    )
    assert (made.attempt, made.recorded_at, made.sweep) == (3, NOON, "quickstart")
    assert (made.spec_digest, made.octprobe, made.protocol) == ("0123456789abcdef", __version__, 1)
    assert (made.cuda, made.deterministic, made.cpu_count) == (None, False, 2)


def test_axes_of_a_network() -> None:
    """Every axis is a column; the layer's are null."""
    made = row(network_point("0.125", batch=8), measured(80.0, 0.9))
    assert (made.subject, made.network, made.alpha, made.alpha_map) == ("network", "resnet50", 0.125, None)
    assert (made.kernel, made.exchange, made.downsample) == ("four", "both", "average")
    assert (made.octave_kernels, made.return_at) == ("all", "policy")
    assert (made.batch, made.resolution, made.threads) == (8, 224, None)
    assert (made.in_channels, made.padding, made.alpha_in) == (None, None, None)


def test_an_alpha_map_is_json() -> None:
    """A map has no uniform alpha."""
    subject = NetworkSubject(
        network="resnet50", alpha=(("layer1", Decimal("0.5")), ("layer2.*", Decimal("0.25")))
    )
    made = row(DesignPoint(subject=subject), measured(80.0))
    assert made.alpha is None
    assert json.loads(made.alpha_map or "") == {"layer1": 0.5, "layer2.*": 0.25}


@pytest.mark.parametrize(("padding", "stored"), [(1, "1"), ("same", "same")])
def test_axes_of_a_layer(padding: int | str, stored: str) -> None:
    """Padding is text, because 'same' is one of its values."""
    made = row(layer_point("0.25", "0.5", padding=padding, groups=2), measured(1.0))
    assert (made.subject, made.network, made.alpha) == ("layer", None, None)
    assert (made.padding, made.groups, made.alpha_in, made.alpha_out) == (stored, 2, 0.25, 0.5)


def test_a_variant_and_its_exits_are_columns() -> None:
    """What was asked for, and how often the network that came of it leaves the octave world."""
    asked = Variant(exchange="none", downsample="max", octave_kernels="spatial", return_at="end")
    made = row(network_point("0.5", variant=asked), measured(80.0, cost=replace(cost_of(1), octave_exits=3)))
    assert (made.exchange, made.downsample, made.octave_kernels) == ("none", "max", "spatial")
    assert (made.return_at, made.octave_exits) == ("end", 3)


def test_variant_is_null_at_alpha_0() -> None:
    """What has no effect is not an axis."""
    made = row(network_point("0"), measured(80.0))
    assert (made.kernel, made.exchange, made.downsample, made.alpha) == (None, None, None, 0.0)
    assert (made.octave_kernels, made.return_at) == (None, None)
    assert made.point_id == made.group_id


def test_latency_is_derived_from_raw_samples() -> None:
    """Median, interval, n and precision are those of the samples kept beside them."""
    made = row(network_point("0.5"), measured(80.0, 0.9))
    interval = median_interval(latency_of(80.0).samples_ms)
    assert made.latency_ms_median == interval.median == 80.0
    assert (made.latency_ms_ci_low, made.latency_ms_ci_high) == (interval.low, interval.high)
    assert made.latency_samples == len(made.latency_ms_samples or ()) == 41
    assert made.relative_ci_reached == interval.relative_half_width
    assert (made.relative_ci_asked, made.first_call_ms, made.warmup_calls) == (0.01, 160.0, 5)


def test_verdict_is_that_of_the_paired_ratios() -> None:
    """The ratio's interval and the band decide."""
    made = row(network_point("0.5"), measured(80.0, 0.9))
    interval = ratio_interval(latency_of(80.0, 0.9).pair_ratios)
    assert (made.time_ratio_median, made.pairs) == (interval.median, 41)
    assert (made.time_ratio_ci_low, made.time_ratio_ci_high) == (interval.low, interval.high)
    assert (made.verdict, made.verdict_band) == ("FASTER", 0.01)


def test_an_anchor_has_no_ratio_and_no_verdict() -> None:
    """Absent is None: vanilla is not compared with itself."""
    made = row(network_point("0"), measured(80.0))
    assert (made.time_ratio_median, made.pairs, made.pair_ratios, made.verdict, made.verdict_band) == (
        None,
    ) * 5


def test_too_few_samples_have_a_median_and_no_interval() -> None:
    """Three samples: the median is known, its precision is not."""
    made = row(network_point("0.5"), measured(80.0, 0.9, count=3))
    assert (made.latency_ms_median, made.latency_ms_ci_low, made.relative_ci_reached) == (80.0, None, None)
    assert (made.pairs, made.time_ratio_ci_low, made.verdict) == (3, None, "AMBIGUOUS")


def test_no_sample_has_no_median() -> None:
    """A point stopped before its first sample is not 0 ms."""
    made = row(network_point("0.5"), measured(80.0, count=1, latency=latency_of(1.0, count=0)))
    assert (made.latency_ms_median, made.latency_samples, made.latency_ms_samples) == (None, 0, None)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("float16", 2), ("bfloat16", 2)])
def test_bytes_scale_with_batch_and_number_format(dtype: str, itemsize: int) -> None:
    """Counted in float32 for one item: live and input bytes take batch and width, weights the width."""
    made = row(network_point("0.5", batch=8, dtype=dtype), measured(80.0))
    assert made.peak_memory_live_bytes == 12_845_056 * 8 * itemsize // 4
    assert made.input_bytes == 602_112 * 8 * itemsize // 4
    assert made.weights_bytes == 102_228_128 * itemsize // 4
    assert (made.bytes_read, made.bytes_written) == (1000 * itemsize, 500 * itemsize)


def test_counts_are_an_item_and_the_same_in_every_format() -> None:
    """MACs do not scale with the batch; paths have columns of their own."""
    cost = measured(1.0).cost
    assert cost is not None
    split = {
        "cost": type(cost)(**(vars(cost) | {"path_macs": PathMacs(h2h=1, h2l=2, l2h=3, l2l=4, plain=5)}))
    }
    made = row(network_point("0.5", batch=8, dtype="float16"), measured(1.0, **split))
    assert (made.macs_h2h, made.macs_h2l, made.macs_l2h, made.macs_l2l, made.macs_plain) == (1, 2, 3, 4, 5)
    assert (made.macs, made.operators, made.uncounted_ops) == (4_089_184_256, 120, '{"aten::add_": 16}')


def test_fvcores_count_may_be_absent() -> None:
    """A network that fvcore cannot trace still has the walk's count."""
    cost = cost_of(7)
    bare = type(cost)(**(vars(cost) | {"macs": None, "uncounted_ops": None, "elementwise_flops": None}))
    made = row(network_point("0.5"), measured(1.0, cost=bare))
    assert (made.macs, made.uncounted_ops, made.elementwise_flops, made.macs_dispatched) == (
        None,
        None,
        None,
        7,
    )


def test_a_failed_point_has_reason_and_nothing_else() -> None:
    """What was not reached is null; doubts are empty, not null."""
    failed = Measurement(status=Status.CRASHED, reason="killed by signal 11", log_tail="Segmentation fault")
    made = make_row(network_point("0.5"), failed, ENVIRONMENT, CONTEXT)
    assert (made.status, made.reason, made.log_tail) == (
        "crashed",
        "killed by signal 11",
        "Segmentation fault",
    )
    assert made.doubts == ()
    assert (made.macs, made.latency_ms_median, made.peak_memory_allocator_bytes, made.kernels) == (None,) * 4


def test_doubts_keep_their_order() -> None:
    """Doubts travel with the row."""
    made = row(network_point("0.5"), measured(80.0, doubts=(Doubt.UNSTABLE, Doubt.BIMODAL)))
    assert made.doubts == ("unstable", "bimodal")


def test_every_column_can_be_filled() -> None:
    """Only what a CPU cannot know, and what a network is not, stays null after a whole measurement."""
    counted = replace(cost_of(1000), octave_exits=0)
    made = row(network_point("0.5", threads=2), measured(80.0, 0.9, cost=counted))
    absent = {declared.name for declared in fields(Row) if getattr(made, declared.name) is None}
    layer = {"in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"}
    cuda = {"driver", "cuda", "cudnn", "kernels", "host_bound", "peak_memory_reserved_bytes"}
    cuda |= {"layout_conversion_share", "foreign_processes", "throttle_reasons"}
    unseen = {"clock_mhz_median", "temperature_c_max", "governor"}
    assert absent == layer | cuda | unseen | {
        "alpha_in",
        "alpha_out",
        "alpha_map",
        "reason",
        "log_tail",
        "compile_seconds",
        "feature_map_bytes",
        "breakdown_reason",
        "device_time_ms_backward",
    }


def test_the_parts_of_a_breakdown_are_summed_by_path() -> None:
    """Two layers' paths add up; a path that no part took is null."""
    parts = (
        PartTime(layer="a", path="h2h", time_ms=2.0, kernels=3),
        PartTime(layer="b", path="h2h", time_ms=1.5, kernels=1),
        PartTime(layer="b", path="pool", time_ms=0.25, kernels=1),
    )
    breakdown = Breakdown(device_time_ms=3.75, kernels=5, host_bound=False, parts=parts)
    made = row(network_point("0.5"), measured(80.0, 0.9, breakdown=breakdown))
    assert (made.device_time_ms_h2h, made.device_time_ms_pool, made.device_time_ms_l2l) == (3.5, 0.25, None)
    assert made.breakdown_parts == parts


def test_the_company_of_a_point_is_a_share_of_all_processors() -> None:
    """41 blocks of 10 ms on two processors are .82 s of processor time, of which .041 s went elsewhere."""
    company = Company(
        foreign_cpu_seconds=(0.001,) * 41, steal_seconds=(0.0,) * 41, clock_mhz=(1000.0,) * 40 + (400.0,)
    )
    latency = replace(latency_of(10.0, spread=0.0), company=company)
    made = row(network_point("0.5"), measured(10.0, latency=latency))
    assert made.foreign_cpu_share == pytest.approx(0.05)
    assert (made.steal_share, made.clock_mhz_median) == (0.0, 1000.0)


def test_throughput_is_the_batch_over_the_period() -> None:
    """Eight items each 100 ms are 80 items a second."""
    made = row(network_point("0.5", batch=8), measured(100.0))
    assert (made.period_ms_median, made.throughput, made.period_samples) == (100.0, 80.0, 9)
