"""A network made for a data set: its initial weights from a seed, its answers the data set's classes."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from octprobe.accuracy.data import DataSet
from octprobe.errors import OctprobeError, UsageError, first_line, wants_memory
from octprobe.networks import build_network
from octprobe.octave.example import example_of


def vanilla_for(
    name: str, data: DataSet, *, seed: int, allow_import: bool = False
) -> tuple[nn.Module, DataSet, Tensor]:
    """Build a network, with a data set and an example as it takes them.

    A network for colour takes a grey image as three equal channels, so that it stays the network that sweeps
    measure; timm's networks get a last layer of the data set's classes.

    Args:
        name: as for `octprobe.networks.build_network`.
        data: what it is to answer on.
        seed: of its initial weights; torch's own random state stays as it was.
        allow_import: whether code may be imported to find `package.module:function`.

    Returns:
        the network; the data set; an image (1, C, R, R) of zeros.

    Raises:
        UsageError: there is no such network, or it takes other images or knows too few classes.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = build_network(name, allow_import=allow_import)
        if _has_other_classes(network, data.classes):
            network.reset_classifier(data.classes)  # type: ignore[operator]  # timm's own method
    fitted = _fitted(name, data, int(example_of(network).shape[1]))
    example = torch.zeros(1, fitted.channels, data.resolution, data.resolution)
    known = answers_of(name, network, example)
    if known < data.classes:
        raise UsageError(
            f"network {name!r} gives {known} answers, and {data.name} has {data.classes} classes; "
            "build it with as many in a function of yours, and name it as package.module:function"
        )
    # Convolutions of processors and of tensor cores are faster so.
    return network.train().to(memory_format=torch.channels_last), fitted, example


def _has_other_classes(network: nn.Module, classes: int) -> bool:
    """Tell whether a network of timm has another number of classes, which it can be given anew."""
    return hasattr(network, "reset_classifier") and getattr(network, "num_classes", None) != classes


def _fitted(name: str, data: DataSet, channels: int) -> DataSet:
    if data.channels == channels:
        return data
    if data.channels != 1:
        raise UsageError(
            f"network {name!r} takes images of {channels} channels, and those of {data.name} have "
            f"{data.channels}; choose another network or data set"
        )
    return data.with_channels(channels)


def answers_of(name: str, network: nn.Module, example: Tensor) -> int:
    """Find how many answers a network gives; it has to take images of this size."""
    refusal = f"network {name!r} does not take images of {example.shape[-1]} pixels"
    with torch.inference_mode():
        answer = _asked(network.eval(), example, refusal, "give another resolution")
    if not isinstance(answer, Tensor) or answer.dim() != 2:
        raise UsageError(f"network {name!r} gives no classes, one row of answers an image")
    return int(answer.shape[1])


def refuse_untrainable(name: str, network: nn.Module, images: Tensor) -> None:
    """Stop where a network that answers does not do so in training.

    Args:
        name: the network's, for messages.
        network: vanilla or octave; stays as it is.
        images: (B, C, R, R), as few as a step or the statistics of batch norms are taken of.

    Raises:
        UsageError: it cannot norm so few images so small, or answers with something else than a tensor.
    """
    refusal = (
        f"network {name!r} does not learn from images of {images.shape[-1]} pixels, {len(images)} at a time"
    )
    with torch.no_grad(), torch.random.fork_rng([]):
        trial = copy.deepcopy(network).train()
        answer = _asked(trial, images, refusal, "give more images a batch, or another resolution")
    if not isinstance(answer, Tensor):
        raise UsageError(
            f"network {name!r} answers with {type(answer).__name__} in training, not with one tensor; build "
            "it without its other answers in a function of yours, and name it as package.module:function"
        )


def _asked(network: nn.Module, images: Tensor, refusal: str, way_out: str) -> Any:
    """Run a network; what it raises of images that are too small for it is one line."""
    try:
        return network(images)
    except Exception as error:  # whatever a network raises of images that do not suit it
        if isinstance(error, OctprobeError) or wants_memory(error):
            raise
        raise UsageError(f"{refusal}: {first_line(error)}; {way_out}") from error
