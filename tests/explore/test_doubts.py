"""What doubts mean, what to do about them, and which of them are said once."""

import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from octprobe.explore.doubts import ADVICE, explained, own_doubts, shared_doubts, shared_lines
from octprobe.store.records import Doubt

KNOWN = [str(doubt) for doubt in Doubt]
CLOCK = explained("unknown_clock")


def doubted(*doubts: str, env_id: str = "a", status: str = "measured") -> dict[str, Any]:
    """Give what is read of a row."""
    return {"env_id": env_id, "status": status, "doubts": doubts}


def test_every_doubt_has_a_meaning_and_a_remedy() -> None:
    """A word that a row can hold is never left to be guessed at."""
    assert set(ADVICE) == set(Doubt)
    assert explained("unstable") == (
        "unstable: medians of the rounds differ by more than 10 %. "
        "What to do: something else ran; --retry unstable."
    )


def test_a_doubt_of_a_newer_octprobe_is_named() -> None:
    """There is nothing to explain it with."""
    assert explained("haunted") == "haunted"


def test_the_manual_says_the_same(repository: Path) -> None:
    """A row of the table in docs/measuring.md is the text that the terminal shows."""
    text = (repository / "docs/measuring.md").read_text().replace("`", "")
    table = re.findall(r"^\| (\w+) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    said = {doubt: (meaning, remedy) for doubt, meaning, remedy in table if doubt in ADVICE}
    assert said
    assert said == {doubt: (ADVICE[doubt].meaning, ADVICE[doubt].remedy) for doubt in said}


def test_doubts_of_all_measured_rows_are_shared() -> None:
    """What failed was never timed, so it has no say; another environment has its own."""
    rows = [
        doubted("unknown_clock", "unstable"),
        doubted("bimodal", "unknown_clock"),
        doubted(status="crashed"),
        doubted("unstable", env_id="b"),
        doubted("unstable", env_id="b"),
    ]
    shared = shared_doubts(rows)
    assert shared == {"a": ("unknown_clock",), "b": ("unstable",)}
    assert [own_doubts(row, shared) for row in rows] == [["unstable"], ["bimodal"], [], [], []]


def test_one_row_shares_nothing() -> None:
    """Its doubts are its own, and stand under it."""
    rows = [doubted("unstable")]
    assert shared_doubts(rows) == {"a": ()}
    assert own_doubts(rows[0], shared_doubts(rows)) == ["unstable"]


def test_what_all_environments_share_is_said_once() -> None:
    """Where only some do, they are named."""
    assert shared_lines({"a": ("unknown_clock",), "b": ("unknown_clock",)}) == [f"every row: {CLOCK}"]
    assert shared_lines({"a": ("unknown_clock",), "b": (), "c": ("unknown_clock",)}) == [
        f"every row of env a, c: {CLOCK}"
    ]
    assert shared_lines({"a": ()}) == []


@given(
    st.lists(
        st.builds(
            doubted,
            *(st.sampled_from(KNOWN),) * 2,
            env_id=st.sampled_from("ab"),
            status=st.sampled_from(["measured", "failed"]),
        ),
        max_size=8,
    )
)
def test_no_doubt_is_lost_and_none_is_said_of_a_row_without_it(rows: list[dict[str, Any]]) -> None:
    """A measured row's doubts are its own and the shared ones, each of which it really has."""
    shared = shared_doubts(rows)
    for row in rows:
        common = set(shared.get(row["env_id"], ()))
        assert common | set(own_doubts(row, shared)) >= set(row["doubts"])
        assert row["status"] != "measured" or common <= set(row["doubts"])
