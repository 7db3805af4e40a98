"""What of a variant has no effect, where, and why; the messages stand under `broken`."""

from decimal import Decimal
from pathlib import Path

import pytest

from octprobe.errors import SpecError
from octprobe.plan.effect import no_effect
from octprobe.plan.point import DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec
from octprobe.plan.variant import VARIANT_AXES, Variant

UNUSUAL = {"exchange": "none", "downsample": "max", "octave_kernels": "spatial", "return_at": "end"}
HALF, ZERO = Decimal("0.5"), Decimal(0)
HEAD = "version: 1\nname: x\nsubject: network\n"


def without_effect(subject: NetworkSubject | LayerSubject) -> dict[str, str]:
    """Give the reasons of the axes on which an unusual value has no effect."""
    point = DesignPoint(subject=subject, variant=Variant(**UNUSUAL))
    found = {name: no_effect(name, UNUSUAL[name], point) for name in VARIANT_AXES}
    return {name: why.reason for name, why in found.items() if why}


def layer(alpha_in: Decimal, alpha_out: Decimal, **shape: int) -> LayerSubject:
    """Give a convolution of eight channels."""
    return LayerSubject(in_channels=8, out_channels=8, alpha_in=alpha_in, alpha_out=alpha_out, **shape)


def test_a_network_at_an_alpha_has_every_form() -> None:
    """Nothing of it, with a map what says which layers are octave, and everything at alpha 0."""
    assert without_effect(NetworkSubject(network="a", alpha=HALF)) == {}
    assert without_effect(NetworkSubject(network="a", alpha=(("b", HALF),))) == dict.fromkeys(
        ("octave_kernels", "return_at"), "an alpha map says itself which convolutions are octave"
    )
    for nothing in (ZERO, (("b", ZERO),)):
        assert without_effect(NetworkSubject(network="a", alpha=nothing)) == dict.fromkeys(
            VARIANT_AXES, "at alpha 0 nothing is octave"
        )


@pytest.mark.parametrize(
    ("subject", "reasons"),
    [
        (layer(HALF, HALF, stride=2), {}),
        (layer(HALF, HALF), {"downsample": "no high channel becomes low in this layer"}),
        (
            layer(ZERO, HALF),
            {"exchange": "where input or output has one frequency only, every path is there"},
        ),
        (
            layer(HALF, HALF, groups=8, stride=2),
            {"exchange": "a depthwise convolution has no path between the frequencies"},
        ),
    ],
)
def test_a_layer_without_a_use_for_a_form(subject: LayerSubject, reasons: dict[str, str]) -> None:
    """Borders and depthwise layers, and where nothing becomes low as no path leads there."""
    extents = ("octave_kernels", "return_at")
    assert {name: why for name, why in without_effect(subject).items() if name not in extents} == reasons


def test_usual_values_are_never_without_effect() -> None:
    """A file may say them anywhere."""
    point = DesignPoint(subject=NetworkSubject(network="a", alpha=ZERO))
    assert not any(no_effect(name, getattr(Variant(), name), point) for name in VARIANT_AXES)


def faults(tmp_path: Path, text: str, device_kind: str = "cpu") -> str:
    """Give what expanding a text is told; empty where it expands."""
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + text)
    try:
        expand(read_spec(path), device_kind)
    except SpecError as error:
        return str(error)
    return ""


def test_one_point_with_an_effect_is_enough(tmp_path: Path) -> None:
    """In a grid, where alpha 0 and maps stand beside alphas; each row of zip is a choice."""
    assert not faults(tmp_path, "axes: {network: [a], alpha: [0, {b: 0.5}, 0.5], return_at: [end]}\n")
    assert not faults(tmp_path, "axes: {network: [a], alpha: [0, {b: 0.5}], exchange: [none]}\n")
    rows = "axes: {network: [a]}\nzip: [{alpha: [0, 0.5], exchange: [none, both]}]\n"
    assert "zip[0].exchange[0]: has no effect: at alpha 0 nothing is octave; " in faults(tmp_path, rows)
    assert not faults(tmp_path, rows.replace("[none, both]", "[both, none]"))


def test_a_value_under_a_condition_is_found_where_the_condition_holds(tmp_path: Path) -> None:
    """It is asked for on that device alone."""
    text = (
        "axes: {network: [a], alpha: [0]}\n"
        "when: [{if: device_kind == 'cuda', axes: {exchange: [both, none]}}]\n"
    )
    assert "when[0].axes.exchange[1]: has no effect" in faults(tmp_path, text, "cuda")
    assert not faults(tmp_path, text, "cpu")
