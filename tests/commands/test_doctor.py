"""`octprobe doctor`."""

import json

from typer.testing import CliRunner

from octprobe.commands.main import app


def test_the_doctor_says_what_can_be_measured_and_why_not() -> None:
    """Every finding that is not usable has a reason."""
    ended = CliRunner().invoke(app, ["doctor", "--device", "cpu", "--json"], catch_exceptions=False)
    findings = {finding["subject"]: finding for finding in json.loads(ended.stdout)}
    assert findings["device"]["state"].startswith("cpu: ")
    assert findings["execution eager"]["usable"] is True
    assert findings["execution cudagraph"] == {
        "subject": "execution cudagraph",
        "state": "no",
        "usable": False,
        "reason": "execution cudagraph needs a CUDA device; this one is a processor",
    }
    assert {"torch", "threads", "dtype bfloat16", "mode train", "env_id"} <= set(findings)
    assert {"processor clock", "throttling", "foreign CPU time", "steal"} <= set(findings)
    assert all(finding["reason"] for finding in findings.values() if finding["usable"] is False)


def test_the_table_is_for_people() -> None:
    """The same findings in lines."""
    wide = {"COLUMNS": "200"}
    ended = CliRunner().invoke(app, ["doctor", "--device", "cpu"], env=wide, catch_exceptions=False)
    assert "execution cudagraph" in ended.stdout
    assert "needs a CUDA device" in ended.stdout
