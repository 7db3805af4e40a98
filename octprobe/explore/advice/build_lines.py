"""The lines of Python that build a chosen network as the bench ran it, ready to paste."""

import json
import re
from collections.abc import Iterable

from octprobe.explore.groups import Record
from octprobe.plan.variant import USUAL

_CONVERTED = ("exchange", "downsample", "octave_kernels", "return_at")
_TORCH_DTYPES = {"float16": "torch.float16", "bfloat16": "torch.bfloat16"}
_NETWORK = re.compile(r"[A-Za-z0-9_.:-]+")
# Names of networks that need no code of the person's own.
_REGISTERED = ("torchvision:", "octprobe:")


def python_lines(record: Record) -> tuple[str, ...]:
    """Give lines that build and call the network of a row; none where the row does not tell how.

    What comes from the store enters as a literal of Python or not at all: it cannot become code.
    """
    network, batch, resolution = (record.get(name) for name in ("network", "batch", "resolution"))
    alpha = _alpha(record)
    if not isinstance(network, str) or not _NETWORK.fullmatch(network) or alpha is None:
        return ()
    if batch is None or resolution is None:
        return ()
    is_octave = not _is_vanilla(alpha)
    return (
        "import torch",
        "from octprobe.networks import build_network",
        *(["from octprobe.octave import octavize"] if is_octave else []),
        "from octprobe.octave.example import example_of",
        "",
        *_threads(record),
        f"network = build_network({network!r}{_import_allowed(network)})"
        "  # random weights; trained ones: weights='pretrained' or a checkpoint's path",
        f"example = torch.randn({int(batch)}, *example_of(network, {int(resolution)}).shape[1:])",
        *([_octave(record, alpha)] if is_octave else []),
        *_placed(record),
        *_called(record),
    )


def _threads(record: Record) -> Iterable[str]:
    threads = record.get("threads")
    return [] if threads is None else [f"torch.set_num_threads({int(threads)})"]


def _alpha(record: Record) -> float | dict[str, float] | None:
    """Read alpha or the map of it; None where it is neither."""
    alpha = record.get("alpha")
    if alpha is not None:
        return float(alpha)
    try:
        pairs = json.loads(str(record.get("alpha_map")))
        return {str(pattern): float(share) for pattern, share in pairs.items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None


def _is_vanilla(alpha: float | dict[str, float]) -> bool:
    return not any(alpha.values()) if isinstance(alpha, dict) else alpha == 0


def _import_allowed(network: str) -> str:
    is_own = ":" in network and not network.startswith(_REGISTERED)
    return ", allow_import=True" if is_own else ""


def _octave(record: Record, alpha: float | dict[str, float]) -> str:
    unusual = [name for name in _CONVERTED if record.get(name) not in (None, USUAL[name])]
    options = "".join(f", {name}={str(record[name])!r}" for name in unusual)
    shown = repr(alpha) if isinstance(alpha, dict) else f"{alpha!r}"
    return f'network = octavize(network, {shown}, example[:1], on_unknown="merge"{options})'


def _placed(record: Record) -> Iterable[str]:
    """Move the network and its input to the device, in their number and memory format."""
    mode = "train" if record.get("mode") == "train" else "eval"
    yield f"network = network.{mode}()"
    moves = []
    if record.get("device") == "cuda":
        moves.append('"cuda"')
    if record.get("dtype") in _TORCH_DTYPES:
        moves.append(f"dtype={_TORCH_DTYPES[str(record['dtype'])]}")
    if record.get("memory_format") == "channels_last":
        moves.append("memory_format=torch.channels_last")
    if moves:
        yield f"network, example = network.to({', '.join(moves)}), example.to({', '.join(moves)})"
    if record.get("dtype") == "tf32":
        yield "torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True"


def _called(record: Record) -> Iterable[str]:
    """Call the network once, by the execution and mode of the row."""
    if record.get("execution") == "compiled":
        yield "network = torch.compile(network, dynamic=False)"
    if record.get("mode") == "train":
        yield "output = network(example)"
        yield "output.sum().backward()"
        return
    if record.get("execution") == "cudagraph":
        yield from _CAPTURE
        return
    yield "with torch.inference_mode():"
    yield "    output = network(example)"


# As torch advises: a few calls on a side stream before a graph is captured.
_CAPTURE = (
    "side, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()",
    "side.wait_stream(torch.cuda.current_stream())",
    "with torch.inference_mode():",
    "    with torch.cuda.stream(side):",
    "        for _ in range(3):",
    "            network(example)",
    "    torch.cuda.current_stream().wait_stream(side)",
    "    with torch.cuda.graph(graph):",
    "        output = network(example)",
    "graph.replay()  # runs on what `example` holds, and writes `output`",
)
