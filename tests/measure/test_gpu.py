"""Every path on real hardware: what is marked `gpu` needs a device; most of it runs on the processor too.

Sweeps go through the command line, as a person's do: CUDA serves one profiler session a process.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter

import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.benchmark import Timer

import octprobe
from components import need
from octprobe.measure.device import Device, open_device

LAYERS = """\
version: 1
name: layers
subject: layer
device: {device}
axes:
  in_channels: [16]
  out_channels: [16]
  resolution: [32]
  alpha: [0, 0.5]
  execution: {executions}
  mode: [infer, train]
  dtype: {dtypes}
measure: {{relative_ci: 0.2, min_seconds: 0, max_seconds: 1, rounds: 3}}
"""
NETWORK = """\
version: 1
name: network
subject: network
device: {device}
axes:
  network: [resnet18]
  resolution: [32]
  alpha: [0, 0.5]
measure: {{relative_ci: 0.2, min_seconds: 0, max_seconds: 1, rounds: 3}}
"""
# Paths that the middle layers of an octave ResNet have, and what stands between them.
OCTAVE_PATHS = ("h2h", "h2l", "l2h", "l2l", "plain", "pool", "upsample", "norm", "add")


@dataclass(frozen=True)
class Machine:
    """A device and how much of the suite it takes.

    Attributes:
        images, layers: batch and convolutions of a stack whose call lasts some milliseconds.
        tolerance: how closely two ways of timing must agree; loose where tests share the processor.
    """

    device: str
    executions: tuple[str, ...]
    dtypes: tuple[str, ...]
    images: int
    layers: int
    tolerance: float

    def spec(self, text: str) -> str:
        """Fill a sweep file's text in."""
        return text.format(
            device=self.device, executions=json.dumps(self.executions), dtypes=json.dumps(self.dtypes)
        )


CPU = Machine("cpu", ("eager",), ("float32", "bfloat16"), images=1, layers=2, tolerance=0.5)
CUDA = Machine(
    "cuda",
    ("eager", "compiled", "cudagraph"),
    ("float32", "tf32", "float16", "bfloat16"),
    images=8,
    layers=40,
    tolerance=0.05,
)
MACHINES = [
    pytest.param(CPU, id="cpu", marks=pytest.mark.slow),
    pytest.param(CUDA, id="cuda", marks=pytest.mark.gpu),
]


def swept(machine: Machine, text: str, folder: Path) -> pd.DataFrame:
    """Run a sweep through the command line and give its rows."""
    if machine.device == "cuda":
        need("cuda")
    (folder / "sweep.yaml").write_text(machine.spec(text))
    command = [sys.executable, "-m", "octprobe", "sweep", "sweep.yaml", "--json", "--store", "rows"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return octprobe.load(folder / "rows")


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> Machine:
    """Give the processor and, where there is one, the CUDA device."""
    chosen: Machine = request.param
    if chosen.device == "cuda":
        need("cuda")
    return chosen


@pytest.fixture(scope="module")
def layers(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Give a layer's rows under every execution, mode and number format."""
    return swept(machine, LAYERS, tmp_path_factory.mktemp("layers"))


@pytest.fixture(scope="module")
def network(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Give a small network's rows, vanilla first."""
    rows = swept(machine, NETWORK, tmp_path_factory.mktemp("network"))
    return rows.sort_values("alpha").set_index("alpha")


@pytest.fixture
def opened(machine: Machine) -> Iterator[tuple[Device, Callable[[], object]]]:
    """Give the device and a call of a stack of convolutions on it."""
    device = open_device(machine.device)
    stack = nn.Sequential(*[nn.Conv2d(64, 64, 3, padding=1) for _ in range(machine.layers)])
    stack = stack.eval().to(device.torch_device)
    image = torch.ones(machine.images, 64, 56, 56, device=device.torch_device)
    with torch.inference_mode():
        yield device, lambda: stack(image)


def test_every_way_of_running_is_measured(machine: Machine, layers: pd.DataFrame) -> None:
    """Each execution, mode and number format ends as a measured row with times, on the device asked for."""
    points = product(machine.executions, ("infer", "train"), machine.dtypes, (0.0, 0.5))
    found = zip(layers["execution"], layers["mode"], layers["dtype"], layers["alpha_out"], strict=True)
    assert sorted(found) == sorted(points)
    troubled = layers.loc[layers["status"] != "measured", ["execution", "mode", "dtype", "reason"]]
    assert troubled.empty, troubled.to_string()
    assert set(layers["device"]) == {machine.device}
    assert (layers[["latency_ms_median", "period_ms_median", "throughput"]] > 0).all(axis=None)
    assert (layers.loc[layers["alpha_out"] > 0, "pairs"] >= 30).all()


def test_outputs_are_those_of_eager_float32(layers: pd.DataFrame) -> None:
    """Each way of running computes the same layer, to the rounding of its number format."""
    full = layers["dtype"] == "float32"
    assert (layers.loc[full, "output_error"] < 1e-4).all()
    assert (layers.loc[~full, "output_error"] < 0.03).all()


def test_compile_seconds_are_given_for_compiled_points_alone(layers: pd.DataFrame) -> None:
    """And are no part of the latency."""
    compiled = layers["execution"] == "compiled"
    assert layers.loc[compiled, "compile_seconds"].notna().all()
    assert layers.loc[~compiled, "compile_seconds"].isna().all()
    assert (layers["latency_ms_median"] < 1e3 * layers["compile_seconds"])[compiled].all()


def test_a_call_holds_its_output_at_least(machine: Machine, layers: pd.DataFrame) -> None:
    """Peaks are read for all but graphs; the pool holds weights and input besides what a call adds."""
    graphs = layers["execution"] == "cudagraph"
    itemsize = layers["dtype"].map({"float16": 2, "bfloat16": 2}).fillna(4)
    output_bytes = 16 * 32 * 32 * itemsize * (1 - 0.75 * layers["alpha_out"])
    assert layers.loc[graphs, "peak_memory_allocator_bytes"].isna().all()
    assert (layers["peak_memory_allocator_bytes"] >= output_bytes)[~graphs].all()
    reserved = layers.loc[~graphs, "peak_memory_reserved_bytes"]
    if machine.device == "cpu":
        assert reserved.isna().all()
    else:
        assert (reserved >= (layers["peak_memory_allocator_bytes"] + layers["input_bytes"])[~graphs]).all()


def test_kernels_are_counted_on_an_accelerator_alone(machine: Machine, layers: pd.DataFrame) -> None:
    """Every execution has a device time; kernels and `host_bound` are null on a processor, never 0."""
    assert (layers["device_time_ms"] > 0).all()
    if machine.device == "cpu":
        assert layers[["kernels", "host_bound"]].isna().all(axis=None)
    else:
        assert (layers["kernels"] > 0).all()
        assert layers["host_bound"].notna().all()
    assert not layers["doubts"].map(lambda doubts: "profiler_empty" in doubts).any()


def test_every_octave_path_has_device_time(machine: Machine, network: pd.DataFrame) -> None:
    """A ResNet with half its channels low runs all four paths, and its vanilla none."""
    octave, vanilla = network.loc[0.5], network.loc[0.0]
    assert all(octave[f"device_time_ms_{path}"] > 0 for path in OCTAVE_PATHS), octave.to_string()
    assert not any(vanilla[f"device_time_ms_{path}"] > 0 for path in ("h2h", "h2l", "l2h", "l2l", "upsample"))
    parts = pd.DataFrame(list(octave["breakdown_parts"]))
    assert parts["time_ms"].sum() == pytest.approx(octave["device_time_ms"], rel=0.01)
    if machine.device == "cuda":
        kernels = parts.groupby("path")["kernels"].sum()
        assert (kernels[list(OCTAVE_PATHS)] > 0).all()
        assert octave["kernels"] > vanilla["kernels"]


def test_the_environment_is_the_devices(machine: Machine, network: pd.DataFrame) -> None:
    """Rows name the hardware that ran; software of CUDA is null on a processor."""
    row = network.loc[0.5]
    if machine.device == "cpu":
        assert pd.isna(row["cuda"])
        assert row["device_name"] == row["cpu_model"]
    else:
        assert row["device_name"] == torch.cuda.get_device_name(0)
        assert (row["cuda"], row["cudnn"]) == (torch.version.cuda, str(torch.backends.cudnn.version()))


@pytest.mark.gpu
def test_nvml_tells_clocks_and_driver(tmp_path: Path) -> None:
    """With nvidia-ml-py a row has the driver, the clock after its samples, and the temperature."""
    need("cuda")
    pytest.importorskip("pynvml")
    rows = swept(CUDA, NETWORK, tmp_path)
    assert rows["driver"].notna().all()
    assert (rows["clock_mhz_median"] > 0).all()
    assert rows["temperature_c_max"].between(0, 120).all()
    assert (rows["throttled_samples"] >= 0).all()


def test_the_latency_is_what_the_hosts_clock_sees(
    machine: Machine, opened: tuple[Device, Callable[[], object]]
) -> None:
    """A call and its wait, read from outside, take what the device says: events and host agree."""
    device, call = opened

    def seconds() -> float:
        start = perf_counter()
        device.time_calls_ms(call, 20)
        return (perf_counter() - start) / 20

    device.time_calls_ms(call, 20)
    ratios = [1e-3 * device.time_calls_ms(call, 20) / seconds() for _ in range(9)]
    assert median(ratios) == pytest.approx(1, rel=machine.tolerance)


def test_the_period_is_that_of_torchs_own_benchmark(
    machine: Machine, opened: tuple[Device, Callable[[], object]]
) -> None:
    """torch.utils.benchmark makes many calls and waits once, as a period does; taken turn by turn."""
    device, call = opened
    timer = Timer("call()", globals={"call": call}, num_threads=torch.get_num_threads())
    device.time_back_to_back_ms(call, 20)
    ratios = [1e-3 * device.time_back_to_back_ms(call, 20) / timer.timeit(20).median for _ in range(9)]
    assert median(ratios) == pytest.approx(1, rel=machine.tolerance)


def test_a_call_back_to_back_takes_no_longer_than_alone(
    machine: Machine, opened: tuple[Device, Callable[[], object]]
) -> None:
    """Without waiting, the host's time hides behind the device's; on a processor nothing hides."""
    device, call = opened
    device.time_calls_ms(call, 20)
    ratios = [device.time_back_to_back_ms(call, 20) / device.time_calls_ms(call, 20) for _ in range(9)]
    assert median(ratios) < 1 + machine.tolerance


@pytest.mark.gpu
@pytest.mark.parametrize("method", ["time_calls_ms", "time_back_to_back_ms"])
def test_time_on_the_device_is_told_in_proportion(method: str) -> None:
    """A kernel that idles for a set number of cycles: twice as many take twice as long."""
    need("cuda")
    time_ms = getattr(open_device("cuda"), method)
    time_ms(lambda: torch.cuda._sleep(10**8), 3)
    short_ms = time_ms(lambda: torch.cuda._sleep(10**7), 9)
    long_ms = time_ms(lambda: torch.cuda._sleep(2 * 10**7), 9)
    assert long_ms / short_ms == pytest.approx(2, rel=0.05)


@pytest.mark.gpu
def test_the_memory_peak_is_exact_on_hardware() -> None:
    """Two maps of 64 MiB that live together, one of them freed, are 128 MiB above the start."""
    need("cuda")
    device = open_device("cuda")
    map_bytes = 64 * 1024**2
    held = torch.ones(map_bytes, dtype=torch.uint8, device=device.torch_device)
    torch.ones(4 * map_bytes, dtype=torch.uint8, device=device.torch_device)
    device.start_memory_peak()
    torch.ones_like(held).add(1)
    allocated, reserved = device.memory_peak_bytes()
    assert allocated == 2 * map_bytes
    assert reserved is not None
    assert 3 * map_bytes <= reserved < 6 * map_bytes
