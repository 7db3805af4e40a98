"""The built package holds the app, and the command serves it from an empty folder."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks.served import served
from demo_store import write_demo

pytestmark = pytest.mark.slow
_SOURCES = ("octprobe", "app", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def pip(*arguments: str) -> None:
    """Run pip without a network and without another package."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run([*command, "--no-deps", "--no-index"], check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package from a copy, so that the repository stays clean."""
    copy, built = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in _SOURCES:
        source = Path(__file__).parents[2] / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(built), str(copy))
    (found,) = built.glob("*.whl")
    return found


def test_the_wheel_holds_the_app_and_the_demonstration(wheel: Path, repository: Path) -> None:
    """All of both, and nothing beside the package: `app` would be a name that belongs to everybody."""
    names = set(zipfile.ZipFile(wheel).namelist())
    app = {
        path
        for path in (repository / "app").rglob("*.*")
        if path.is_file() and path.suffix != ".pyc" and "cache" not in str(path)
    }
    expected = {f"octprobe/dashboard_app/{path.relative_to(repository / 'app')}" for path in app}
    store = repository / "octprobe" / "demo" / "store"
    expected |= {str(path.relative_to(repository)) for path in store.rglob("*.*") if path.is_file()}
    assert expected - names == set()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"octprobe"}


def test_the_installed_command_serves_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """Its own app runs, on a store and on the demonstration, and Ctrl-C ends it."""
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    pip("install", "--target", str(installed), str(wheel))
    store = write_demo(tmp_path / "store")
    for chosen in (str(store), "--demo"):
        with served(chosen, folder=empty, environment={"PYTHONPATH": str(installed)}) as running:
            assert running.fetch("/_stcore/health") == (200, "ok")
            assert running.fetch("/_stcore/script-health-check") == (200, "ok")
            assert running.end() == (0, "")
