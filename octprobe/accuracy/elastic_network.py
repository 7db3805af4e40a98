"""A network at several alphas at once: octave forms of one set of weights, each with its own statistics."""

import copy
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import torch
from torch import Tensor, nn

from octprobe.accuracy.standalone import estimate_statistics
from octprobe.errors import UsageError
from octprobe.plan.point import NetworkSubject
from octprobe.plan.recipe import Alpha, alpha_text
from octprobe.plan.variant import Variant
from octprobe.weights.fit import mismatch
from octprobe.workload import at_alpha

_VANILLA = Decimal(0)


class ElasticNetwork:
    """A network at several alphas at once; one set of parameters, batch-norm statistics for each alpha.

    An octave network has exactly the parameters of its vanilla network, so all forms hold the same Parameter
    objects. What is low sees other values than what is high, so running statistics cannot be shared.

    Attributes:
        vanilla: the network whose parameters all forms share; its own buffers stay as they were.
        alphas: the alphas that have statistics of their own, ascending where they are numbers; maps follow.

    Args:
        vanilla: the network at its initial weights; it is taken over, not copied.
        alphas: numbers and alpha maps; one that comes twice counts once.
        example: (1, C, R, R), what the network takes.

    Raises:
        ConversionError: the network has no octave form at one of the alphas.
    """

    def __init__(self, vanilla: nn.Module, alphas: Iterable[Alpha], example: Tensor) -> None:
        self.vanilla, self._example = vanilla, example
        self.alphas = tuple(sorted({_plain(alpha) for alpha in alphas}, key=_order))
        self._forms = {alpha: _form(vanilla, alpha, example) for alpha in self.alphas}

    def form(self, alpha: Alpha) -> nn.Module:
        """Give the one form at an alpha of `alphas`, whose parameters are the shared ones."""
        return self._forms[alpha]

    def train(self) -> None:
        """Put all forms into training mode."""
        for form in self._forms.values():
            form.train()

    def estimate_statistics(self, images: Tensor) -> None:
        """Put into every form the statistics that its batch norms have on images (N, C, R, R); then eval."""
        for form in self._forms.values():
            estimate_statistics(form, images)
            form.eval()

    def network_at(self, alpha: Alpha, images: Tensor) -> nn.Module:
        """Give a copy of the network at any alpha or alpha map, in eval mode.

        Args:
            alpha: one of `alphas`, or any other.
            images: (N, C, R, R), float32; the statistics at an alpha never trained come from these.

        Raises:
            ConversionError: the network has no octave form at this alpha.
        """
        known = self._forms.get(_plain(alpha))
        if known is not None:
            return copy.deepcopy(known).eval()
        network = _form(copy.deepcopy(self.vanilla), alpha, self._example)
        estimate_statistics(network, images)
        return network.eval()

    def state_dict(self) -> dict[str, Any]:
        """Give each parameter once, by the vanilla network's name, and the buffers of every form by alpha."""
        return {
            "parameters": {name: each.detach() for name, each in self.vanilla.named_parameters()},
            "buffers": {alpha_text(alpha): dict(form.named_buffers()) for alpha, form in self._forms.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` gave; nothing is changed where it does not fit.

        Raises:
            UsageError: it is of another network, or of other alphas.
        """
        parts = self._parts(state)
        for held, given in parts:
            faults = mismatch(held, given)
            if faults:
                raise UsageError(f"the checkpoint is of another network: {faults}")
        with torch.no_grad():
            for held, given in parts:
                for name, tensor in held.items():
                    tensor.copy_(given[name])

    def _parts(self, state: Mapping[str, Any]) -> list[tuple[dict[str, Tensor], Mapping[str, Tensor]]]:
        """Pair what is held with what is given for it."""
        if not {"parameters", "buffers"} <= set(state):
            raise UsageError(
                "the checkpoint is of no elastic training; `octprobe accuracy elastic` writes one"
            )
        buffers, wanted = state["buffers"], [alpha_text(alpha) for alpha in self.alphas]
        if set(buffers) != set(wanted):
            raise UsageError(
                f"the checkpoint is of alphas {', '.join(buffers)}, not of {', '.join(wanted)}; "
                "give the recipe that it was trained by"
            )
        forms = zip(wanted, self._forms.values(), strict=True)
        return [
            (dict(self.vanilla.named_parameters()), state["parameters"]),
            *((dict(form.named_buffers()), buffers[text]) for text, form in forms),
        ]


def _form(vanilla: nn.Module, alpha: Alpha, example: Tensor) -> nn.Module:
    return at_alpha(vanilla, NetworkSubject(network="", alpha=alpha), example, Variant())


def _plain(alpha: Alpha) -> Alpha:
    """Give the number 0 for an alpha map that makes nothing octave."""
    return _VANILLA if NetworkSubject(network="", alpha=alpha).is_vanilla else alpha


def _order(alpha: Alpha) -> tuple[bool, str]:
    return isinstance(alpha, tuple), alpha_text(alpha)
