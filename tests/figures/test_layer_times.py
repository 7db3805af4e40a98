"""Time by layer and path as a table, and whether the device waits."""

from octprobe.figures.layer_times import host_sentence, layer_table


def test_time_by_layer_is_a_line_a_layer() -> None:
    """The longest first; a path that a layer has twice is added up."""
    parts = [
        {"layer": "stem", "path": "plain", "time_ms": 1.0, "kernels": None},
        {"layer": "conv1", "path": "h2h", "time_ms": 2.0, "kernels": None},
        {"layer": "conv1", "path": "h2h", "time_ms": 3.0, "kernels": None},
        {"layer": "conv1", "path": "pool", "time_ms": None, "kernels": None},
    ]
    table = layer_table({"breakdown_parts": parts})
    assert table.head == ("layer", "whole, ms/call", "h2h, ms/call", "plain, ms/call")
    assert table.rows == (("conv1", 5.0, 5.0, None), ("stem", 1.0, None, 1.0))


def test_what_is_not_known_is_said() -> None:
    """A CPU has no host to wait for."""
    assert "not known" in host_sentence({"host_bound": None})
    assert host_sentence({"host_bound": True}).startswith("Host-bound")
    assert host_sentence({"host_bound": False}).startswith("Not host-bound")
