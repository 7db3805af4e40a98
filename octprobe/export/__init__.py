"""A network written as one file that runs without octprobe: torch.export's `.pt2`, or ONNX."""

from octprobe.export.check import Check
from octprobe.export.target import check_target
from octprobe.export.write import Exported, export_network

__all__ = ["Check", "Exported", "check_target", "export_network"]
