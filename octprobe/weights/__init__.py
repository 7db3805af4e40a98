"""Weights instead of random ones: the maker's own, or a checkpoint, read without running code."""

from octprobe.weights.fit import load_weights
from octprobe.weights.pretrained import PRETRAINED, timm_pretrained, torchvision_pretrained

__all__ = ["PRETRAINED", "load_weights", "timm_pretrained", "torchvision_pretrained"]
