"""`octprobe selftest`: its table and its JSON."""

import json

import pytest
from typer.testing import CliRunner

import octprobe.measure.selftest as measured
from octprobe.commands.main import app
from octprobe.measure.selftest import EQUAL, MORE, Trial
from octprobe.stats import Interval, Verdict

TRIALS = [
    Trial(EQUAL, Interval(1.001, 0.99, 1.01, 30), Verdict.AMBIGUOUS),
    Trial(MORE, Interval(1.049, 1.04, 1.06, 30), Verdict.SLOWER),
    Trial(EQUAL, Interval(0.999, 0.995, 1.005, 30), Verdict.SAME),
    Trial(MORE, Interval(1.051, 1.04, 1.06, 30), Verdict.SLOWER),
]


@pytest.fixture(autouse=True)
def _trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "run_trials", lambda *_: iter(TRIALS))


def test_the_table_has_counts_and_shares_with_intervals() -> None:
    """A line an experiment: truth, what was measured, verdicts, the share that was right."""
    output = CliRunner().invoke(app, ["selftest", "--device", "cpu", "--comparisons", "2"]).stdout
    lines = [line.split() for line in output.splitlines() if "work" in line]
    assert lines == [
        ["equal", "work", "1.000", "1.000", "2", "0", "0", "1", "1", "100.0%", "[34.2%,", "100.0%]"],
        ["5", "%", "more", "work", "1.050", "1.050", "2", "0", "2", "0", "0", "100.0%", "[34.2%,", "100.0%]"],
    ]


def test_json_is_a_list_of_experiments() -> None:
    """Everything a script needs to judge it."""
    result = CliRunner().invoke(app, ["selftest", "--device", "cpu", "--comparisons", "2", "--json"])
    equal, more = json.loads(result.stdout)
    assert (equal["same"], equal["ambiguous"], equal["faster"], equal["slower"]) == (1, 1, 0, 0)
    assert (more["true_ratio"], more["right_share"]) == (1.05, 1.0)
    assert more["ratio_median"] == pytest.approx(1.05)
