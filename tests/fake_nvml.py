"""A stand-in for pynvml: one board, whole or with one MIG slice, in the package's names and types."""

# ruff: noqa: N802  the names are the package's

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

BOARD, SLICE = "board", "slice"


class NVMLError(Exception):
    """What the package raises where the driver refuses."""


class FakeNvml:
    """The functions that octprobe asks, each refusing what the real one refuses.

    Attributes:
        uuids: handles by UUID.
        mhz: clocks by NVML's number of the domain.
        bits: what holds the clock down, NVML's mask.
        pids: processes by handle.
        refused: names of functions that raise.
        asked: names of functions that were called.
    """

    NVMLError = NVMLError
    NVML_CLOCK_SM = 1
    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        self.uuids = {"GPU-1234": BOARD}
        self.mhz = {0: 1000, 1: 1980, 2: 2619}
        self.bits = 0
        self.pids: dict[str, list[int]] = {BOARD: [41], SLICE: [41]}
        self.refused: set[str] = set()
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        """Note which function is asked, and let it raise where it must."""
        found = super().__getattribute__(name)
        return self._watched(name, found) if name.startswith("nvml") else found

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*arguments: Any) -> Any:
            self.asked.append(name)
            if name in self.refused:
                raise NVMLError("Not Supported")
            return function(*arguments)

        return ask

    def nvmlInit(self) -> None:
        """See pynvml."""

    def nvmlSystemGetDriverVersion(self) -> str:
        """See pynvml."""
        return "580.95.05"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        """See pynvml."""
        if uuid not in self.uuids:
            raise NVMLError("Not Found")
        return self.uuids[uuid]

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: str) -> str:
        """See pynvml."""
        if handle != SLICE:
            raise NVMLError("Invalid Argument")
        return BOARD

    def nvmlDeviceGetClockInfo(self, handle: str, domain: int) -> int:
        """See pynvml; a slice has no clock of its own."""
        return self._of_board(handle, self.mhz[domain])

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:
        """See pynvml."""
        return self._of_board(handle, {self.NVML_TEMPERATURE_GPU: 61}[sensor])

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: str) -> int:
        """See pynvml."""
        return self._of_board(handle, self.bits)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: str) -> int:
        """See pynvml: the former name."""
        return self._of_board(handle, self.bits)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[Any]:
        """See pynvml."""
        return [SimpleNamespace(pid=pid, usedGpuMemory=None) for pid in self.pids[handle]]

    @staticmethod
    def _of_board(handle: str, value: int) -> int:
        if handle != BOARD:
            raise NVMLError("Not Supported")
        return value
