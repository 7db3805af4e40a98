"""octprobe's latency beside torch.utils.benchmark's, interleaved: `make bench-timer`.

Ten configurations run with both clocks taking turns, block by block in random order; the figure is the median
of the paired ratio.
"""

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import torch
from rich.progress import track
from rich.table import Table
from torch.utils.benchmark import Timer

from octprobe.commands.terminal import make_console
from octprobe.measure.device import Call, Device, open_device
from octprobe.measure.execution import in_force, make_runnable
from octprobe.measure.garbage import garbage_held
from octprobe.measure.latency import GroupTimer
from octprobe.measure.lookout import open_lookout
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.spec import Measure
from octprobe.stats import Interval, ratio_interval, series_interval
from octprobe.workload import build_workload

TOLERANCE = 0.02
_SETTINGS = Measure(relative_ci=0.005, min_seconds=2, max_seconds=8)
_OURS, _THEIRS = "octprobe", "torch.utils.benchmark"


class TorchTimer:
    """The same device, read with torch.utils.benchmark for one of the calls.

    Args:
        device: what times the other calls.
        theirs: the call that torch's timer times.
    """

    def __init__(self, device: Device, theirs: Call) -> None:
        self._device = device
        self._theirs = theirs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def time_calls_ms(self, call: Call, calls: int) -> float:
        """See `Device`; torch's own timer warms up once more and reads its own clock."""
        if call is not self._theirs:
            return self._device.time_calls_ms(call, calls)
        timer = Timer("call()", globals={"call": call}, num_threads=torch.get_num_threads())
        return timer.timeit(calls).median * 1e3


def configurations() -> Iterator[DesignPoint]:
    """Give ten points: small layers to networks, plain and octave, both memory formats."""
    for alpha in (Decimal(0), Decimal("0.5")):
        for channels, resolution in ((64, 56), (256, 28), (512, 14)):
            layer = LayerSubject(
                in_channels=channels,
                out_channels=channels,
                alpha_in=alpha,
                alpha_out=alpha,
            )
            yield DesignPoint(subject=layer, conditions=Conditions(resolution=resolution))
        for batch, memory_format in ((1, "contiguous"), (4, "channels_last")):
            conditions = Conditions(batch=batch, memory_format=memory_format)
            yield DesignPoint(subject=NetworkSubject(network="resnet18", alpha=alpha), conditions=conditions)


def compare(point: DesignPoint, device: Device) -> tuple[Interval, Interval, Interval]:
    """Time one configuration with both clocks; give ours, theirs (ms/call) and the paired ratio."""
    workload = build_workload(point)
    with garbage_held(), in_force(point.conditions):
        ours = make_runnable(workload, point.conditions, device).call

        def theirs() -> object:
            return ours()

        timer = GroupTimer(TorchTimer(device, theirs), _SETTINGS, _THEIRS, open_lookout(device))
        timer.add(_THEIRS, theirs)
        timer.add(_OURS, ours)
        latencies = timer.run(lambda _: True).latencies
    return (
        series_interval(latencies[_OURS].samples_ms),
        series_interval(latencies[_THEIRS].samples_ms),
        ratio_interval(latencies[_OURS].pair_ratios),
    )


def main() -> None:
    """Print a line a configuration, and how many lie within the tolerance."""
    console = make_console()
    table = Table(box=None, pad_edge=False)
    for heading in ("configuration", "octprobe ms", "torch ms", "ratio", "95 % CI", "pairs"):
        table.add_column(heading, justify="left" if heading == "configuration" else "right")
    device, within = open_device("auto"), 0
    points = list(configurations())
    for point in track(points, "comparing", console=console, transient=True):
        ours, theirs, ratio = compare(point, device)
        within += abs(ratio.median - 1) <= TOLERANCE
        interval = "too few pairs" if ratio.low is None else f"[{ratio.low:.4f}, {ratio.high:.4f}]"
        figures = (f"{ours.median:.3f}", f"{theirs.median:.3f}", f"{ratio.median:.4f}", interval)
        table.add_row(point.label(), *figures, str(ratio.count))
    console.print(table)
    console.print(f"{within} of {len(points)} within {TOLERANCE:.0%} of torch.utils.benchmark")
    sys.exit(within < len(points))


if __name__ == "__main__":
    main()
