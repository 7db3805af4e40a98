"""What NVML tells of an NVIDIA GPU: its clock, what holds it down, its heat, its users. Nothing is ever set.

NVIDIA's own package speaks to it: nvidia-ml-py, imported as pynvml, the extra `octprobe[nvml]`.
"""

from pathlib import Path
from typing import Any

# NVML's bits for what holds a clock below what was asked for (NVML API reference, nvmlClocksEventReasons).
# Left out are an idle GPU (0x1), clocks that a person has set (0x2, 0x100), which nothing holds down, and the
# newer bits for board limit and reliability (0x200, 0x400), whose weight NVML leaves open.
THROTTLE_REASONS = {
    0x04: "sw_power_cap",
    0x08: "hw_slowdown",
    0x10: "sync_boost",
    0x20: "sw_thermal_slowdown",
    0x40: "hw_thermal_slowdown",
    0x80: "hw_power_brake_slowdown",
}
# There on Linux whether or not NVML can be had; not under WSL.
_MODULE_FILE = Path("/sys/module/nvidia/version")


class Gpu:
    """One GPU, or one MIG slice of it; what the driver does not tell is None.

    Args:
        nvml: pynvml, or what stands in for it in a test.
        device: NVML's handle of the GPU or slice.
        board: NVML's handle of the GPU whose clock and heat the device shares.
    """

    def __init__(self, nvml: Any, device: Any, board: Any) -> None:
        self._nvml = nvml
        self._device = device
        self._board = board

    def clock_mhz(self) -> float | None:
        """Read the clock of the streaming multiprocessors."""
        clock: float | None = _ask(
            self._nvml, "nvmlDeviceGetClockInfo", self._board, self._nvml.NVML_CLOCK_SM
        )
        return clock

    def temperature_c(self) -> float | None:
        """Read the temperature of the chip, degrees Celsius."""
        temperature: float | None = _ask(
            self._nvml, "nvmlDeviceGetTemperature", self._board, self._nvml.NVML_TEMPERATURE_GPU
        )
        return temperature

    def throttle_reasons(self) -> tuple[str, ...] | None:
        """Read what holds the clock down now; empty where nothing does."""
        bits = _ask(self._nvml, "nvmlDeviceGetCurrentClocksEventReasons", self._board)
        if bits is None:  # older drivers know it by its former name
            bits = _ask(self._nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", self._board)
        if bits is None:
            return None
        return tuple(name for bit, name in THROTTLE_REASONS.items() if bits & bit)

    def foreign_processes(self) -> int | None:
        """Count the processes with a context on the device, less this one, which must have one.

        This one is not looked for by its number: inside a container NVML gives the host's numbers. Where not
        even this one is listed, processes are hidden.
        """
        listed = _ask(self._nvml, "nvmlDeviceGetComputeRunningProcesses", self._device)
        return len({process.pid for process in listed}) - 1 if listed else None


def load_nvml() -> Any | None:
    """Give pynvml, ready to be asked; None where it is not installed or finds no driver."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def open_gpu(uuid: str, nvml: Any | None = None) -> Gpu | None:
    """Open a GPU or MIG slice; None where NVML is absent or does not know it.

    Args:
        uuid: the device's UUID as torch gives it; its index will not do, as CUDA_VISIBLE_DEVICES renumbers.
        nvml: pynvml, or what stands in for it in a test.
    """
    nvml = nvml or load_nvml()
    if nvml is None:
        return None
    board = _ask(nvml, "nvmlDeviceGetHandleByUUID", f"GPU-{uuid}")
    if board is not None:
        return Gpu(nvml, board, board)
    instance = _ask(nvml, "nvmlDeviceGetHandleByUUID", f"MIG-{uuid}")
    if instance is None:
        return None
    board = _ask(nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", instance)
    return Gpu(nvml, instance, instance if board is None else board)


def driver_version(nvml: Any | None = None, module_file: Path = _MODULE_FILE) -> str | None:
    """Give the NVIDIA driver's version: as the kernel's module gives it, else as NVML does.

    The module comes first, so that installing nvidia-ml-py does not make another environment.

    Args:
        nvml: pynvml, or what stands in for it in a test.
        module_file: where the kernel shows the module's version.
    """
    try:
        return module_file.read_text().strip() or None
    except OSError:
        nvml = nvml or load_nvml()
    version = None if nvml is None else _ask(nvml, "nvmlSystemGetDriverVersion")
    return version.decode() if isinstance(version, bytes) else version


def _ask(nvml: Any, question: str, *arguments: Any) -> Any | None:
    """Call one of NVML's functions; None where the package lacks it or the driver refuses."""
    function = getattr(nvml, question, None)
    if function is None:
        return None
    try:
        return function(*arguments)
    except nvml.NVMLError:
        return None
