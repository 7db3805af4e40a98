"""`octprobe groups`: what another program reads, what a person sees and may copy, and errors in a line."""

import json
import re
import shlex
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from octprobe.commands.main import app
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.octave.network import OctaveNetwork


def groups(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["groups", *arguments], catch_exceptions=False)


def test_the_object_has_every_group_with_exact_macs() -> None:
    """Whatever the options of the table."""
    found = json.loads(groups("resnext50_32x4d", "--json").stdout)
    assert (found["network"], found["policy"], found["no_policy"]) == ("resnext50_32x4d", "ResNet", None)
    assert (found["size"], found["macs"], len(found["groups"])) == ([224, 224], 4_230_479_872, 37)
    octave = [group for group in found["groups"] if group["is_octave"]]
    assert len(octave) == 29
    assert found["policy_macs"] == sum(group["macs"] for group in octave)
    assert found["policy_share"] == pytest.approx(sum(group["share"] for group in octave), abs=1e-12)
    assert found["groups"][2] == {
        "number": 3,
        "is_octave": True,
        "patterns": ["layer1.0.conv2"],
        "convs": ["layer1.0.conv2"],
        "followers": [],
        "named_with": [],
        "channels": [128],
        "sizes": [[56, 56]],
        "macs": 4 * 128 * 9 * 56 * 56,
        "share": 4 * 128 * 9 * 56 * 56 / 4_230_479_872,
        "smallest_alpha": 0.25,
        "multiple_of": "1/4",
        "allowed": [0.25, 0.5, 0.75, 1.0],
    }
    assert found["example"]["layer3.*.conv3"] == 0.5
    assert (found["source"], found["per"]) == ("counted", "item of the batch")


def test_the_table_has_the_policys_groups_and_with_all_the_others_too() -> None:
    """What is left out is counted."""
    some, every = groups("resnet18").stdout, groups("resnet18", "--all").stdout
    assert re.findall(r"^(\d+)", some, re.MULTILINE) == [str(number) for number in range(2, 11)]
    assert re.findall(r"^(\d+)", every, re.MULTILINE) == [str(number) for number in range(1, 14)]
    assert "70.81 % of the MACs: 9 groups that a uniform alpha makes octave" in some
    assert "29.16 % of the MACs: 4 groups that the policy leaves plain; --all shows them" in some
    assert "29.16 % of the MACs: 4 groups that the policy leaves plain\n" in every
    assert "0.03 % of the MACs: layers that are always plain" in some


def test_the_command_at_the_end_can_be_run() -> None:
    """As a person would copy it into a shell."""
    command = groups("resnet18", "--resolution", "64").stdout.splitlines()[-1]
    program, *arguments = shlex.split(command)
    assert (program, arguments[:2], arguments[-2:]) == (
        "octprobe",
        ["cost", "resnet18"],
        ["--resolution", "64"],
    )
    ended = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert json.loads(ended.stdout)["macs_l2l"] > 0


def test_the_alpha_map_at_the_end_converts() -> None:
    """As Python and YAML read it."""
    (line,) = re.findall(r"^An alpha map: (.*)", groups("resnet18").stdout, re.MULTILINE)
    with torch.device("meta"):
        network = octavize(build_network("resnet18"), json.loads(line))
    assert isinstance(network, OctaveNetwork)
    assert len(network.conversion.groups) == 2


def test_a_network_of_your_own_needs_leave_to_be_imported() -> None:
    """Its weights have values, and the command at the end has the leave too."""
    shown = groups("octave.nets:Small", "--allow-import", "--resolution", "32").stdout
    assert "octave.nets:Small, 32 px: " in shown
    assert shown.splitlines()[-1].endswith(" --resolution 32 --allow-import")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["renset18"], "resnet18"),
        (["os:getcwd"], "--allow-import"),
        (["vgg11", "--resolution", "3"], "does not take an input of (1, 3, 3, 3)"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], words: str) -> None:
    """What was typed, what is wrong, and what would do."""
    ended = CliRunner().invoke(app, ["groups", *arguments])
    assert ended.exception is not None
    assert words in str(ended.exception)
    assert "\n" not in str(ended.exception)


def test_the_readme_shows_what_the_command_prints(repository: Path) -> None:
    """To the character."""
    (shown,) = re.findall(
        r"`octprobe groups resnet18` prints.*?```\n(.*?)```",
        (repository / "README.md").read_text(),
        re.DOTALL,
    )
    assert shown == groups("resnet18").stdout
