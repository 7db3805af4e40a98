"""What NVML tells, behind a fake of its package."""

import sys
from pathlib import Path

import pytest

from fake_nvml import BOARD, SLICE, FakeNvml
from octprobe.measure.nvml import THROTTLE_REASONS, Gpu, driver_version, load_nvml, open_gpu


@pytest.fixture
def nvml() -> FakeNvml:
    """Give a package that answers."""
    return FakeNvml()


@pytest.fixture
def gpu(nvml: FakeNvml) -> Gpu:
    """Give a whole board."""
    return Gpu(nvml, BOARD, BOARD)


def test_a_gpu_tells_its_clock_its_heat_and_its_company(nvml: FakeNvml, gpu: Gpu) -> None:
    """The clock is that of the multiprocessors, neither the graphics' nor the memory's."""
    nvml.pids[BOARD] = [41, 7, 8]
    assert (gpu.clock_mhz(), gpu.temperature_c(), gpu.foreign_processes()) == (1980, 61, 2)
    assert gpu.throttle_reasons() == ()


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        (0x001, ()),
        (0x002, ()),
        (0x100, ()),
        (0x004, ("sw_power_cap",)),
        (0x008, ("hw_slowdown",)),
        (0x010, ("sync_boost",)),
        (0x020, ("sw_thermal_slowdown",)),
        (0x040, ("hw_thermal_slowdown",)),
        (0x080, ("hw_power_brake_slowdown",)),
        (0x048, ("hw_slowdown", "hw_thermal_slowdown")),
        (0x1FF, tuple(THROTTLE_REASONS.values())),
        (0x703, ()),
    ],
)
def test_only_what_holds_the_clock_down_is_a_reason(
    nvml: FakeNvml, gpu: Gpu, bits: int, names: tuple[str, ...]
) -> None:
    """An idle GPU and clocks that someone has set are none (NVML API reference, nvmlClocksEventReasons)."""
    nvml.bits = bits
    assert gpu.throttle_reasons() == names


def test_an_older_driver_knows_the_reasons_by_their_former_name(nvml: FakeNvml, gpu: Gpu) -> None:
    """What the one function refuses the other tells."""
    nvml.bits = 0x40
    nvml.refused = {"nvmlDeviceGetCurrentClocksEventReasons"}
    assert gpu.throttle_reasons() == ("hw_thermal_slowdown",)


@pytest.mark.parametrize(
    ("refused", "figures"),
    [
        ({"nvmlDeviceGetClockInfo"}, (None, 61, (), 0)),
        ({"nvmlDeviceGetTemperature"}, (1980, None, (), 0)),
        (
            {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"},
            (1980, 61, None, 0),
        ),
        ({"nvmlDeviceGetComputeRunningProcesses"}, (1980, 61, (), None)),
    ],
)
def test_what_the_driver_refuses_is_none_and_costs_nothing_else(
    nvml: FakeNvml, gpu: Gpu, refused: set[str], figures: tuple[object, ...]
) -> None:
    """As without permission, or on a board that has no sensor."""
    nvml.refused = refused
    told = (gpu.clock_mhz(), gpu.temperature_c(), gpu.throttle_reasons(), gpu.foreign_processes())
    assert told == figures


def test_a_function_that_the_package_lacks_is_none(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older nvidia-ml-py has fewer functions."""
    for name in ("EventReasons", "ThrottleReasons"):
        monkeypatch.delattr(FakeNvml, f"nvmlDeviceGetCurrentClocks{name}")
    assert gpu.throttle_reasons() is None


@pytest.mark.parametrize(
    ("pids", "others"), [([], None), ([41], 0), ([41, 41], 0), ([41, 9], 1), ([1000003], 0)]
)
def test_this_process_is_one_of_those_listed(
    nvml: FakeNvml, gpu: Gpu, pids: list[int], others: int | None
) -> None:
    """Its number is not asked for: in a container it is another. A process listed twice is one."""
    nvml.pids[BOARD] = pids
    assert gpu.foreign_processes() == others


def test_a_gpu_is_found_by_its_uuid(nvml: FakeNvml) -> None:
    """Never by index, which CUDA_VISIBLE_DEVICES renumbers; an unknown UUID is none."""
    found = open_gpu("1234", nvml)
    assert found is not None
    assert found.clock_mhz() == 1980
    assert open_gpu("9999", nvml) is None
    assert set(nvml.asked) == {"nvmlDeviceGetHandleByUUID", "nvmlDeviceGetClockInfo"}


def test_a_slice_has_its_boards_clock_and_its_own_company(nvml: FakeNvml) -> None:
    """A MIG slice answers for no clock; who uses the neighbouring slices is not its company."""
    nvml.uuids = {"MIG-1234": SLICE}
    nvml.pids = {BOARD: [41, 7, 8, 9], SLICE: [41, 7]}
    nvml.bits = 0x20
    found = open_gpu("1234", nvml)
    assert found is not None
    assert (found.clock_mhz(), found.temperature_c(), found.foreign_processes()) == (1980, 61, 1)
    assert found.throttle_reasons() == ("sw_thermal_slowdown",)


def test_a_slice_whose_board_is_hidden_tells_its_company_alone(nvml: FakeNvml) -> None:
    """As in a container that was given the slice only."""
    nvml.uuids = {"MIG-1234": SLICE}
    nvml.refused = {"nvmlDeviceGetDeviceHandleFromMigDeviceHandle"}
    found = open_gpu("1234", nvml)
    assert found is not None
    assert (found.clock_mhz(), found.throttle_reasons(), found.foreign_processes()) == (None, None, 0)


def test_without_the_package_there_is_no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; `None` in sys.modules makes an import fail."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert load_nvml() is None
    assert open_gpu("1234") is None


def test_without_a_driver_there_is_no_nvml(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is installed and finds no library."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    nvml.refused = {"nvmlInit"}
    assert load_nvml() is None


def test_with_both_nvml_is_made_ready(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    """No function may be asked before `nvmlInit`."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert open_gpu("1234") is not None
    assert nvml.asked[0] == "nvmlInit"


def test_nothing_is_ever_set(nvml: FakeNvml, gpu: Gpu) -> None:
    """Clocks are read and never changed: no function that is asked has `Set` or `Reset` in its name."""
    open_gpu("1234", nvml)
    gpu.clock_mhz(), gpu.temperature_c(), gpu.throttle_reasons(), gpu.foreign_processes()
    driver_version(nvml, Path("absent"))
    assert len(nvml.asked) >= 6
    assert not [name for name in nvml.asked if "Set" in name or "Reset" in name]


def test_the_kernels_module_names_the_driver_before_nvml_does(nvml: FakeNvml, tmp_path: Path) -> None:
    """So the environment is the same with and without nvidia-ml-py."""
    module_file = tmp_path / "version"
    assert driver_version(nvml, module_file) == "580.95.05"
    module_file.write_text("575.57.08\n")
    assert driver_version(nvml, module_file) == "575.57.08"
    assert driver_version(None, module_file) == "575.57.08"


def test_a_driver_that_nobody_names_is_none(
    nvml: FakeNvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the module nor NVML."""
    nvml.refused = {"nvmlSystemGetDriverVersion"}
    assert driver_version(nvml, tmp_path / "version") is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert driver_version(None, tmp_path / "version") is None


def test_older_packages_name_the_driver_in_bytes(nvml: FakeNvml, tmp_path: Path) -> None:
    """A row holds text."""
    nvml.nvmlSystemGetDriverVersion = lambda: b"470.57.02"  # type: ignore[assignment,method-assign,return-value]  # an older package
    assert driver_version(nvml, tmp_path / "version") == "470.57.02"


def test_faults_that_are_not_nvmls_are_not_hidden(nvml: FakeNvml, gpu: Gpu) -> None:
    """Only the driver's refusals are None."""
    nvml.mhz = {}
    with pytest.raises(KeyError):
        gpu.clock_mhz()
