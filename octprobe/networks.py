"""Names to networks: octprobe's small ones, timm's, torchvision's, or a factory of your own."""

import difflib
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from octprobe.errors import UsageError, wants_memory

if TYPE_CHECKING:  # a name is looked at by those who must stay light; only what builds a network loads torch
    from torch import nn

TORCHVISION = "torchvision:"
OWN = "octprobe:"
# Strict, so that no name can be a path, an address or a model hub's entry.
_ARCHITECTURE = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def is_registered(name: str) -> bool:
    """Tell a network of a library's from a factory of your own, whose code may do anything."""
    return ":" not in name or name.startswith((TORCHVISION, OWN))


def without_values(name: str) -> AbstractContextManager[object]:
    """Give where a network is built to be counted only: its weights need no values, so on meta.

    A factory of your own may look at them, and is left where it is.
    """
    import torch

    return torch.device("meta") if is_registered(name) else nullcontext()


def build_network(name: str, *, allow_import: bool = False, weights: str | None = None) -> "nn.Module":
    """Build a network in evaluation mode, with fresh random weights unless others are asked for.

    Random weights follow torch's global random state: the same seed gives the same network. Nothing is
    downloaded but the pretrained weights that are asked for and not in the cache yet.

    Args:
        name: timm's name (`resnet50`), `torchvision:resnet50`, `octprobe:resnet8`, or
            `package.module:function`.
        allow_import: whether code may be imported to find `package.module:function`.
        weights: `pretrained` for those that timm or torchvision publish, or the path of a checkpoint of the
            network (safetensors, or torch.save's); a factory of your own is called either way.

    Raises:
        UsageError: there is no such network, importing is not allowed, the factory fails, there are no
            such weights, or they do not fit.
        MachineError: the pretrained weights cannot be fetched.
    """
    from octprobe.weights import PRETRAINED, load_weights

    _check(name, allow_import=allow_import)
    network = _pretrained(name) if weights == PRETRAINED else _fresh(name)
    if weights is not None and weights != PRETRAINED:
        load_weights(network, weights, name)
    return network.eval()


def _pretrained(name: str) -> "nn.Module":
    from octprobe.weights import timm_pretrained, torchvision_pretrained

    if name.startswith(TORCHVISION):
        return torchvision_pretrained(name, name.removeprefix(TORCHVISION))
    if name.startswith(OWN):
        raise UsageError(
            f"network {name!r} has no pretrained weights; train it, and give the path of the checkpoint"
        )
    if ":" in name:
        raise UsageError(
            f"network {name!r} has no pretrained weights known here; "
            "let the factory load them, or give the path of a checkpoint"
        )
    return timm_pretrained(name)


def _fresh(name: str) -> "nn.Module":
    if name.startswith(TORCHVISION):
        return _made(name, lambda: _torchvision_network(name.removeprefix(TORCHVISION)))
    if name.startswith(OWN):
        return _made(name, lambda: _own_network(name.removeprefix(OWN)))
    if ":" in name:
        return _made(name, _factory(name))
    return _made(name, lambda: _timm_network(name))


def network_fault(name: str, *, allow_import: bool = False) -> str | None:
    """Say in one line why a name gives no network, or None; no network is built.

    Args:
        name: as for `build_network`.
        allow_import: whether `package.module:function` may be imported and looked up.
    """
    try:
        _check(name, allow_import=allow_import)
    except UsageError as error:
        return str(error)
    return None


def _check(name: str, *, allow_import: bool) -> None:
    if name.startswith(TORCHVISION):
        _check_listed(name, name.removeprefix(TORCHVISION), _torchvision_names(), "torchvision", TORCHVISION)
    elif name.startswith(OWN):
        _check_listed(name, name.removeprefix(OWN), _own_names(), "octprobe", OWN)
    elif _FACTORY.fullmatch(name):
        if not allow_import:
            raise UsageError(f"network {name!r} would import code of yours; pass --allow-import to allow it")
        _factory(name)
    else:
        _check_listed(name, name, _timm_names(), "timm", "")


def _check_listed(name: str, architecture: str, known: Sequence[str], source: str, prefix: str) -> None:
    if _ARCHITECTURE.fullmatch(architecture) is None:
        raise UsageError(
            f"network {name!r} is no network's name; "
            "write a name of timm's, torchvision:NAME, octprobe:NAME or package.module:function"
        )
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, n=1)
        hint = f"; did you mean {prefix + near[0]!r}?" if near else ""
        raise UsageError(f"network {name!r} is not known to {source}{hint}")


@lru_cache(maxsize=1)
def _timm_names() -> tuple[str, ...]:
    import timm  # takes seconds, and only some names need it

    return tuple(timm.list_models())


@lru_cache(maxsize=1)
def _torchvision_names() -> tuple[str, ...]:
    import torchvision  # takes seconds, and only some names need it

    families = (torchvision.models, torchvision.models.video)
    return tuple(name for family in families for name in torchvision.models.list_models(module=family))


@lru_cache(maxsize=1)
def _own_names() -> tuple[str, ...]:
    from octprobe.small_networks import NETWORKS  # made of timm's blocks

    return tuple(NETWORKS)


def _own_network(name: str) -> object:
    from octprobe.small_networks import NETWORKS  # made of timm's blocks

    return NETWORKS[name]()


def _timm_network(name: str) -> object:
    import timm  # takes seconds, and only some names need it

    return timm.create_model(name, pretrained=False)


def _torchvision_network(name: str) -> object:
    import torchvision  # takes seconds, and only some names need it

    return torchvision.models.get_model(name, weights=None)


def _factory(name: str) -> Callable[[], object]:
    module_name, _, function_name = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        # A console script, unlike `python -m`, does not look where it was called; last: nothing is shadowed.
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the module's own code raises
        raise UsageError(f"network {name!r}: importing {module_name} failed: {_said(error)}") from error
    factory = getattr(module, function_name, None)
    if not callable(factory):
        near = difflib.get_close_matches(
            function_name, [n for n in dir(module) if callable(getattr(module, n))], n=1
        )
        hint = f"; did you mean '{module_name}:{near[0]}'?" if near else ""
        raise UsageError(f"network {name!r}: {module_name} has no function {function_name!r}{hint}")
    found: Callable[[], object] = factory
    return found


def _made(name: str, factory: Callable[[], object]) -> "nn.Module":
    from torch import nn

    try:
        network = factory()
    except (Exception, SystemExit) as error:  # whatever the factory's own code raises
        if wants_memory(error):
            raise
        raise UsageError(f"network {name!r}: building it failed: {_said(error)}") from error
    if not isinstance(network, nn.Module):
        kind = type(network).__name__
        raise UsageError(f"network {name!r}: the factory gave a {kind}; it must give a torch.nn.Module")
    return network


def _said(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
