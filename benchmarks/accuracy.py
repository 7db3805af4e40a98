"""One training for every alpha beside one for each: `make accuracy` trains, and writes docs/accuracy.md.

The trainings are the project's own commands, the store theirs; what is done is kept, so that this can be
stopped and given again. Two processes of one thread each train at the same time, alone on two processors.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.scale import machine
from octprobe.explore.inferiority import Comparison, Inferiority, compare_trainings
from octprobe.explore.price import elastic_trainings
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_run import AccuracyRun, Split
from octprobe.store.accuracy_runs import answered, read_runs
from octprobe.store.own_accuracies import own_accuracies

REPOSITORY = Path(__file__).parents[1]
STORE = REPOSITORY / "results" / "fashion"
TRAININGS = (("train", "sweeps/fashion.yaml"), ("elastic", "sweeps/fashion_elastic.yaml"))
MOST_SHARE = 0.6
# What is written by hand stands in a file of its own.
WORDS = Path(__file__).with_name("accuracy.md")


def train(store: Path) -> None:
    """Run both commands at once, and wait for both.

    Raises:
        RuntimeError: one failed.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "octprobe", "accuracy", name, file, "--store", str(store)],
            cwd=REPOSITORY,
            env=environment,
            stdout=sys.stderr,
        )
        for name, file in TRAININGS
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError("a training failed; its message stands above")


def page(store: Path) -> str:
    """Write docs/accuracy.md of what a store holds."""
    rows = read_runs(store).rows
    found = compare_trainings(rows)
    known = {
        (each.kind, each.alpha, each.split): each for split in Split for each in own_accuracies(rows, split)
    }
    days = sorted({f"{row.recorded_at:%Y-%m-%d}" for row in answered(rows)})
    tables = {
        "when": f"Trained on {', '.join(days)}: {machine()}; two trainings at a time, of one thread each.",
        "accuracies": _table(_ACCURACY_HEAD, (_accuracies(each, known) for each in found.alphas)),
        "costs": _table(_COST_HEAD, _costs(rows, found)),
        "verdict": _verdict(found),
    }
    text = WORDS.read_text(encoding="utf-8")
    for name, content in tables.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text


_ACCURACY_HEAD = (
    *("alpha", "alone, % [95 % CI]", "elastic, % [95 % CI]", "elastic less alone, points"),
    *("at least, points", "non-inferior by 0.5", "validation: alone, elastic, %"),
)
_COST_HEAD = (
    *("trainings", "of them", "images seen a training", "seconds a training"),
    *("CPU seconds a training", "CPU seconds in all"),
)


_Known = dict[tuple[str, float | None, str | None], Accuracy]


def _accuracies(each: Inferiority, known: _Known) -> Sequence[str]:
    kinds = ("trained", "elastic")
    alone, together = (_interval(known[kind, each.alpha, Split.TEST]) for kind in kinds)
    held = (known[kind, each.alpha, Split.VALIDATION].top1_percent for kind in kinds)
    return (
        f"{each.alpha:g}",
        alone,
        together,
        f"{each.difference_points:+.2f}",
        f"{each.lower_points:+.2f}",
        "yes" if each.is_shown else "not shown",
        ", ".join(f"{percent:.2f}" for percent in held),
    )


def _interval(found: Accuracy) -> str:
    return f"{found.top1_percent:.2f} [{found.top1_ci_low_percent:.2f}, {found.top1_ci_high_percent:.2f}]"


def _costs(rows: Sequence[AccuracyRun], found: Comparison) -> Iterator[Sequence[str]]:
    """Give what the trainings took; an elastic one stands at each alpha and counts once."""
    known = answered(rows)
    for each in found.alphas:
        alone = [row for row in known if row.kind == "trained" and row.alpha == each.alpha]
        yield _cost(f"alpha {each.alpha:g} alone", alone)
    yield _cost("alone, all", [row for row in known if row.kind == "trained"])
    yield _cost("elastic", elastic_trainings(row for row in known if row.kind == "elastic"))


def _cost(name: str, rows: Sequence[AccuracyRun]) -> Sequence[str]:
    images = sum(row.images_seen or 0 for row in rows)
    seconds, cpu = (sum(getattr(row, column) or 0.0 for row in rows) for column in ("seconds", "cpu_seconds"))
    count = len(rows)
    return (
        *(name, str(count), f"{images / count:,.0f}", f"{seconds / count:.0f}"),
        *(f"{cpu / count:.0f}", f"{cpu:.0f}"),
    )


def _verdict(found: Comparison) -> str:
    shown = sum(each.is_shown for each in found.alphas)
    cpu, wall = found.price.share_of_cpu_seconds or 0.0, found.price.share_of_seconds or 0.0
    return (
        f"Non-inferior by 0.5 points at {shown} of {len(found.alphas)} alphas. The elastic trainings took "
        f"{cpu:.2f} of the CPU seconds of the standalone trainings that they replace, and {wall:.2f} of "
        f"their wall time (aim: at most {MOST_SHARE:g})."
    )


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Train what is not trained yet, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", type=Path, default=STORE, help="where the trainings are kept")
    wanted = parser.parse_args()
    train(wanted.store)
    sys.stdout.write(page(wanted.store))


if __name__ == "__main__":
    main()
