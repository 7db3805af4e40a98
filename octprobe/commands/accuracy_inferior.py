"""`octprobe accuracy inferior`: is one training for every alpha as good as one for each?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from octprobe.explore.inferiority import Comparison, Inferiority


def inferior(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe accuracy` wrote.", show_default=False)],
    *,
    margin: Annotated[
        float, typer.Option(min=0, help="How much worse is not yet inferior, in points of top-1.")
    ] = 0.5,
    standalone: Annotated[
        str | None, typer.Option(help="Beginning of the digest of the standalone trainings' recipe.")
    ] = None,
    elastic: Annotated[
        str | None, typer.Option(help="Beginning of the digest of the elastic trainings' recipe.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Name of the data set, where recipes were trained on several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the test as one JSON object.")] = False,
) -> None:
    """Test at every alpha whether the elastic network is inferior to the one trained there alone.

    A one-sided 95 % bound of the difference on test images, by a bootstrap over images and seeds in pairs; of
    few seeds it sees too little of how far trainings differ, and of one nothing.
    Exit code 0 whatever the answer.
    """
    from dataclasses import asdict

    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.inferiority import compare_trainings
    from octprobe.store.accuracy_runs import read_runs, refuse_no_runs

    runs = read_runs(store)
    refuse_no_runs(store, runs)
    warn(runs.damaged)
    found = compare_trainings(
        runs.rows, margin_points=margin, standalone=standalone, elastic=elastic, dataset=dataset
    )
    if as_json:
        alphas = [
            asdict(each) | {"is_shown": each.is_shown, "seen_of_spread": each.seen_of_spread}
            for each in found.alphas
        ]
        print_json({"alphas": alphas, "price": asdict(found.price)})
    else:
        _print(found, make_console())


def _print(found: "Comparison", console: "Console") -> None:
    from octprobe.commands.terminal import Column, Section, print_blocks, print_line
    from octprobe.units import show_duration

    columns = (
        Column("alpha"),
        Column("alone", "%"),
        Column("elastic", "%"),
        Column("difference", "% points"),
        Column("at least", "% points"),
        Column("seeds"),
        Column("images"),
        Column("answer", left=True),
    )
    first, fewest, price = found.alphas[0], min(found.alphas, key=lambda each: each.seeds), found.price
    title = f"{first.network} on {first.dataset}"
    print_blocks(console, columns, [Section(title, [_cells(each) for each in found.alphas])])
    print_line(
        console,
        f"At least: the one-sided 95 % bound on test images, by a paired bootstrap over {_drawn(fewest)}; "
        f"non-inferior above -{first.margin_points:g} points.",
    )
    print_line(
        console,
        f"Time: elastic {show_duration(price.elastic_seconds)}, "
        f"alone {show_duration(price.standalone_seconds)} ({_share(price.share_of_seconds)}); "
        f"of processors {show_duration(price.elastic_cpu_seconds)} and "
        f"{show_duration(price.standalone_cpu_seconds)} ({_share(price.share_of_cpu_seconds)}); "
        f"images seen: {_count(price.elastic_images)} and {_count(price.standalone_images)}.",
    )


def _drawn(each: "Inferiority") -> str:
    """Say what a bound was drawn over, and what it cannot know."""
    if each.seeds == 1:
        return "images; one seed says nothing of how far another would lie"
    return (
        f"images and seeds; drawn from {each.seeds} seeds it sees {each.seen_of_spread:.2f} of the spread "
        "between trainings"
    )


def _count(images: float | None) -> str:
    from octprobe.units import ABSENT

    return ABSENT if images is None else f"{images:,.0f}"


def _share(share: float | None) -> str:
    return "the share is not known" if share is None else f"{share:.2f} of it"


def _cells(each: "Inferiority") -> "list[Text]":
    from octprobe.commands.terminal import cell

    answer = "non-inferior" if each.is_shown else "not shown"
    return [
        cell(each.alpha_map if each.alpha is None else f"{each.alpha:g}"),
        cell(f"{each.standalone_percent:.2f}"),
        cell(f"{each.elastic_percent:.2f}"),
        cell(f"{each.difference_points:+.2f}"),
        cell(f"{each.lower_points:+.2f}"),
        cell(each.seeds),
        cell(each.images),
        cell(answer, "green" if each.is_shown else "yellow"),
    ]
