"""A checkpoint put into its network, strictly; what does not fit is named."""

from collections.abc import Mapping

from torch import Tensor, nn

from octprobe.errors import UsageError
from octprobe.weights.checkpoint import read_checkpoint
from octprobe.weights.names import in_names_of

# Enough to recognize another architecture by; the count says how many there are.
_MOST_NAMES = 3
# What checkpoints lack that were written before batch norms counted batches.
_FILLED_BY_TORCH = "num_batches_tracked"
_OF_THE_VANILLA = "a checkpoint of the vanilla network is needed, with its classes and input channels"
_AS_IN_THE_FILE = (
    "build the network with the file's classes and input channels in a function of yours, as with "
    "timm.create_model(NAME, num_classes=N, in_chans=C), and name it as package.module:function"
)


def load_weights(network: nn.Module, path: str, name: str) -> None:
    """Put the weights of a checkpoint file into a network; every key must fit.

    A network and its octave forms have the same state dict, so either takes the other's checkpoints.

    Args:
        network: is changed in place; stays as it was where names or shapes do not fit.
        path: the checkpoint, as for `read_checkpoint`.
        name: the network's name, for messages.

    Raises:
        UsageError: the file cannot be read as a checkpoint, or its keys or shapes are not the network's.
    """
    state = in_names_of(list(network.state_dict()), read_checkpoint(path))
    refusal = f"weights {path!r} do not fit network {name!r}: "
    faults = mismatch(network.state_dict(), state)
    if faults:
        raise UsageError(f"{refusal}{faults}; {_way_out(network, state)}")
    try:
        # A plain dict has no version, so torch takes it for an old checkpoint and fills what those lack.
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        said = str(error).splitlines()[-1].strip()  # its first line names the network's class alone
        raise UsageError(f"{refusal}{said}; {_OF_THE_VANILLA}") from error


def _way_out(network: nn.Module, state: Mapping[str, Tensor]) -> str:
    """Where the names are the network's own, its sizes are others: those of its makers' options."""
    same_names = {key for key in network.state_dict() if not key.endswith(_FILLED_BY_TORCH)}
    return _AS_IN_THE_FILE if same_names <= set(state) <= set(network.state_dict()) else _OF_THE_VANILLA


def mismatch(network: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """Say how many keys are missing, unexpected or of another shape, and name the first few; empty if none.

    Args:
        network: the network's state dict.
        state: the checkpoint's tensors under the network's names.
    """
    missing = [key for key in network if key not in state and not key.endswith(_FILLED_BY_TORCH)]
    unexpected = [key for key in state if key not in network]
    other = [key for key in network if key in state and network[key].shape != state[key].shape]
    shapes = [
        f"{key}: {tuple(state[key].shape)} in the file, {tuple(network[key].shape)} in the network"
        for key in other
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    return ", ".join(_counted(keys, kind) for kind, keys in kinds.items() if keys)


def _counted(keys: list[str], kind: str) -> str:
    named = "; ".join(keys[:_MOST_NAMES])
    more = "; ..." if len(keys) > _MOST_NAMES else ""
    return f"{len(keys)} {'key' if len(keys) == 1 else 'keys'} {kind} ({named}{more})"
