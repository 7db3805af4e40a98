"""Octave Convolution: the operator, and any convolutional network made octave.

A value is plain, one tensor, or a pair (high, low) whose low part holds some channels at half resolution.
"""

from octprobe.octave.conv import OctaveConv, OctaveConv1d, OctaveConv2d, OctaveConv3d
from octprobe.octave.convert import octavize

__all__ = ["OctaveConv", "OctaveConv1d", "OctaveConv2d", "OctaveConv3d", "octavize"]
