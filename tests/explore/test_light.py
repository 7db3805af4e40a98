"""The desk stays light: no torch, whatever it shows."""

import subprocess
import sys
from pathlib import Path

from fakes_store import resnet_rows
from octprobe.store.accuracy_runs import append_runs
from octprobe.store.store import Store
from runs import run_of

CODE = """
import sys
from pathlib import Path
import octprobe
from octprobe.commands.front import front
from octprobe.commands.main import app
from octprobe.commands.show import show
from octprobe.commands.summary import print_summary
from octprobe.commands.terminal import make_console
store = Path(sys.argv[1])
front(store, x="latency", y="macs", as_json=False)
show(store, as_json=False)
print_summary(store, make_console())
app(["recommend", str(store), "--minimize", "latency"], standalone_mode=False)
app(["break-even", str(store)], standalone_mode=False)
app(["compare", str(store), str(store)], standalone_mode=False)
app(["query", str(store), "SELECT alpha FROM measurements"], standalone_mode=False)
app(["export-rows", str(store), "-o", str(store / "rows.csv")], standalone_mode=False)
app(["report", str(store), "-o", str(store / "report.html")], standalone_mode=False)
app(["accuracy", "published"], standalone_mode=False)
app(["accuracy", "show", str(store)], standalone_mode=False)
app(["accuracy", "inferior", str(store)], standalone_mode=False)
app(["front", str(store), "--y", "top1"], standalone_mode=False)
print("heavy:", sorted({"torch", "torchvision", "timm", "fvcore", "streamlit"} & set(sys.modules)))
"""


def test_the_desk_never_loads_torch(tmp_path: Path) -> None:
    """Every command that reads a store runs to the end without the bench wing."""
    Store.create(tmp_path).append(resnet_rows([("0", 80.0, None, 400), ("0.5", 70.0, 0.9, 200)]))
    append_runs(tmp_path, [run_of(9, 10), run_of(9, 10, kind="elastic")])
    ran = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "alpha 0.5 is the fastest" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "heavy: []"


def test_command_modules_import_nothing_heavy() -> None:
    """`octprobe --help` imports every command; pandas waits until one runs."""
    code = (
        "import sys, octprobe.commands.main; "
        "print(sorted({'pandas', 'pyarrow', 'numpy', 'torch'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
