"""One row of the store: every column with its meaning and unit, declared once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from octprobe.store.records import OperatorTime, PartTime


def column(meaning: str, unit: str | None = None, *, source: str | None = None) -> Any:
    """Declare a nullable column: its meaning, its unit, and whether it was measured, counted or declared."""
    return field(default=None, metadata={"meaning": meaning, "unit": unit, "source": source})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One attempt at one design point in one environment. Absent is None."""

    point_id: str = field(metadata={"meaning": "identity of the work: subject and conditions"})
    group_id: str = field(metadata={"meaning": "point_id of the anchor that the point was measured with"})
    env_id: str = field(metadata={"meaning": "identity of the environment the figures hold for"})
    status: str = field(
        metadata={
            "meaning": "how the point ended: measured, skipped, out_of_memory, failed, "
            "timed_out, crashed or interrupted"
        }
    )
    attempt: int = field(
        metadata={"meaning": "1 for the first row of this point and environment, then counted up"}
    )
    recorded_at: datetime = field(metadata={"meaning": "when the row was written, UTC"})

    reason: str | None = column(
        "why the point was skipped or failed, or what is to be said of a measured one"
    )
    doubts: tuple[str, ...] | None = column("reasons to trust the figures less; empty when there is none")
    log_tail: str | None = column("end of the worker's output, for points that failed")
    sweep: str | None = column("name of the sweep file that asked for the point")
    spec_digest: str | None = column("digest of the sweep file's text, kept under specs/")
    protocol: int | None = column("version of the measuring protocol")
    octprobe: str | None = column("version of octprobe that wrote the row")

    subject: str | None = column("network or layer")
    network: str | None = column("network's name: timm's, torchvision:NAME or module:function")
    alpha: float | None = column(
        "share of low channels of the policy's layers; null for a layer or an alpha map"
    )
    alpha_map: str | None = column("alpha by module pattern, JSON; null where alpha is uniform")
    in_channels: int | None = column("layer: input channels", "channels")
    out_channels: int | None = column("layer: output channels", "channels")
    kernel_size: int | None = column("layer: side of the square kernel", "pixels")
    stride: int | None = column("layer: stride", "pixels")
    padding: str | None = column("layer: padding, pixels or 'same'")
    dilation: int | None = column("layer: dilation", "pixels")
    groups: int | None = column("layer: groups of the convolution")
    alpha_in: float | None = column("layer: share of low input channels")
    alpha_out: float | None = column("layer: share of low output channels")
    kernel: str | None = column("form of the octave operator: four convolutions; null at alpha 0")
    exchange: str | None = column(
        "which paths between the frequencies exist, beside those that alone lead to an output: both, h2l, "
        "l2h or none; null at alpha 0"
    )
    downsample: str | None = column(
        "how high becomes low: average or max of 2x2, or strided convolutions; null at alpha 0"
    )
    octave_kernels: str | None = column(
        "network: which of the policy's convolutions have octave outputs: all, or spatial, those larger than "
        "1x1; null at alpha 0 or with an alpha map"
    )
    return_at: str | None = column(
        "network: where it returns to alpha 0: policy, as in the paper; end, not before its global pooling; "
        "or a module's name; null at alpha 0 or with an alpha map"
    )

    batch: int | None = column("items a forward call", "items")
    resolution: int | None = column("side of the square input", "pixels")
    dtype: str | None = column(
        "number format: float32 (TF32 off), tf32 (float32 with TF32 convolutions), float16 or bfloat16"
    )
    memory_format: str | None = column("contiguous or channels_last")
    execution: str | None = column("eager, compiled or cudagraph")
    mode: str | None = column(
        "infer: forward in eval mode under inference_mode; train: forward and backward in training mode"
    )
    threads: int | None = column("intra-op threads asked for; null for the machine's default")

    macs: int | None = column(
        "multiply-accumulates of convolutions and linear layers, an item", "MACs/item", source="counted"
    )
    macs_dispatched: int | None = column(
        "the same, counted by the walk on meta tensors", "MACs/item", source="counted"
    )
    macs_executed: int | None = column(
        "MACs that a call really runs, by the same walk; in training with the backward's",
        "MACs/item",
        source="counted",
    )
    macs_h2h: int | None = column(
        "closed form: high to high paths of octave layers", "MACs/item", source="counted"
    )
    macs_h2l: int | None = column(
        "closed form: high to low paths of octave layers", "MACs/item", source="counted"
    )
    macs_l2h: int | None = column(
        "closed form: low to high paths of octave layers", "MACs/item", source="counted"
    )
    macs_l2l: int | None = column(
        "closed form: low to low paths of octave layers", "MACs/item", source="counted"
    )
    macs_plain: int | None = column(
        "closed form: plain convolutions and linear layers", "MACs/item", source="counted"
    )
    elementwise_flops: int | None = column(
        "fvcore's figure for norms, pools, adds and up-sampling, an item", "FLOPs/item", source="counted"
    )
    uncounted_ops: str | None = column(
        "operators fvcore has no handle for, with their numbers, JSON", source="counted"
    )
    parameters: int | None = column("parameters; the same at every alpha", "parameters", source="counted")
    bytes_read: int | None = column(
        "bytes that the operators of a call read, an item's share, weights included",
        "bytes/item",
        source="counted",
    )
    bytes_written: int | None = column(
        "bytes that the operators of a call write, an item's share", "bytes/item", source="counted"
    )
    operators: int | None = column("operators dispatched in a call", "operators/call", source="counted")
    octave_exits: int | None = column(
        "network: places amid it where both frequencies are joined by up-sampling, for want of an octave "
        "form of what follows; null at alpha 0",
        "exits",
        source="counted",
    )

    latency_ms_median: float | None = column(
        "median time of a synchronized call", "ms/call", source="measured"
    )
    latency_ms_ci_low: float | None = column(
        "lower end of the median's 95 % interval", "ms/call", source="measured"
    )
    latency_ms_ci_high: float | None = column(
        "upper end of the median's 95 % interval", "ms/call", source="measured"
    )
    latency_samples: int | None = column("timed blocks behind the median", "samples")
    latency_ms_samples: tuple[float, ...] | None = column(
        "raw samples in the order taken", "ms/call", source="measured"
    )
    calls_per_sample: int | None = column("forward calls in a timed block", "calls/sample")
    rounds: int | None = column("interleaved rounds that gave samples", "rounds")
    relative_ci_asked: float | None = column("half width of the interval asked for, as a share of the median")
    relative_ci_reached: float | None = column("half width of the interval reached, as a share of the median")
    timed_together: int | None = column("subjects timed side by side, the anchor included", "subjects")
    first_call_ms: float | None = column("time of the very first call", "ms", source="measured")
    warmup_calls: int | None = column("calls made before the first sample", "calls")
    build_seconds: float | None = column(
        "time to build and convert the model in both workers, accounting's first call included",
        "s",
        source="measured",
    )
    warm_up_seconds: float | None = column("time of calls before the first sample", "s", source="measured")
    latency_seconds: float | None = column("time of the latency pass", "s", source="measured")
    cost_seconds: float | None = column("time of counting", "s", source="measured")
    memory_seconds: float | None = column("time of the memory pass", "s", source="measured")
    breakdown_seconds: float | None = column("time of the breakdown pass", "s", source="measured")
    check_seconds: float | None = column("time of checking the output", "s", source="measured")
    compile_seconds: float | None = column(
        "time of torch.compile's first call; never in the latency", "s", source="measured"
    )

    period_ms_median: float | None = column(
        "median time a call of calls made back to back", "ms/call", source="measured"
    )
    period_ms_ci_low: float | None = column(
        "lower end of the period's 95 % interval", "ms/call", source="measured"
    )
    period_ms_ci_high: float | None = column(
        "upper end of the period's 95 % interval", "ms/call", source="measured"
    )
    period_samples: int | None = column("blocks behind the period", "samples")
    calls_per_period_sample: int | None = column("calls back to back in a block", "calls/sample")
    throughput: float | None = column("batch over the median period", "items/s", source="measured")
    output_error: float | None = column(
        "distance of the output from eager float32's, as a share of the latter's norm", source="measured"
    )

    foreign_cpu_share: float | None = column(
        "processor time of other processes while samples were timed, as a share of the processors'",
        source="measured",
    )
    foreign_cpu_seconds: tuple[float, ...] | None = column(
        "the same in seconds, one a sample", "s", source="measured"
    )
    steal_share: float | None = column(
        "processor time that the hypervisor gave to others, as a share", source="measured"
    )
    steal_seconds: tuple[float, ...] | None = column(
        "the same in seconds, one a sample", "s", source="measured"
    )
    clock_mhz_median: float | None = column(
        "median clock of the device after a sample", "MHz", source="measured"
    )
    temperature_c_max: float | None = column(
        "highest temperature of the device after a sample", "degrees C", source="measured"
    )
    throttle_reasons: tuple[str, ...] | None = column(
        "why the clock was held down, a lasting cap included; empty when it was not, null where nothing tells"
    )
    throttled_samples: int | None = column(
        "timed blocks discarded because heat or a brake held the clock down", "samples"
    )
    foreign_processes: int | None = column("most other processes seen on the accelerator", "processes")

    time_ratio_median: float | None = column(
        "median over adjacent pairs of the point's time over its anchor's", source="measured"
    )
    time_ratio_ci_low: float | None = column(
        "lower end of the ratio's 95 % interval, block bootstrap", source="measured"
    )
    time_ratio_ci_high: float | None = column(
        "upper end of the ratio's 95 % interval, block bootstrap", source="measured"
    )
    pairs: int | None = column("adjacent pairs behind the ratio", "pairs")
    pair_ratios: tuple[float, ...] | None = column(
        "raw ratios, one a pair, in the order taken", source="measured"
    )
    verdict: str | None = column("FASTER, SLOWER, SAME or AMBIGUOUS against the anchor, by the band")
    verdict_band: float | None = column("half width of the band in which two times count as the same")

    peak_memory_allocator_bytes: int | None = column(
        "peak of the allocator above the start of a call", "bytes", source="measured"
    )
    peak_memory_reserved_bytes: int | None = column(
        "most that the caching allocator's pool held, weights and input included; CUDA only",
        "bytes",
        source="measured",
    )
    peak_memory_live_bytes: int | None = column(
        "live-range peak of the walk on meta tensors, whole batch", "bytes", source="counted"
    )
    weights_bytes: int | None = column("parameters and buffers", "bytes", source="counted")
    input_bytes: int | None = column("the example input, whole batch", "bytes", source="counted")
    feature_map_bytes: int | None = column(
        "layer: input and output feature maps by closed form, whole batch", "bytes", source="counted"
    )

    device_time_ms: float | None = column(
        "busy time of the device in a forward call, torch.profiler", "ms/call", source="measured"
    )
    kernels: int | None = column("kernels of a forward call; CUDA only", "kernels/call", source="measured")
    host_bound: bool | None = column("whether the device waits for the host; CUDA only", source="measured")
    layout_conversion_share: float | None = column(
        "share of the kernels' time that converts memory formats; CUDA only", source="measured"
    )
    device_time_ms_h2h: float | None = column(
        "device time of high to high paths", "ms/call", source="measured"
    )
    device_time_ms_h2l: float | None = column(
        "device time of high to low paths", "ms/call", source="measured"
    )
    device_time_ms_l2h: float | None = column(
        "device time of low to high paths", "ms/call", source="measured"
    )
    device_time_ms_l2l: float | None = column("device time of low to low paths", "ms/call", source="measured")
    device_time_ms_plain: float | None = column(
        "device time of plain convolutions and linear layers", "ms/call", source="measured"
    )
    device_time_ms_pool: float | None = column(
        "device time of poolings, the octave ones included", "ms/call", source="measured"
    )
    device_time_ms_upsample: float | None = column(
        "device time of up-samplings", "ms/call", source="measured"
    )
    device_time_ms_norm: float | None = column("device time of norms", "ms/call", source="measured")
    device_time_ms_add: float | None = column("device time of additions", "ms/call", source="measured")
    device_time_ms_other: float | None = column(
        "device time of all else in the forward", "ms/call", source="measured"
    )
    device_time_ms_backward: float | None = column(
        "device time of the backward; null for inference", "ms/call", source="measured"
    )
    breakdown_reason: str | None = column("why device time is not given by path; null where it is")
    breakdown_parts: tuple[PartTime, ...] | None = column(
        "device time by layer and path: layer, path, time_ms, kernels", "ms/call", source="measured"
    )
    breakdown_operators: tuple[OperatorTime, ...] | None = column(
        "device time by operator, the longest first: name, time_ms, kernels, calls",
        "ms/call",
        source="measured",
    )

    device: str | None = column("kind of device: cpu or cuda")
    device_name: str | None = column("device's model")
    driver: str | None = column("driver's version; CUDA only")
    torch: str | None = column("version of torch")
    cuda: str | None = column("version of CUDA; CUDA only")
    cudnn: str | None = column("version of cuDNN; CUDA only")
    deterministic: bool | None = column("whether deterministic algorithms were demanded")
    cpu_model: str | None = column("processor's model")
    cpu_count: int | None = column("processors that the process may use", "processors")
    default_threads: int | None = column("intra-op threads of a point whose `threads` is null", "threads")
    governor: str | None = column("processor's frequency governor; null where the machine does not show it")
    os: str | None = column("operating system and release; no part of env_id")
