"""What the documents say is so."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from octprobe.commands.main import app
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec
from octprobe.store.records import Doubt, Status

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{n}.md" for n in ("choosing", "comparing", "design", "measuring")),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_a_document_names_exists(repository: Path, name: str) -> None:
    """`octprobe X` and `octprobe X Y` in code are commands, and options belong to their command."""
    text = (repository / name).read_text()
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a typer app with subcommands is a click group
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text):
        for line in block.splitlines():
            for word, rest in re.findall(r"octprobe ([a-z]+)(?= |$)([^#|]*)", line):
                assert word in commands, line
                command, within = commands[word], re.match(r" ([a-z]+)", rest)
                if hasattr(command, "commands") and within:
                    assert within[1] in command.commands, line
                    command = command.commands[within[1]]
                known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
                assert set(re.findall(r"(?<= )--[a-z-]+", rest)) <= known, line


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_a_document_names_exists(repository: Path, name: str) -> None:
    """A renamed target is noticed."""
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    text = (repository / name).read_text()
    code = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_within_the_repository_leads_somewhere(repository: Path, name: str) -> None:
    """A moved page is noticed."""
    document = repository / name
    for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_every_doubt_and_status_is_explained(repository: Path) -> None:
    """A word that a row can hold stands in the documents."""
    measuring = (repository / "docs/measuring.md").read_text()
    design = (repository / "docs/design.md").read_text()
    assert all(f"`{doubt}`" in measuring for doubt in Doubt)
    assert all(status in design for status in Status)


def test_make_help_lists_every_target(repository: Path) -> None:
    """The list is made from the targets' own comments."""
    makefile = (repository / "Makefile").read_text()
    phony = re.search(r"\.PHONY: (.*)", makefile)
    assert phony
    documented = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert set(phony.group(1).split()) <= documented | {"install"}


def test_the_readmes_sweep_can_be_read(repository: Path, tmp_path: Path) -> None:
    """The example is a valid sweep file, and its Python names exist."""
    (block,) = re.findall(r"```yaml\n(.*?)```", (repository / "README.md").read_text(), re.DOTALL)
    file = tmp_path / "mine.yaml"
    file.write_text(block)
    plan = expand(read_spec(file), "cpu")
    assert len(plan.points) == 2 * 3 * 4 * 2 - len(plan.exclusions) + 1
    assert len(plan.exclusions) == 2 * 2
    assert plan.points[-1].subject.axes()["alpha_map"] == '{"layer1": 0.5, "layer2": 0.25}'
