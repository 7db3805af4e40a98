"""What CI demands is there, and is known by its right name."""

import pytest

from components import known, need, required


def test_required_components_are_present() -> None:
    """Each name in OCTPROBE_REQUIRE is a known component and is on this machine."""
    assert required() <= known()
    for component in required():
        need(component)


def test_an_absent_component_skips_and_a_demanded_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same absence is a named skip on a laptop and a failure in CI."""
    monkeypatch.setattr("components._PRESENT", {"antimatter": lambda: False})
    monkeypatch.setenv("OCTPROBE_REQUIRE", "")
    with pytest.raises(pytest.skip.Exception, match="antimatter is absent"):
        need("antimatter")
    monkeypatch.setenv("OCTPROBE_REQUIRE", "antimatter")
    with pytest.raises(pytest.fail.Exception, match="antimatter is required"):
        need("antimatter")
