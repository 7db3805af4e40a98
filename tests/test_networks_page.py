"""The census of networks: its judge sees what is broken, and its page is current."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.census.architectures import architectures
from benchmarks.census.examine import examine
from benchmarks.census.field import ConstantKept, calibrate, colours, randomise
from benchmarks.census.judge import judge
from benchmarks.census.kept import Kept, versions
from benchmarks.census.page import line_of, page
from benchmarks.census.row import Criterion, Findings, Row, Verdict
from benchmarks.census.workers import Worker, examine_all
from octave.nets import Small
from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.octave import OctaveConv2d, octavize

PAGE = Path(__file__).parents[1] / "docs/networks.md"
# Twelve ways of building a network; of each module the smallest architecture is judged again.
FAMILIES = (
    *("resnet", "resnetv2", "regnet", "efficientnet", "mobilenetv3", "densenet"),
    *("convnext", "ghostnet", "hrnet", "nfnet", "vovnet", "rexnet"),
)
Hook = Callable[[nn.Module, Any, Any], Any]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute as the census does; threads of a busy machine wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def table(text: str) -> dict[str, str]:
    """Give the page's lines by architecture."""
    return {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}


def test_page_names_every_architecture_of_the_installed_timm() -> None:
    """Nothing is left out, as long as the page was made with this timm."""
    text = PAGE.read_text()
    if f"timm {versions()['timm']} " not in text:
        pytest.skip("the page was made with another timm; make networks")
    listed = {name for names in architectures().values() for name in names}
    assert set(table(text)) == listed
    assert len(architectures()) >= 40


def smallest(text: str, module: str) -> str:
    """Give the line of the smallest architecture of a module."""
    section = text.split(f"\n## {module}\n")[1].split("\n## ")[0]
    return min(table(section).values(), key=lambda line: float(line.split("|")[2]))


@pytest.mark.slow
@pytest.mark.parametrize("module", FAMILIES)
def test_page_says_what_the_census_finds_today(module: str) -> None:
    """The smallest network of a family, through the very function that the page was made with."""
    line = smallest(PAGE.read_text(), module)
    assert line_of(examine(module, line.split("`")[1])) == line


def verdict_of(findings: Findings) -> Verdict:
    """Sum findings up."""
    return Row("net", "nets", 1, findings).verdict


def broken(change: Callable[[nn.Module], object]) -> Callable[..., nn.Module]:
    """Give a conversion whose result is changed for the worse."""

    def convert(vanilla: nn.Module, alpha: str, example: Tensor, **options: Any) -> nn.Module:
        octave = octavize(vanilla, alpha, example, **options)
        change(octave)
        return octave

    return convert


def hooked(hook: Hook) -> Callable[..., nn.Module]:
    """Give a conversion whose first octave layer with two outputs gives something else."""

    def change(octave: nn.Module) -> None:
        layers = (m for m in octave.modules() if isinstance(m, OctaveConv2d) and not m.split_out.is_plain)
        next(layers).register_forward_hook(hook)

    return broken(change)


def judged(convert: Callable[..., nn.Module] = octavize) -> Findings:
    """Judge a small network."""
    torch.manual_seed(0)
    return judge(Small().eval(), convert)


def test_what_octavize_makes_is_converted() -> None:
    """With exact MACs: the one conversion that is not broken."""
    findings = judged()
    assert verdict_of(findings) is Verdict.CONVERTED, findings
    assert findings.ratios.keys() == {"0.25", "0.5"}
    # Stem 27 * 8, four 3x3 of 8 channels at 112, one at 56 to 16 channels, and the classifier.
    assert findings.macs == 112**2 * (216 + 4 * 576) + 56**2 * 1152 + 16 * 5
    assert findings.notes == ()


def swapped_low(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Give the low channels in reverse."""
    return output[0], output[1].flip(1)


def swapped_parts(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Give two high channels each other's place."""
    high = output[0]
    return torch.cat((high[:, 1:2], high[:, :1], high[:, 2:]), 1), output[1]


def slightly_off(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Give what a weight gives that is off by a millionth."""
    return output[0] * (1 + 1e-6), output[1]


def without_gradient(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Cut the graph where training goes backward."""
    return output[0].detach(), output[1].detach()


def infinite_gradient(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Add nothing, by way of a root that has no slope at zero."""
    return output[0] + (output[0] * 0).abs().sqrt(), output[1]


def no_odd_size(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Fail where the input's size is odd."""
    if output[0].shape[-1] % 2:
        raise RuntimeError("sizes of tensors must match")
    return output


def not_finite(module: nn.Module, inputs: Any, output: Any) -> Any:
    """Divide by zero."""
    return output[0] / 0, output[1]


@pytest.mark.parametrize(
    ("hook", "criterion", "said"),
    [
        (swapped_low, Criterion.FIELD, "constant field at 0.25: off by"),
        (swapped_parts, Criterion.FIELD, "constant field at 0.25: off by"),
        (slightly_off, Criterion.FIELD, "constant field at 0.25: off by"),
        (without_gradient, Criterion.GRADIENTS, "at 0.25 block1.conv1.bias gets no gradient"),
        (infinite_gradient, Criterion.GRADIENTS, "at 0.25 the gradient of block1.conv1.bias is not finite"),
        (no_odd_size, Criterion.SIZES, "0.25 at 225 px: sizes of tensors must match"),
        (not_finite, Criterion.SIZES, "0.25 at 224 px: the output is not finite"),
    ],
)
def test_a_broken_layer_is_refused(hook: Hook, criterion: Criterion, said: str) -> None:
    """Each for what it breaks, and in words that say where."""
    findings = judged(hooked(hook))
    assert (findings.criterion, verdict_of(findings)) == (criterion, Verdict.REFUSED)
    assert findings.reason is not None
    assert findings.reason.startswith(said)


def test_a_network_that_saves_little_is_refused() -> None:
    """An eighth in place of a half, and right in everything else."""

    def convert(vanilla: nn.Module, alpha: str, example: Tensor, **options: Any) -> nn.Module:
        return octavize(vanilla, "0.125", example, **options)

    findings = judged(convert)
    assert findings.criterion is Criterion.MACS
    assert findings.reason == f"MACs at 0.5 are {findings.ratios['0.5']:.3f} of vanilla's"
    assert findings.ratios["0.5"] > 0.85


def test_other_parameters_are_refused() -> None:
    """One more, and one of another shape."""
    for extra in (lambda net: net.register_parameter("extra", nn.Parameter(torch.ones(1))), narrowed):
        findings = judged(broken(extra))
        assert findings.criterion is Criterion.PARAMETERS
        assert findings.reason == "at 0.25 the state has other keys, order or shapes"


def narrowed(octave: nn.Module) -> None:
    """Give the classifier one output less."""
    octave.set_submodule("fc", nn.Linear(16, 4))


def test_own_weights_are_no_fault_as_long_as_vanillas_load() -> None:
    """A conversion that copies is judged with the vanilla's weights; one that takes none over is seen."""

    def stubborn(octave: nn.Module) -> None:
        octave.load_state_dict = lambda *_, **__: None  # type: ignore[method-assign]  # the fault
        for parameter in octave.parameters():
            parameter.data = parameter.data.clone() + 0.1

    def apart(vanilla: nn.Module, alpha: str, example: Tensor, **options: Any) -> nn.Module:
        return octavize(vanilla, alpha, example, **options | {"share_parameters": False})

    def apart_and_stubborn(*args: Any, **options: Any) -> nn.Module:
        octave = apart(*args, **options)
        stubborn(octave)
        return octave

    assert verdict_of(judged(apart)) is Verdict.CONVERTED
    assert judged(apart_and_stubborn).criterion is Criterion.FIELD


def test_places_within_the_network_make_it_merged() -> None:
    """The verdict follows what the conversion reports, and the line counts the places."""

    def merging(octave: nn.Module) -> None:
        octave.conversion = SimpleNamespace(merged=("node a: one", "node b: two"))  # type: ignore[assignment]  # a stand-in

    findings = judged(broken(merging))
    assert findings.places == ("node a: one", "node b: two")
    assert verdict_of(findings) is Verdict.MERGED
    assert line_of(Row("net", "nets", 1_500_000, findings)).endswith("| merged | 2 places |")


@pytest.mark.parametrize(
    ("error", "criterion"),
    [
        (ConversionError("no rule\nand where"), Criterion.CONVERSION),
        (UnrealisableAlphaError("no rule", ()), Criterion.ALPHA),
        (KeyError("no rule"), Criterion.CONVERSION),
    ],
)
def test_an_error_is_the_reason(error: Exception, criterion: Criterion) -> None:
    """Its first line."""

    def convert(*_: object, **__: object) -> nn.Module:
        raise error

    findings = judged(convert)
    assert findings.criterion is criterion
    assert findings.reason == ("KeyError: 'no rule'" if isinstance(error, KeyError) else "no rule")


def test_want_of_memory_is_the_machines() -> None:
    """It is told apart, and asked again by the next run."""

    def convert(*_: object, **__: object) -> nn.Module:
        raise MemoryError

    with pytest.raises(MemoryError):
        judged(convert)
    row = examine("resnet", "test_resnet", convert)
    assert row.findings is not None
    assert row.findings.criterion is Criterion.MEMORY
    assert row.findings.criterion.is_the_machines


def test_a_network_without_signal_is_not_judged() -> None:
    """An output that hangs on no input would equal anything."""

    class Deaf(Small):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 1e-9 + 1

    torch.manual_seed(0)
    findings = judge(Deaf().eval())
    assert findings.criterion is Criterion.VANILLA
    assert "from colour to colour" in str(findings.reason)


def test_networks_of_one_size_run_at_it_and_say_so() -> None:
    """No other size is asked of them; what takes no odd size says that."""

    class Particular(Small):
        def __init__(self, **config: Any) -> None:
            super().__init__()
            self.pretrained_cfg = config

        def forward(self, x: Tensor) -> Tensor:
            torch._assert(x.shape[2] % 32 == 0, "a multiple of 32")
            return super().forward(x)

    findings = judge(Particular().eval())
    assert (findings.criterion, findings.notes) == (None, ("takes no odd size",))
    findings = judge(Particular(input_size=(3, 96, 96), fixed_input_size=True).eval())
    assert (findings.criterion, findings.notes) == (None, ("made for 96 px only", "takes no odd size"))
    assert findings.macs == 48**2 * (216 + 4 * 576) + 24**2 * 1152 + 16 * 5


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(
    "border",
    [
        nn.Conv2d(3, 4, 5, padding=2),
        nn.Conv2d(3, 4, (3, 5), 2, padding=(1, 2), dilation=1),
        nn.Conv2d(3, 4, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(3, 6, 4, 1, "same", groups=3),
        nn.Conv2d(3, 4, 3, padding="valid"),
        nn.AvgPool2d(3, 2, 1),
        nn.ZeroPad2d((-1, 2, 0, 1)),
        nn.MaxPool2d(3, 2, 1),
    ],
    ids=str,
)
def test_what_is_constant_over_space_stays_so(border: nn.Module) -> None:
    """Whatever pads with zeros, of the same shape as without the mode and equal to it inside."""
    border.double()
    x = colours(11)
    with torch.no_grad():
        with ConstantKept():
            y = border(x)
        usual = border(x)
    assert y.shape == usual.shape
    torch.testing.assert_close(y, y[:, :, :1, :1].expand_as(y), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(y[:, :, 2:-2, 2:-2], usual[:, :, 2:-2, 2:-2])


def test_other_paddings_are_left_alone() -> None:
    """Of channels, by a value, and of rows of numbers."""
    x = torch.randn(1, 2, 3, 3)
    calls = [
        lambda: functional.pad(x, (0, 0, 0, 0, 0, 1)),
        lambda: functional.pad(x, (1, 1), value=-1.0),
        lambda: functional.pad(x, (1, 1, 0, 0), mode="circular"),
        lambda: functional.pad(x[0], (1, 1)),
    ]
    for call in calls:
        with ConstantKept():
            inside = call()
        assert torch.equal(inside, call())


def test_weights_of_norms_and_statistics_become_random_and_kernels_stay() -> None:
    """What starts at zero, as a last norm's weight, would hide what is before it."""
    net = Small().double().eval()
    nn.init.zeros_(net.block1.norm2.weight)
    convs = {name: module for name, module in net.named_modules() if isinstance(module, nn.Conv2d)}
    kernels = {name: conv.weight.clone() for name, conv in convs.items()}
    randomise(net)
    norm = net.block1.norm2
    assert bool(((norm.weight >= 0.5) & (norm.weight <= 1.5)).all())
    assert len(set(norm.weight.tolist())) == 8
    assert bool((net.stem.bias.abs() <= 0.5).all())
    for name, kernel in kernels.items():
        assert torch.equal(net.get_submodule(name).weight, kernel)
    calibrate(net, colours(16))
    assert len(set(norm.running_mean.tolist())) == len(set(norm.running_var.tolist())) == 8
    assert not norm._forward_pre_hooks


def some_rows() -> list[Row]:
    """Give a row of each verdict."""
    good = Findings(macs=1_814_073_344, ratios={"0.25": 0.7866, "0.5": 0.6269})
    return [
        Row("a", "one", 11_689_512, good),
        Row("b", "one", 11_689_512, replace(good, places=("node x: operator cat in module b on a pair",))),
        Row(
            "c", "two", 1, Findings.refused(Criterion.CONVERSION, "node y_1: no rule for |_a| in module c.1")
        ),
        Row("d", "two", 132_863_336, None),
    ]


def test_page_counts_and_explains() -> None:
    """Totals, modules, reasons, and a line each."""
    text = page(some_rows(), {"timm": "1.2.3", "torch": "4.5.6"})
    for line in (
        "| converted or merged | 2 | 66.7% |",
        "| not run, over 100 M parameters | 1 |  |",
        "| [one](#one) | 1 | 1 | 0 | 0 |",
        "* 1 for **conversion**: `octavize` raises an error.",
        "    * 1: no rule for \\|\\_a\\|",
        "* 1 network, 1 place: operator cat on a pair",
        "| `a` | 11.69 | 1.814 | 0.787 | 0.627 | converted |  |",
        "| `b` | 11.69 | 1.814 | 0.787 | 0.627 | merged | 1 place |",
        "| `c` | 0.00 | - | - | - | refused | node y\\_1: no rule for \\|\\_a\\| in module c.1 |",
        "| `d` | 132.86 | - | - | - | not run | too large |",
    ):
        assert line in text.splitlines()
    assert "Generated by `make networks` with timm 1.2.3 and torch 4.5.6;" in text
    assert list(table(text)) == ["a", "b", "c", "d"]


def test_rows_are_kept_and_those_of_other_sources_passed_over(tmp_path: Path) -> None:
    """What was cut off takes no other with it, and what the machine lacked is asked again."""
    path, rows = tmp_path / "results" / "rows.jsonl", some_rows()
    assert Kept(path, "new").rows() == {}
    Kept(path, "old").add(rows[0], 1.0)
    for row in rows[1:]:
        Kept(path, "new").add(row, 1.0)
    with path.open("a") as file:
        file.write('\n{"digest": "new", "row": {"arch')
    slow = Row("e", "two", 1, Findings.refused(Criterion.TIME, "too slow"))
    Kept(path, "new").add(slow, 120.0)
    Kept(path, "new").add(replace(rows[1], architecture="f"), 1.0)
    assert Kept(path, "new").rows() == {row.architecture: row for row in rows[1:]} | {
        "f": replace(rows[1], architecture="f")
    }
    assert json.loads(path.read_text().splitlines()[1])["seconds"] == 1.0


def answer_of(worker: Worker) -> Row:
    """Ask a worker and wait for the row."""
    worker.ask(("resnet", "test_resnet"))
    return row_of(worker)


def row_of(worker: Worker) -> Row:
    """Wait for the row."""
    while not (answer := worker.answer()):
        worker.connection.poll(1)
    assert not worker.is_busy
    return answer[0]


def test_a_process_that_dies_or_hangs_refuses_its_architecture() -> None:
    """With the reason and the parameters, and the next architecture has a process again."""
    worker = Worker(serve=print)
    for _ in range(2):
        row = answer_of(worker)
        assert row.findings == Findings.refused(
            Criterion.DEATH, "the process that judged it ended with exit code 0"
        )
        assert row.parameters == 469_688
    row = answer_of(Worker(silence_seconds=0))
    assert row.findings == Findings.refused(Criterion.TIME, "the process that judged it was silent for 0 s")


@pytest.mark.parametrize(
    ("sent", "criterion", "said"),
    [
        (signal.SIGPROF, Criterion.TIME, "judging it takes more than 120 s of the processor"),
        (signal.SIGKILL, Criterion.DEATH, "the process that judged it was ended by SIGKILL"),
    ],
)
def test_a_process_that_takes_too_long_is_told_apart(sent: int, criterion: Criterion, said: str) -> None:
    """The spent timer's signal means time; any other one does not."""
    worker = Worker()
    worker.ask(("resnet", "test_resnet"))
    assert worker._process is not None
    assert worker._process.pid is not None
    os.kill(worker._process.pid, sent)
    assert row_of(worker).findings == Findings.refused(criterion, said)


@pytest.mark.slow
def test_processes_answer_as_the_function_does() -> None:
    """Two at once, one of them too large to run."""
    rows: dict[str, Row] = {}
    asked = [("resnet", "test_resnet"), ("vgg", "vgg11")]
    examine_all(asked, 2, lambda row, _: rows.update({row.architecture: row}))
    assert rows == {name: examine(module, name) for module, name in asked}
    assert rows["vgg11"].verdict is Verdict.NOT_RUN
