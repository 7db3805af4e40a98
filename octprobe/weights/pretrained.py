"""The weights that timm and torchvision publish: from their caches, or fetched where there is a network."""

import ssl
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import torch
from torch import nn

from octprobe.errors import MachineError, UsageError, wants_memory

PRETRAINED = "pretrained"
# Long for one answer, short for a person who waits; the libraries' own retries go on for a minute and more.
_PROBE_SECONDS = 5
_WAY_OUT = "give the path of a checkpoint instead"


def timm_pretrained(name: str) -> nn.Module:
    """Build timm's network with timm's own weights for it.

    Raises:
        UsageError: timm has no weights for this architecture.
        MachineError: the weights are not in the cache and cannot be fetched.
    """
    import timm  # takes seconds, and only some names need it

    source = timm.get_pretrained_cfg(name)
    if not (source and (source.hf_hub_id or source.url)):
        raise _without_weights(name, "timm")
    cached = _in_hub_cache(source)
    overlay = {"file": cached} if cached else None
    make = _Fetch(name, _address(source), is_cached=cached is not None)
    return make(lambda: timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay))


def torchvision_pretrained(name: str, architecture: str) -> nn.Module:
    """Build torchvision's network with torchvision's best weights for it.

    Args:
        name: the network's name, for messages.
        architecture: torchvision's own name of it.

    Raises:
        UsageError: torchvision has no weights for this architecture.
        MachineError: the weights are not in the cache and cannot be fetched.
    """
    import torchvision  # takes seconds, and only some names need it

    known = torchvision.models.get_model_weights(architecture)
    if not list(known):
        raise _without_weights(name, "torchvision")
    make = _Fetch(name, known.DEFAULT.url)
    return make(lambda: torchvision.models.get_model(architecture, weights="DEFAULT", progress=False))


def _without_weights(name: str, source: str) -> UsageError:
    return UsageError(f"network {name!r} has no pretrained weights in {source}; {_WAY_OUT}")


def _address(source: Any) -> str:
    """Give where timm would fetch from: the model hub first, as timm does."""
    if not source.hf_hub_id:
        return str(source.url)
    from huggingface_hub import hf_hub_url  # comes with timm

    return hf_hub_url(source.hf_hub_id, _hub_file(source))


def _in_hub_cache(source: Any) -> str | None:
    """Give the file in the model hub's cache; the hub itself would first ask for a newer one."""
    if not source.hf_hub_id or source.custom_load:
        return None
    from huggingface_hub import try_to_load_from_cache  # comes with timm

    found = try_to_load_from_cache(source.hf_hub_id, _hub_file(source))
    return found if isinstance(found, str) else None


def _hub_file(source: Any) -> str:
    return source.hf_hub_filename or "model.safetensors"


class _Fetch:
    """Makes a network whose maker fetches its weights, once it is known that they can be had.

    Args:
        name: the network's name, for messages.
        address: where its weights are fetched from.
        is_cached: whether nothing has to be fetched; known here for what torch.hub has cached.
    """

    def __init__(self, name: str, address: str, *, is_cached: bool = False) -> None:
        self._name = name
        self._address = address
        self._is_cached = is_cached or _in_torch_cache(address)

    def __call__(self, make: Callable[[], nn.Module]) -> nn.Module:
        if not self._is_cached:
            self._check_reachable()
        try:
            return make()
        except Exception as error:  # whatever the library, its transport or its reader raises
            if wants_memory(error):
                raise
            raise self._refusal(error) from error

    def _check_reachable(self) -> None:
        if urlsplit(self._address).scheme not in ("http", "https"):
            return
        request = urllib.request.Request(self._address, method="HEAD")  # noqa: S310 - the scheme is known
        try:
            urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()  # noqa: S310 - as above
        except HTTPError:
            return  # somebody answers; the library's own request, with its own headers, tells the rest
        except (OSError, HTTPException) as error:
            if isinstance(error, URLError) and isinstance(error.reason, ssl.SSLError):
                return  # the library may trust other certificates
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> MachineError:
        host = urlsplit(self._address).netloc
        said = str(getattr(error, "reason", None) or error).strip().splitlines()
        reason = said[0] if said else type(error).__name__
        return MachineError(
            f"network {self._name!r}: no pretrained weights could be had from {host}: {reason}; {_WAY_OUT}"
        )


def _in_torch_cache(address: str) -> bool:
    return (Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(address).path).name).is_file()
