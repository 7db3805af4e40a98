"""`octprobe cost` against the exact integers of the authors' definitions."""

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from octprobe.cache import Cache
from octprobe.commands.main import app

TABLE = list(csv.DictReader((Path(__file__).parents[1] / "octave" / "golden_macs.csv").open()))
# The conversion's own tests count every row of the table; here are two networks, of either kind of block.
ALPHAS = {"resnet18": ("0.125", "0.25", "0.75"), "resnet50": ("0", "0.5")}


def cost(*arguments: str) -> dict[str, object]:
    """Run the command in this process and read its object."""
    ended = CliRunner().invoke(app, ["cost", *arguments, "--json"], catch_exceptions=False)
    assert ended.exit_code == 0
    figures: dict[str, object] = json.loads(ended.stdout)
    return figures


@pytest.mark.slow
@pytest.mark.parametrize("network", ALPHAS)
def test_golden_resnets_are_exact(network: str) -> None:
    """MACs to the last digit, by fvcore, the meta walk and the closed form; parameters do not move."""
    rows = [row for row in TABLE if row["network"] == network and row["alpha"] in ALPHAS[network]]
    assert len(rows) == len(ALPHAS[network])
    for row in rows:
        figures = cost(network, "--alpha", row["alpha"])
        paths = sum(int(str(figures[f"macs_{path}"])) for path in ("h2h", "h2l", "l2h", "l2l", "plain"))
        assert (figures["macs"], figures["macs_dispatched"], paths) == (int(row["macs"]),) * 3
        assert figures["parameters"] == int(row["parameters"])
        assert figures["uncounted_ops"] == {}


def test_how_often_a_network_leaves_the_octave_world() -> None:
    """Where an operator has no octave form, at every place; vanilla never was in it."""
    assert cost("resnet18", "--alpha", "0.5", "--resolution", "64")["octave_exits"] == 0
    assert cost("resnet18", "--resolution", "64")["octave_exits"] is None


def test_an_alpha_map_names_its_layers() -> None:
    """Pairs on the command line reach the conversion, and come back in the object."""
    figures = cost("resnet18", "--alpha", "layer1=0.5,layer2=0.25", "--resolution", "64")
    assert (figures["alpha"], figures["alpha_map"]) == (None, '{"layer1": 0.5, "layer2": 0.25}')


def test_the_variant_is_counted_and_shown() -> None:
    """Fewer paths are fewer MACs; the object has all of the variant, the title what is unusual of it."""
    options = ("resnet18", "--alpha", "0.5", "--resolution", "64")
    usual, none = cost(*options), cost(*options, "--exchange", "none", "--return-at", "layer3")
    names = ("exchange", "downsample", "octave_kernels", "return_at")
    assert [usual[name] for name in names] == ["both", "average", "all", "policy"]
    assert [none[name] for name in names] == ["none", "average", "all", "layer3"]
    # Its plain layers, from layer3 on, are dearer; the paths between the frequencies are left at the borders.
    assert int(str(none["macs_plain"])) > int(str(usual["macs_plain"]))
    assert int(str(none["macs_h2l"])) < int(str(usual["macs_h2l"]))
    assert [cost("resnet18", "--resolution", "64")[name] for name in names] == [None] * 4
    ended = CliRunner().invoke(
        app, ["cost", *options, "--downsample", "max", "--octave-kernels", "spatial"], catch_exceptions=False
    )
    assert ended.stdout.splitlines()[0].strip() == "resnet18 alpha 0.5 max spatial, 64 px: counted, an item"


def test_the_table_shows_units_and_the_share_of_vanilla() -> None:
    """A person reads MACs, bytes and what is left of them."""
    ended = CliRunner().invoke(app, ["cost", "resnet18", "--alpha", "0.5"], catch_exceptions=False)
    assert "1.137 GMACs" in ended.stdout
    assert "0.627" in ended.stdout
    assert re.search(r"octave exits\W+0\W", ended.stdout)
    assert "Operators without a FLOPs rule: none. Exact MACs: 1,137,299,456." in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["renset18"], "resnet18"),
        (["os:getcwd"], "--allow-import"),
        (["resnet18", "--alpha", "1.5"], "alpha must lie in [0, 1]"),
        (["resnet18", "--alpha", "layer9=0.5"], "layer9"),
        (["resnet18", "--exchange", "Both"], '--exchange Both: must be "both", "h2l", "l2h" or "none"; did'),
        (["resnet18", "--return-at", "End"], "--return-at End: is policy, end or a module's name; did you"),
        (
            ["resnet18", "--return-at", "a b"],
            "--return-at a b: is policy, end or a module's name, of",
        ),
        (
            ["resnet18", "--exchange", "none"],
            "--exchange none: has no effect: at alpha 0 nothing is octave;",
        ),
        (
            ["resnet18", "--alpha", "layer1=0.5", "--octave-kernels", "spatial"],
            "--octave-kernels spatial: has no effect: an alpha map says itself which",
        ),
        (["resnet18", "--alpha", "0.5", "--return-at", "layer9"], "layer9"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], words: str) -> None:
    """What was typed, what is wrong, and what would do."""
    ended = CliRunner().invoke(app, ["cost", *arguments])
    assert ended.exception is not None
    assert words in str(ended.exception)
    assert "\n" not in str(ended.exception)


def test_a_network_that_fvcore_cannot_trace_shows_the_walks_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says why, and no traceback does."""

    def untraceable(*_: object) -> None:
        raise TypeError("no graph for this")

    macs = int(str(cost("resnet18", "--resolution", "64")["macs"]))
    monkeypatch.setattr("octprobe.cost.count.fvcore_count", untraceable)
    monkeypatch.setattr(Cache, "get", lambda *_: None)
    monkeypatch.setattr(Cache, "put", lambda *_: None)
    ended = CliRunner().invoke(app, ["cost", "resnet18", "--resolution", "64"], catch_exceptions=False)
    assert "MACs (meta walk)" in ended.stdout
    assert f"Operators without a FLOPs rule: not known. Exact MACs: {macs:,}." in ended.stdout
    assert ended.stderr == (
        "octprobe: fvcore could not trace it: TypeError: no graph for this; "
        f"the meta walk counts {macs} MACs an item\n"
    )
