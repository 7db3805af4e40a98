"""A sweep expanded."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octprobe.errors import SpecError
from octprobe.plan.axes import condition_names
from octprobe.plan.expression import parse_condition
from octprobe.plan.point import LayerSubject, NetworkSubject
from octprobe.plan.space import Plan, expand
from octprobe.plan.spec import SweepSpec, read_spec

HEAD = "version: 1\nname: x\nsubject: network\n"
LAYER = "version: 1\nname: x\nsubject: layer\n"
Read = Callable[[str], SweepSpec]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a reader of spec texts."""

    def from_text(text: str) -> SweepSpec:
        path = tmp_path / "x.yaml"
        path.write_text(text)
        return read_spec(path)

    return from_text


def chosen(plan: Plan, *names: str) -> list[tuple[object, ...]]:
    """Give some axes of each point, in order."""
    return [tuple(point.axes()[name] for name in names) for point in plan.points]


def test_product_with_alpha_innermost(read: Read) -> None:
    """The order is fixed by the grammar, not by the file, and keeps groups together."""
    spec = read(HEAD + "axes: {alpha: [0, 0.5], batch: [1, 8], network: [b, a]}\n")
    assert chosen(expand(spec, "cpu"), "network", "batch", "alpha") == list(
        itertools.product(["b", "a"], [1, 8], [0, 0.5])
    )


def test_groups(read: Read) -> None:
    """A group holds the points that differ in alpha alone."""
    spec = read(HEAD + "axes: {network: [a], batch: [1, 8], alpha: [0, 0.25, 0.5]}\n")
    groups = expand(spec, "cpu").groups
    assert [[p.axes()["alpha"] for p in g.points] for g in groups] == [[0, 0.25, 0.5]] * 2
    assert all(g.anchor in g.points for g in groups)
    assert all({p.group_id for p in g.points} == {g.group_id} for g in groups)


def test_an_anchor_is_added_where_the_spec_lacks_it(read: Read) -> None:
    """The added anchor gives samples and is no point."""
    plan = expand(read(HEAD + "axes: {network: [a], alpha: [0.5]}\n"), "cpu")
    (group,) = plan.groups
    assert group.anchor not in group.points
    assert group.anchor.is_anchor
    assert group.points == plan.points
    assert len(plan.points) == 1


def test_duplicates_merge(read: Read) -> None:
    """Equal work is one point, whatever writes it: repeated values, 0.50 for 0.5, a map of zeros."""
    text = HEAD + "axes: {network: [a, a], alpha: [0, 0.5, 0.50, {layer1: 0, layer2: 0}]}\n"
    assert chosen(expand(read(text), "cpu"), "alpha") == [(0,), (0.5,)]


def test_alpha_maps_keep_their_order(read: Read) -> None:
    """The last pattern that fits wins, so order is kept and tells maps apart."""
    text = HEAD + "axes: {network: [a], alpha: [{b: 0.5, a: 0.25}, {a: 0.25, b: 0.5}]}\n"
    subjects = [point.subject for point in expand(read(text), "cpu").points]
    assert [s.alpha for s in subjects if isinstance(s, NetworkSubject)] == [
        (("b", Decimal("0.5")), ("a", Decimal("0.25"))),
        (("a", Decimal("0.25")), ("b", Decimal("0.5"))),
    ]


def test_zip_rows_move_together(read: Read) -> None:
    """Rows are crossed with the axes, never with one another's columns."""
    text = (
        HEAD
        + "axes: {network: [a], alpha: [0, 1]}\nzip:\n  - {dtype: [float32, bfloat16], threads: [2, 1]}\n"
    )
    assert chosen(expand(read(text), "cpu"), "dtype", "threads", "alpha") == [
        ("float32", 2, 0),
        ("float32", 2, 1),
        ("bfloat16", 1, 0),
        ("bfloat16", 1, 1),
    ]


WIDENED = (
    HEAD
    + """
axes: {network: [a], alpha: [0], batch: [1, 8]}
when:
  - {if: device_kind == 'cuda', axes: {batch: [32, 8], execution: [eager, cudagraph]}}
  - {if: batch > 1 and device_kind == 'cuda', axes: {threads: [1]}}
  - {if: batch == 8, axes: {threads: [2], dtype: [bfloat16]}}
"""
)


def test_when_adds_values_on_the_device(read: Read) -> None:
    """A condition on the device widens an axis, and later conditions see the added values."""
    plan = expand(read(WIDENED), "cuda")
    assert chosen(plan, "batch", "execution", "threads", "dtype") == [
        (batch, execution, threads, dtype)
        for batch, rows in (
            (1, [(None, "float32")]),
            (8, [(1, "bfloat16"), (2, "bfloat16")]),
            (32, [(1, "float32")]),
        )
        for execution in ("eager", "cudagraph")
        for threads, dtype in rows
    ]


def test_when_without_its_condition_adds_nothing(read: Read) -> None:
    """Elsewhere the axis keeps its own values or its default."""
    assert chosen(expand(read(WIDENED), "cpu"), "batch", "execution", "threads", "dtype") == [
        (1, "eager", None, "float32"),
        (8, "eager", 2, "bfloat16"),
    ]


def test_ways_of_running_are_axes(read: Read) -> None:
    """Inference and training, and TF32 beside float32: each combination a group of its own."""
    text = HEAD + "axes: {network: [a], alpha: [0, 0.5], mode: [infer, train], dtype: [float32, tf32]}\n"
    plan = expand(read(text), "cuda")
    ways = [(dtype, mode) for dtype in ("float32", "tf32") for mode in ("infer", "train")]
    assert chosen(plan, "dtype", "mode") == [way for way in ways for _ in range(2)]
    assert len({group.group_id for group in plan.groups}) == 4


def test_a_condition_reads_the_mode(read: Read) -> None:
    """Training at a batch of one is left out."""
    text = HEAD + "axes: {network: [a], alpha: [0], mode: [infer, train], batch: [1, 8]}\n"
    text += "exclude: [mode == 'train' and batch == 1]\n"
    assert chosen(expand(read(text), "cpu"), "batch", "mode") == [(1, "infer"), (8, "infer"), (8, "train")]


FORMS = ("alpha", "alpha_map", "exchange", "downsample", "octave_kernels", "return_at")


def test_forms_of_the_operator_are_axes(read: Read) -> None:
    """Each is a point beside the others of its group; alpha 0 has none and is one point."""
    text = (
        HEAD + "axes: {network: [a], alpha: [0, 0.5], exchange: [both, none], return_at: [policy, layer3]}\n"
    )
    (group,) = expand(read(text), "cpu").groups
    assert [tuple(point.axes()[name] for name in FORMS) for point in group.points] == [
        (0, None, None, None, None, None),
        (0.5, None, "both", "average", "all", "policy"),
        (0.5, None, "both", "average", "all", "layer3"),
        (0.5, None, "none", "average", "all", "policy"),
        (0.5, None, "none", "average", "all", "layer3"),
    ]


def test_what_has_no_effect_on_an_alpha_map_makes_no_point(read: Read) -> None:
    """The map says which convolutions are octave; how they exchange still matters."""
    text = (
        HEAD
        + "axes: {network: [a], alpha: [0.5, {b: 0.5}], octave_kernels: [all, spatial],"
        + " return_at: [policy, end], downsample: [average, max]}\n"
    )
    forms = chosen(expand(read(text), "cpu"), *FORMS)
    assert len(forms) == 8 + 2
    assert [form for form in forms if form[0] is None] == [
        (None, '{"b": 0.5}', "both", "average", None, None),
        (None, '{"b": 0.5}', "both", "max", None, None),
    ]


def test_conditions_read_the_form(read: Read) -> None:
    """Under when a condition reads what is asked for, under exclude what the point has: none at alpha 0."""
    text = (
        HEAD
        + "axes: {network: [a], alpha: [0, 0.5], exchange: [both, none]}\n"
        + "when:\n  - {if: exchange == 'none', axes: {downsample: [average, strided]}}\n"
        + "exclude: [exchange != 'both' and downsample != 'strided']\n"
    )
    plan = expand(read(text), "cpu")
    assert chosen(plan, "alpha", "exchange", "downsample") == [
        (0, None, None),
        (0.5, "both", "average"),
        (0.5, "none", "strided"),
    ]
    only = plan.where(parse_condition("downsample == 'strided'", condition_names("network")))
    assert [point.label() for point in only.points] == [
        "a alpha 0.5 exchange none strided, batch 1, 224 px, contiguous"
    ]


def test_layers_have_forms_and_no_extent(read: Read) -> None:
    """A border has one way into its low output: four exchanges are one point."""
    text = (
        LAYER
        + "axes: {in_channels: [8], out_channels: [8], resolution: [8], alpha_in: [0, 0.5], alpha_out: [0.5],"
        + " exchange: [both, h2l, l2h, none], downsample: [average, max]}\n"
    )
    forms = chosen(expand(read(text), "cpu"), "alpha_in", "exchange", "downsample", "return_at")
    assert sorted(forms, key=repr) == [
        (0, "both", "average", None),
        (0, "both", "max", None),
        (0.5, "both", "average", None),
        (0.5, "both", "max", None),
        (0.5, "h2l", "average", None),
        (0.5, "h2l", "max", None),
        (0.5, "l2h", "average", None),
        (0.5, "none", "average", None),
    ]


def test_when_may_add_to_an_axis_of_the_file(read: Read) -> None:
    """Values under a condition stand beside those of axes, where the condition reads other axes."""
    text = (
        HEAD
        + "axes: {network: [a, b], alpha: [0], batch: [1]}\n"
        + "when:\n  - {if: network == 'b', axes: {batch: [2]}}\n"
    )
    assert chosen(expand(read(text), "cpu"), "network", "batch") == [("a", 1), ("b", 1), ("b", 2)]


def test_exclusions_carry_expression_and_line(read: Read) -> None:
    """Each point left out names the first expression that held and where it stands."""
    text = (
        HEAD
        + "axes: {network: [a], alpha: [0, 0.75], batch: [1, 8]}\n"
        + "exclude:\n  - batch > 9\n  - alpha == 0.75 and batch > 4\n"
    )
    plan = expand(read(text), "cpu")
    assert chosen(plan, "batch", "alpha") == [(1, 0), (1, 0.75), (8, 0)]
    (exclusion,) = plan.exclusions
    assert (exclusion.expression, exclusion.line) == ("alpha == 0.75 and batch > 4", 7)
    assert exclusion.point.label() == "a alpha 0.75, batch 8, 224 px, contiguous"


def test_included_rows_stand_whatever_is_excluded(read: Read) -> None:
    """Include comes last: it adds, and brings back."""
    text = (
        HEAD
        + "axes: {network: [a], alpha: [0, 0.5]}\nexclude: [alpha == 0.5]\n"
        + "include:\n  - {network: a, alpha: 0.5}\n  - {network: c, alpha: {l: 1}}\n"
    )
    plan = expand(read(text), "cpu")
    assert chosen(plan, "network", "alpha", "alpha_map") == [
        ("a", 0, None),
        ("a", 0.5, None),
        ("c", None, '{"l": 1.0}'),
    ]
    assert plan.exclusions == ()


def test_layer_defaults_keep_sizes(read: Read) -> None:
    """Kernel 3, stride 1, one group, no dilation, and the padding that keeps the size."""
    text = (
        LAYER
        + "axes: {in_channels: [64], out_channels: [32], resolution: [56], alpha: [0.5], dilation: [1, 2]}\n"
    )
    subjects = [point.subject for point in expand(read(text), "cpu").points]
    common = {"in_channels": 64, "out_channels": 32, "kernel_size": 3, "stride": 1, "groups": 1}
    alphas = {"alpha_in": Decimal("0.5"), "alpha_out": Decimal("0.5")}
    assert subjects == [
        LayerSubject(**common, **alphas, dilation=1, padding=1),  # type: ignore[arg-type]  # fields of one dict
        LayerSubject(**common, **alphas, dilation=2, padding=2),  # type: ignore[arg-type]  # fields of one dict
    ]


def test_conditions_on_a_layers_alpha(read: Read) -> None:
    """A layer has an alpha only where both sides agree."""
    text = (
        LAYER
        + "axes: {in_channels: [8], out_channels: [8], resolution: [8],"
        + " alpha_in: [0, 0.5], alpha_out: [0, 0.5]}\n"
        + "exclude: [alpha == 0.5, alpha_in == 0 and alpha_out == 0.5]\n"
    )
    assert chosen(expand(read(text), "cpu"), "alpha_in", "alpha_out") == [(0, 0), (0.5, 0)]


def test_narrowing_a_plan(read: Read) -> None:
    """A condition or a limit keeps some points, their order and their groups."""
    plan = expand(read(HEAD + "axes: {network: [a], batch: [1, 8], alpha: [0, 0.5]}\n"), "cpu")
    only = plan.where(parse_condition("batch == 8 and alpha > 0", condition_names("network")))
    assert chosen(only, "batch", "alpha") == [(8, 0.5)]
    assert only.groups[0].anchor not in only.groups[0].points


def test_a_grid_too_large_on_another_device_is_refused_there(read: Read) -> None:
    """A sweep for the CPU is only counted for the CPU; expanding it elsewhere counts again."""
    text = (
        HEAD
        + "device: cpu\naxes: {network: [a], alpha: [0]}\nwhen:\n  - if: device_kind == 'cuda'\n"
        + "    axes: {batch: {range: {start: 1, stop: 60000}}, resolution: [1, 2]}\n"
    )
    spec = read(text)
    assert len(expand(spec, "cpu").points) == 1
    with pytest.raises(SpecError, match="120,000 points on cuda; a sweep has at most 100,000"):
        expand(spec, "cuda")


AXIS_VALUES = {
    "network": ["a", "b", "c"],
    "batch": [1, 2, 4, 8],
    "resolution": [32, 64],
    "memory_format": ["contiguous", "channels_last"],
    "threads": [1, 2, 3],
    "alpha": [0, 0.25, 0.5],
}


@st.composite
def specs(draw: st.DrawFn) -> tuple[dict[str, list[object]], dict[str, list[object]], str]:
    """Draw axes, a zip entry over other axes, and a condition to exclude by."""
    lists = {
        name: draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
        for name, values in AXIS_VALUES.items()
    }
    zipped = draw(st.lists(st.sampled_from(["batch", "resolution", "threads"]), unique=True, max_size=2))
    length = min((len(lists[name]) for name in zipped), default=0)
    rows = {name: lists.pop(name)[:length] for name in zipped}
    condition = draw(
        st.sampled_from(["batch > 2 and alpha > 0", "network == 'a' or threads in [1, 3]", "resolution < 0"])
    )
    return lists, rows, condition


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(specs())
def test_expansion_is_the_product(
    read: Read, drawn: tuple[dict[str, list[object]], dict[str, list[object]], str]
) -> None:
    """Points and exclusions are those of nested loops, and the count before listing is the number listed."""
    axes, rows, condition = drawn
    zip_part = f"zip: [{rows}]\n" if rows else ""
    spec = read(HEAD + f'axes: {axes}\n{zip_part}exclude: ["{condition}"]\n')
    expected: set[tuple[object, ...]] = set()
    excluded: set[tuple[object, ...]] = set()
    listed = 0
    for row in zip(*rows.values(), strict=True) if rows else [()]:
        for values in itertools.product(*axes.values()):
            listed += 1
            choice = dict(zip(rows, row, strict=True)) | dict(zip(axes, values, strict=True))
            key = tuple(choice[name] for name in AXIS_VALUES)
            (excluded if eval(condition, {}, choice) else expected).add(key)  # noqa: S307 - from the list above
    plan = expand(spec, "cpu")
    assert spec.grid("cpu").size == listed == len(list(spec.grid("cpu").choices()))
    assert sorted(chosen(plan, *AXIS_VALUES)) == sorted(expected)
    assert {tuple(e.point.axes()[name] for name in AXIS_VALUES) for e in plan.exclusions} == excluded
    assert sum(len(group.points) for group in plan.groups) == len(plan.points)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_count_under_conditions_is_the_number_listed(read: Read, kind: str) -> None:
    """Conditions over axes are asked once for each firm choice; duplicates count until they merge."""
    grid = read(WIDENED).grid(kind)
    assert grid.size == len(list(grid.choices()))
