"""What the engine itself costs, beside a loop in the manner of timm's benchmark: `make bench-engine`.

Both measure the points of sweeps/quickstart.yaml in one run, octprobe twice: with nothing counted before, and
as every later run. Its own share is the wall time outside building, warming up and the four passes. The plain
loop starts a process for each model, warms up 10 calls and times 40; it gives one mean without an interval,
nothing of memory, device time or MACs.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.table import Table

import octprobe
from octprobe.commands.terminal import make_console
from octprobe.plan.point import DesignPoint
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec

SPEC = Path(__file__).parents[1] / "sweeps" / "quickstart.yaml"
# The share of the whole that the engine may take.
OWN_SHARE_LIMIT = 0.15
PASSES = ("build", "warm_up", "latency", "cost", "memory", "breakdown")
_TORCH_FORMATS = {"contiguous": "contiguous_format"}
_PLAIN_LOOP = """
import sys, time
import timm, torch
from octprobe.octave import octavize
loaded = time.perf_counter()
name, alpha, memory_format = sys.argv[1], sys.argv[2], getattr(torch, sys.argv[3])
batch, resolution = int(sys.argv[4]), int(sys.argv[5])
model = timm.create_model(name).eval().to(memory_format=memory_format)
example = torch.randn(batch, 3, resolution, resolution).to(memory_format=memory_format)
if alpha != "0":
    model = octavize(model, alpha, example[:1])
with torch.inference_mode():
    built = time.perf_counter()
    for _ in range(10):
        model(example)
    warm = time.perf_counter()
    for _ in range(40):
        model(example)
    print(built - loaded, warm - built, time.perf_counter() - warm)
"""


@dataclass(frozen=True)
class Outcome:
    """How long a way of measuring took, and for what part of it calls were timed."""

    name: str
    points: int
    wall_seconds: float
    passes: dict[str, float]

    @property
    def points_an_hour(self) -> float:
        """Give the pace."""
        return self.points / self.wall_seconds * 3600

    @property
    def own_share(self) -> float:
        """Give the share of the wall time outside the passes."""
        return 1 - sum(self.passes.values()) / self.wall_seconds


def run_octprobe(name: str, folder: Path) -> Outcome:
    """Measure the sweep into an empty store, as a person does.

    Args:
        name: what the outcome is called.
        folder: holds the store, and `cache`, where counts are kept.
    """
    store, environment = folder / name, os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    start = time.monotonic()
    command = [sys.executable, "-m", "octprobe", "sweep", str(SPEC), "--store", str(store)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    wall_seconds = time.monotonic() - start
    rows: pd.DataFrame = octprobe.load(store)
    passes = {name: float(rows[f"{name}_seconds"].sum()) for name in PASSES}
    return Outcome(name, len(rows), wall_seconds, passes)


def run_plain_loop(points: Sequence[DesignPoint]) -> Outcome:
    """Measure the same points with a process a model; loading torch and timm is its own share."""
    start = time.monotonic()
    passes = {"build": 0.0, "warm_up": 0.0, "latency": 0.0}
    for point in points:
        axes = point.exact_axes()
        names = ("network", "alpha", "memory_format", "batch", "resolution")
        arguments = [_TORCH_FORMATS.get(axes[name], str(axes[name])) for name in names]
        command = [sys.executable, "-c", _PLAIN_LOOP, *arguments]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for name, seconds in zip(passes, answer.split(), strict=True):
            passes[name] += float(seconds)
    return Outcome("plain loop", len(points), time.monotonic() - start, passes)


def main() -> None:
    """Print both, and where octprobe's time went."""
    console = make_console()
    points = expand(read_spec(SPEC), "cpu").points
    with tempfile.TemporaryDirectory() as folder:
        first, later = (run_octprobe(name, Path(folder)) for name in ("first run", "later run"))
    outcomes = (first, later, run_plain_loop(points))
    table = Table(
        "",
        "points",
        "wall s",
        "points/h",
        "own share",
        *(f"{name} s" for name in PASSES),
        box=None,
        pad_edge=False,
    )
    for outcome in outcomes:
        figures = (f"{outcome.wall_seconds:.1f}", f"{outcome.points_an_hour:.0f}", f"{outcome.own_share:.1%}")
        seconds = (f"{outcome.passes[name]:.1f}" if name in outcome.passes else "-" for name in PASSES)
        table.add_row(outcome.name, str(outcome.points), *figures, *seconds)
    console.print(table)
    console.print(f"octprobe's own share is {later.own_share:.1%}; at most {OWN_SHARE_LIMIT:.0%} is allowed")
    sys.exit(later.own_share > OWN_SHARE_LIMIT)


if __name__ == "__main__":
    main()
