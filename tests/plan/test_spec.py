"""A sweep file read."""

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octprobe.errors import SpecError
from octprobe.plan.ranges import Range
from octprobe.plan.spec import Measure, SweepSpec, read_spec

EVERY_FORM = """\
# yaml-language-server: $schema=sweep.schema.json
version: 1
name: resnet
subject: network
device: auto
axes:
  network: [resnet26, resnet50]
  alpha: [0, 0.125, 0.25, 0.5, 0.75]
  batch: {range: {start: 1, stop: 8, scale: log2}}
  resolution: [224]
  memory_format: [contiguous, channels_last]
zip:
  - {dtype: [float32, bfloat16], threads: [2, 1]}
when:
  - {if: "device_kind == 'cuda'", axes: {execution: [eager, compiled, cudagraph]}}
exclude: ["alpha == 0.75 and batch > 4"]
include: [{network: resnet50, alpha: {layer1: 0.5, layer2: 0.25}, batch: 1, resolution: 224}]
measure: {relative_ci: 0.01, min_seconds: 0.5, max_seconds: 30, rounds: 3, seed: 0}
"""
SMALL = "version: 1\nname: small\nsubject: network\naxes: {network: [resnet18], alpha: [0]}\n"


def write(folder: Path, text: str) -> Path:
    """Write a spec."""
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_form_of_the_grammar(tmp_path: Path) -> None:
    """The example of every form is read into plain values."""
    spec = read_spec(write(tmp_path, EVERY_FORM))
    assert (spec.name, spec.subject, spec.device, spec.question) == ("resnet", "network", "auto", "")
    assert spec.axes["network"] == ("resnet26", "resnet50")
    assert spec.axes["alpha"] == tuple(map(Decimal, ("0", "0.125", "0.25", "0.5", "0.75")))
    assert spec.axes["batch"] == Range(1, 8, None)
    assert spec.zips == ({"dtype": ("float32", "bfloat16"), "threads": (2, 1)},)
    assert spec.whens[0].condition.text == "device_kind == 'cuda'"
    assert spec.whens[0].axes == {"execution": ("eager", "compiled", "cudagraph")}
    assert [c.text for c in spec.excludes] == ["alpha == 0.75 and batch > 4"]
    assert spec.includes[0]["alpha"] == (("layer1", Decimal("0.5")), ("layer2", Decimal("0.25")))
    assert spec.measure == Measure(relative_ci=0.01, min_seconds=0.5, max_seconds=30, rounds=3, seed=0)


def test_defaults(tmp_path: Path) -> None:
    """What a file leaves out has the documented defaults."""
    spec = read_spec(write(tmp_path, SMALL))
    assert spec.device == "auto"
    assert (spec.zips, spec.whens, spec.excludes, spec.includes) == ((), (), (), ())
    assert spec.measure.model_dump() == {
        "relative_ci": 0.01,
        "min_seconds": 0.5,
        "max_seconds": 30,
        "rounds": 3,
        "seed": 0,
        "band": 0.01,
        "timeout_seconds": 600,
    }


def test_measure_is_frozen(tmp_path: Path) -> None:
    """Settings do not change while a sweep runs."""
    measure = read_spec(write(tmp_path, SMALL)).measure
    with pytest.raises(ValueError, match="frozen"):
        measure.rounds = 5


def test_the_text_is_kept(tmp_path: Path) -> None:
    """The file's text is kept as it was, for the store."""
    spec = read_spec(write(tmp_path, EVERY_FORM))
    assert spec.text == EVERY_FORM


def test_networks_are_checked_by_the_caller(tmp_path: Path) -> None:
    """The plan knows no networks; each name is put to the check, wherever it stands."""
    asked: list[str] = []

    def check(name: str) -> str | None:
        asked.append(name)
        return None

    read_spec(write(tmp_path, EVERY_FORM), network_fault=check)
    assert set(asked) == {"resnet26", "resnet50"}


@pytest.mark.parametrize(
    "name", ["resnet50", "torchvision:resnet50", "package.module:function", "resnet50.a1_in1k"]
)
def test_forms_of_network_names(tmp_path: Path, name: str) -> None:
    """timm's, torchvision's and factories' names all pass the grammar."""
    spec = read_spec(write(tmp_path, SMALL.replace("resnet18", name)))
    assert spec.axes["network"] == (name,)


def test_include_alone_is_a_sweep(tmp_path: Path) -> None:
    """A file may list its points one by one."""
    text = "version: 1\nname: x\nsubject: network\ninclude:\n  - {network: resnet18, alpha: 0.5}\n"
    spec = read_spec(write(tmp_path, text))
    assert spec.axes == {}
    assert spec.includes == ({"network": "resnet18", "alpha": Decimal("0.5")},)


def test_a_fault_does_not_hide_those_around_it(tmp_path: Path) -> None:
    """Grammar, expressions and rules between parts are all reported at once."""
    text = EVERY_FORM.replace("0.75]", "7.5]").replace("batch > 4", "bacth > 4").replace("[2, 1]", "[2]")
    with pytest.raises(SpecError) as caught:
        read_spec(write(tmp_path, text))
    message = str(caught.value)
    assert message.count("sweep.yaml:") == 3
    for part in ("alpha must lie in [0, 1] (7.5)", 'did you mean "batch"?', "dtype has 2, threads has 1"):
        assert part in message


def test_reading_is_quick(tmp_path: Path) -> None:
    """A spec of every form is read in a fraction of the half second that a person notices."""
    path = write(tmp_path, EVERY_FORM)
    read_spec(path)
    started = time.perf_counter()
    read_spec(path)
    assert time.perf_counter() - started < 0.5


def test_the_plan_never_loads_torch_or_pandas() -> None:
    """Reading a sweep file needs neither wing."""
    code = (
        "import sys, octprobe.plan.space, octprobe.plan.json_schema\n"
        "print(sorted({'torch', 'timm', 'pandas', 'numpy', 'streamlit'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def mutated(text: str, cuts: list[tuple[int, int, str]]) -> str:
    """Replace some stretches of a text."""
    for start, length, new in cuts:
        at = start % (len(text) + 1)
        text = text[:at] + new + text[at + length :]
    return text


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.integers(0, 12),
            st.text(alphabet="[]{}:,-'\"* \n09.abxé&!", max_size=4)
            | st.sampled_from(
                ["null", "true", "1e9", "alpha", "range", "if", "network", "batch > 1", "9" * 30]
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_specs_are_read_or_refused(tmp_path: Path, cuts: list[tuple[int, int, str]]) -> None:
    """Whatever is done to a file, reading it gives a spec or a SpecError."""
    path = write(tmp_path, mutated(EVERY_FORM, cuts))
    try:
        spec = read_spec(path)
    except SpecError as error:
        assert str(error).startswith(str(path))
    else:
        assert isinstance(spec, SweepSpec)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_random_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    """No file of random bytes is a sweep, and none raises anything but a SpecError."""
    path = tmp_path / "noise.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        read_spec(path)
