"""`python -m benchmarks.census [ARCHITECTURE ...]`: the whole census and its page, or some architectures."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.census.architectures import architectures
from benchmarks.census.kept import Kept, digest, versions
from benchmarks.census.page import line_of, page
from benchmarks.census.row import Row
from benchmarks.census.workers import Asked, examine_all
from octprobe.commands.terminal import make_console


def main() -> None:
    """Ask what is not known yet, show each row, and write the page where all is asked."""
    arguments = _arguments()
    asked = [(module, name) for module, names in architectures().items() for name in names]
    wanted = set(arguments.architectures)
    unknown = wanted - {name for _, name in asked}
    if unknown:
        raise SystemExit(f"the census knows no {', '.join(sorted(unknown))}; its names are timm's")
    some = [each for each in asked if each[1] in wanted] or asked
    rows = _rows(some, Kept(arguments.kept, digest()), arguments.workers)
    if not wanted:
        arguments.output.write_text(page(rows, versions()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.census", description=__doc__)
    parser.add_argument("architectures", nargs="*", help="ask these only, and write no page")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--kept", type=Path, default=Path("results/networks.jsonl"), help="rows between runs")
    parser.add_argument("--output", type=Path, default=Path("docs/networks.md"), help="the page")
    return parser.parse_args()


def _rows(asked: Sequence[Asked], kept: Kept, workers: int) -> list[Row]:
    rows = kept.rows()
    open_ones = [each for each in asked if each[1] not in rows]
    console = make_console()
    columns = (TextColumn("census"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("census", total=len(asked), completed=len(asked) - len(open_ones))

        def done(row: Row, seconds: float) -> None:
            rows[row.architecture] = row
            kept.add(row, seconds)
            console.print(f"{seconds:6.1f} s {line_of(row)}", soft_wrap=True)
            progress.advance(task)

        examine_all(open_ones, workers, done)
    return [rows[name] for _, name in asked]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("interrupted; what is judged is kept, and the next run goes on from there") from None
