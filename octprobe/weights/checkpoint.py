"""A checkpoint's tensors by name, read without running the code that a file can carry."""

import argparse
import logging
import re
import stat
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from octprobe.errors import UsageError, wants_memory
from octprobe.units import show_bytes

# Where training programs put the state dict; running averages first, as timm does: they are meant for use.
_WRAPPINGS = ("state_dict_ema", "model_ema", "ema_state_dict", "state_dict", "model_state_dict", "model")
# Of the classes that training programs put beside the tensors, those that hold values and run nothing.
_HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [argparse.Namespace]
# What torch's reader calls the class or function that a file wants to have called.
_CODE = re.compile(r"GLOBAL ([\w.]+)")
_SAVE_ANEW = "save the weights alone with torch.save(model.state_dict(), PATH)"
_CHOICES = "write the path of a checkpoint, or pretrained"
_MOST_NAMES = 5
_LOG = logging.getLogger(__name__)


def read_checkpoint(path: str) -> dict[str, Tensor]:
    """Give the tensors of a checkpoint by name, on the CPU, without the wrappings of training programs.

    Where a file holds several state dicts, as of running averages beside the last step's, the log says which
    one is taken.

    Args:
        path: a file of safetensors (`.safetensors`), or, with any other ending, of torch.save.

    Raises:
        UsageError: there is no such file, it cannot be read without running code, it is damaged, or it holds
            no state dict.
    """
    return _state_dict(path, read_held(path))


def read_held(path: str) -> Any:
    """Give what a file of weights holds, whatever it is wrapped in, without running code.

    Raises:
        UsageError: there is no such file, it cannot be read without running code, or it is damaged.
    """
    file = _file(path)
    try:
        return _held(file)
    except OSError as error:
        raise UsageError(f"weights {path!r} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # whatever a damaged file makes the readers raise
        if wants_memory(error):
            raise
        raise UsageError(f"weights {path!r} {_fault(file, error)}") from error


def _file(path: str) -> Path:
    try:
        file = Path(path).expanduser()
        mode = file.stat().st_mode
    except OSError as error:
        raise UsageError(f"weights {path!r} cannot be read: {error.strerror or error}; {_CHOICES}") from error
    except (RuntimeError, ValueError) as error:  # no such user's home, or a null byte
        raise UsageError(f"weights {path!r} are no path: {error}; {_CHOICES}") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise UsageError(f"weights {path!r} are {kind}; a checkpoint is one file")
    return file


def _held(file: Path) -> Any:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file  # comes with timm, and few need it

        return load_file(file, device="cpu")
    with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS):
        # Of pickle's protocol and of sparse tensors; whether the tensors fit is found out anyway.
        warnings.simplefilter("ignore")
        return torch.load(file, map_location="cpu", weights_only=True)


def _fault(file: Path, error: Exception) -> str:
    said = str(error)
    if "TorchScript" in said:
        return f"are a TorchScript program; {_SAVE_ANEW}"
    if code := _CODE.search(said):
        return f"hold {code[1]}, and only tensors are read, as anything else could run code; {_SAVE_ANEW}"
    if not (size := file.stat().st_size):
        return "are an empty file; get them anew"
    maker = "safetensors" if file.suffix == ".safetensors" else "torch.save"
    return (
        f"are no checkpoint of {maker}, or are damaged or cut short: {show_bytes(size)} were found; "
        "get them anew"
    )


def _state_dict(path: str, held: Any) -> dict[str, Tensor]:
    """Unwrap what was read until it is nothing but tensors by name."""
    unwrapped: list[Any] = []
    while isinstance(held, Mapping) and not any(held is outer for outer in unwrapped):
        unwrapped.append(held)
        if held and all(isinstance(value, Tensor) for value in held.values()):
            return {str(name): value for name, value in held.items()}
        place = _place(path, held)
        if place is None:
            break
        held = held[place]
    if isinstance(held, Mapping):
        what = ", ".join(map(str, list(held)[:_MOST_NAMES])) or "nothing"
    else:
        what = f"a {type(held).__name__}"
    known = ", ".join(_WRAPPINGS)
    raise UsageError(
        f"weights {path!r} hold no state dict but {what}; it may lie at the top or under {known}"
    )


def _place(path: str, held: Mapping[Any, Any]) -> str | None:
    """Say where the state dict lies; an average that was not begun is no choice."""
    places = [key for key in _WRAPPINGS if isinstance(held.get(key), Mapping)]
    usable = [key for key in places if held[key]] or places
    if usable[1:]:
        _LOG.warning("weights %r: %s is taken, not %s", path, usable[0], " or ".join(usable[1:]))
    return next(iter(usable), None)
