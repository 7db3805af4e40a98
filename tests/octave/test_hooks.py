"""Hooks that an octave network would not call are refused, the others kept."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from octave.nets import Small
from octprobe.errors import ConversionError
from octprobe.octave import octavize

X = torch.zeros(1, 3, 16, 16)
REGISTER = [
    lambda module: module.register_forward_hook(lambda *_: None),
    lambda module: module.register_forward_pre_hook(lambda *_: None),
    lambda module: module.register_full_backward_hook(lambda *_: None),
]


@pytest.mark.parametrize("register", REGISTER, ids=["forward", "pre", "backward"])
@pytest.mark.parametrize("name", ["block1.conv1", "block2.norm2", "block1.act", "block1"])
def test_hooks_of_what_is_replaced_or_traced_through_are_refused(
    name: str, register: Callable[[nn.Module], object]
) -> None:
    """The message names the module."""
    model = Small()
    register(model.get_submodule(name))
    with pytest.raises(ConversionError, match=rf"^module {name} has forward or backward hooks, [^\n]*$"):
        octavize(model, 0.5, X)


def test_hooks_of_the_network_itself_are_refused() -> None:
    """The converted network is another object."""
    model = Small()
    model.register_forward_hook(lambda *_: None)
    with pytest.raises(ConversionError, match=r"^Small itself has forward or backward hooks"):
        octavize(model, 0.5, X)


def test_hooks_of_plain_layers_are_kept() -> None:
    """Stem and head are called as ever."""
    model, heard = Small(), []
    for name in ("stem", "fc"):
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: heard.append(name))
    octavize(model, 0.5, X)(X)
    assert heard[-2:] == ["stem", "fc"]
