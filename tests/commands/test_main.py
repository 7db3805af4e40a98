"""The door: help, version, errors as one line."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from fakes_store import resnet_rows
from octprobe import __version__
from octprobe.commands import main as module
from octprobe.errors import StoreError
from octprobe.store.store import Store


def python(code: str) -> str:
    """Run a line of Python in a process of its own and give what it printed."""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ended.stdout


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    """The whole list answers without torch, pandas, pydantic or pyarrow."""
    heavy = "{'torch', 'pandas', 'pydantic', 'pyarrow', 'numpy', 'timm'}"
    out = python(
        "import sys; sys.argv = ['octprobe', '--help']\n"
        "from octprobe.commands.main import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    for command in ("sweep", "show", "front", "trace", "cost", "profile", "schema", "doctor", "selftest"):
        assert command in out
    assert out.splitlines()[-1] == "[]"


def test_what_runs_a_sweep_in_the_parent_loads_no_torch() -> None:
    """The parent stays light and never touches CUDA; workers load torch."""
    modules = (
        "octprobe.commands.sweep, octprobe.commands.dry_run, octprobe.commands.progress, "
        "octprobe.engine.run, "
        "octprobe.engine.local, octprobe.plan.spec, octprobe.store.store, octprobe.commands.summary, "
        "octprobe.cost.ledger"
    )
    assert python(f"import sys, {modules}\nprint('torch' in sys.modules)") == "False\n"


def test_the_version_is_the_packages() -> None:
    """`octprobe --version` is one line."""
    assert (
        python(
            "import sys; sys.argv = ['octprobe', '--version']\n"
            "from octprobe.commands.main import main\n"
            "try: main()\n"
            "except SystemExit: pass"
        )
        == f"octprobe {__version__}\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (StoreError("results/x: no such folder."), 2, "octprobe: results/x: no such folder.\n"),
        (KeyboardInterrupt(), 130, "octprobe: interrupted\n"),
        (
            RuntimeError("boom"),
            70,
            "octprobe: RuntimeError: boom. This is a fault of octprobe; set OCTPROBE_DEBUG=1 to see where.\n",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "octprobe: output: No space left on device\n"),
        (OSError(errno.EACCES, "Permission denied", "x.json"), 2, "octprobe: x.json: Permission denied\n"),
    ],
)
def test_whatever_is_raised_becomes_a_line_and_a_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    """No traceback reaches a person, unless asked for."""

    def broken() -> None:
        raise error

    monkeypatch.setattr(module, "app", broken)
    monkeypatch.delenv("OCTPROBE_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("command", [("front", "{store}"), ("query", "{store}", "{sql}", "--csv")])
def test_a_reader_that_leaves_is_no_failure(command: tuple[str, ...], tmp_path: Path) -> None:
    """As of a program that SIGPIPE ended, and not the 1 of a comparison that failed."""
    rows = [row for batch in range(1, 60) for row in resnet_rows([("0", 80.0, None, 400)], batch=batch)]
    Store.create(tmp_path).append(rows)
    sql = "SELECT a.*, b.point_id AS other FROM samples a CROSS JOIN measurements b"
    arguments = [part.format(store=tmp_path, sql=sql) for part in command]
    with subprocess.Popen(
        [sys.executable, "-m", "octprobe", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ran:
        assert ran.stdout is not None
        ran.stdout.close()
        _, told = ran.communicate(timeout=60)
    assert (ran.returncode, told) == (141, b"")
