"""A network at several alphas at once: octave forms of one set of weights, each with its own statistics."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from octprobe.accuracy.standalone import estimate_statistics
from octprobe.accuracy.state import put_back, refuse_misfit
from octprobe.errors import UsageError
from octprobe.plan.point import NetworkSubject
from octprobe.plan.recipe import Alpha, alpha_order, alpha_text, plain_alpha
from octprobe.plan.variant import Variant
from octprobe.workload import at_alpha


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
        self.alphas = tuple(sorted({plain_alpha(alpha) for alpha in alphas}, key=alpha_order))
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
        known = self._forms.get(plain_alpha(alpha))
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
            UsageError: it is of another network or of other alphas, or is damaged.
        """
        parts = self._parts(state)
        for held, given in parts:
            refuse_misfit(held, given)
        for held, given in parts:
            put_back(held, given)

    def _parts(self, state: Mapping[str, Any]) -> list[tuple[dict[str, Tensor], Any]]:
        """Pair what is held with what is given for it, whatever that is."""
        if "parameters" not in state or not isinstance(state.get("buffers"), Mapping):
            raise UsageError(
                "the checkpoint is of no elastic training; `octprobe accuracy elastic` writes one"
            )
        buffers, wanted = state["buffers"], [alpha_text(alpha) for alpha in self.alphas]
        if set(buffers) != set(wanted):
            raise UsageError(
                f"the checkpoint is of alphas {', '.join(map(str, buffers))}, not of {', '.join(wanted)}; "
                "give the recipe that it was trained by"
            )
        forms = zip(wanted, self._forms.values(), strict=True)
        return [
            (dict(self.vanilla.named_parameters()), state["parameters"]),
            *((dict(form.named_buffers()), buffers[text]) for text, form in forms),
        ]


def _form(vanilla: nn.Module, alpha: Alpha, example: Tensor) -> nn.Module:
    return at_alpha(vanilla, NetworkSubject(network="", alpha=alpha), example, Variant())
