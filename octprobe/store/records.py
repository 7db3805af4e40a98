"""What measuring one point gave: plain frozen values over raw samples, shared by both wings."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property

_ID_HEX_DIGITS = 16


class Status(StrEnum):
    """How a point ended; every point ends as exactly one row."""

    MEASURED = "measured"
    SKIPPED = "skipped"
    OUT_OF_MEMORY = "out_of_memory"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"


class Doubt(StrEnum):
    """A reason to trust a measured figure less; doubts never change an exit code."""

    NOT_CONVERGED = "not_converged"
    UNSTABLE = "unstable"
    BIMODAL = "bimodal"
    CONTAMINATED = "contaminated"
    THROTTLED = "throttled"
    SLOW_FIRST_CALL = "slow_first_call"
    PROFILER_EMPTY = "profiler_empty"
    UNKNOWN_CLOCK = "unknown_clock"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The machine and software that a figure holds for; `env_id` names the whole."""

    device_kind: str
    device_name: str
    driver: str | None
    torch: str
    cuda: str | None
    cudnn: str | None
    tf32: bool
    deterministic: bool
    cpu_model: str
    cpu_count: int
    default_threads: int
    os: str

    @cached_property
    def env_id(self) -> str:
        """Identity of the environment: the device's model, never its index, the host's name or its kernel."""
        figures_depend_on = {name: value for name, value in asdict(self).items() if name != "os"}
        text = json.dumps(figures_depend_on, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_HEX_DIGITS]


@dataclass(frozen=True, kw_only=True)
class PathMacs:
    """MACs by octave path, an item of the batch; plain convolutions and linear layers apart."""

    h2h: int = 0
    h2l: int = 0
    l2h: int = 0
    l2l: int = 0
    plain: int = 0

    @property
    def total(self) -> int:
        """All MACs, an item of the batch."""
        return self.h2h + self.h2l + self.l2h + self.l2l + self.plain


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Work that was counted, no clock read. Figures are for one item of the batch.

    `macs` is fvcore's count, `macs_dispatched` the meta walk's, `path_macs` the closed form; the three agree.
    """

    macs: int | None
    macs_dispatched: int
    path_macs: PathMacs
    elementwise_flops: int | None
    parameters: int
    uncounted_ops: dict[str, int] | None
    bytes_read: int
    bytes_written: int
    operators: int
    weights_bytes: int
    input_bytes: int
    peak_live_bytes: int


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Times of synchronized forward calls, milliseconds a call.

    `pair_ratios` are the times of this point over those of its anchor, one an adjacent pair.
    """

    samples_ms: tuple[float, ...]
    calls_per_sample: int
    pair_ratios: tuple[float, ...]
    rounds: int
    first_call_ms: float | None
    warmup_calls: int
    compile_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Peak bytes while one forward call ran, above what was held before it; None where nothing was read."""

    peak_allocator_bytes: int | None
    peak_reserved_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """What torch.profiler saw, a forward call."""

    device_time_ms: float | None
    kernels: int | None
    host_bound: bool | None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """All that is known of one point after its passes; what was not reached is None."""

    status: Status
    reason: str | None = None
    doubts: tuple[Doubt, ...] = ()
    cost: Cost | None = None
    latency: Latency | None = None
    memory: Memory | None = None
    breakdown: Breakdown | None = None
    log_tail: str | None = None
    build_seconds: float | None = None
