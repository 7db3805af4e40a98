"""Which architectures the census asks about."""

from functools import lru_cache

import torch
from torch import nn

# Every module of timm.models whose networks are convolutional; within a module nothing is picked.
MODULES = (
    *("byobnet", "convmixer", "convnext", "cspnet", "cspnext", "densenet", "dla", "dpn", "efficientnet"),
    *("fasternet", "ghostnet", "hardcorenas", "hgnet", "hrnet", "inception_next", "inception_resnet_v2"),
    *("inception_v3", "inception_v4", "lcnetv2", "mobilenetv3", "nasnet", "nfnet", "pnasnet", "rdnet"),
    *("regnet", "repghost", "repvit", "res2net", "resnest", "resnet", "resnetv2", "rexnet", "selecsls"),
    *("senet", "sknet", "starnet", "tresnet", "vgg", "vovnet", "xception", "xception_aligned"),
)
# Larger ones are listed and not run: the whole census is to take less than an hour on two cores.
PARAMETERS_LIMIT = 100_000_000


@lru_cache(maxsize=1)
def architectures() -> dict[str, tuple[str, ...]]:
    """Give the architectures of each module, as the installed timm lists them."""
    import timm  # takes seconds, and showing the page's rows does not need it

    return {module: tuple(timm.list_models(module=module)) for module in MODULES}


def parameters_of(architecture: str) -> int:
    """Count an architecture's parameters without memory for them."""
    import timm  # as above

    with torch.device("meta"):
        return count_parameters(timm.create_model(architecture))


def count_parameters(model: nn.Module) -> int:
    """Count the parameters of a network."""
    return sum(parameter.numel() for parameter in model.parameters())
