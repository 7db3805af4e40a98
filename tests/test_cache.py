"""Answers kept between runs."""

from pathlib import Path

import pytest

from octprobe.cache import Cache, cache_folder


def test_an_answer_comes_back_for_the_same_question_only(tmp_path: Path) -> None:
    """The whole question is the key."""
    cache = Cache("costs", tmp_path)
    cache.put({"network": "resnet50", "alpha": "0.5"}, {"macs": 2367143936})
    assert cache.get({"alpha": "0.5", "network": "resnet50"}) == {"macs": 2367143936}
    assert cache.get({"alpha": "0.25", "network": "resnet50"}) is None


def test_a_damaged_answer_is_no_answer(tmp_path: Path) -> None:
    """A truncated file, or one that answers another question, is passed over and then replaced."""
    cache = Cache("costs", tmp_path)
    cache.put({"a": 1}, 2)
    (file,) = (tmp_path / "costs").iterdir()
    for damage in ("", '{"question"', '{"question": {"a": 9}, "answer": 3}', "[]"):
        file.write_text(damage)
        assert cache.get({"a": 1}) is None
    cache.put({"a": 1}, 2)
    assert cache.get({"a": 1}) == 2


def test_a_cache_that_cannot_be_written_is_only_slow(tmp_path: Path) -> None:
    """A file in the folder's place costs the answer, not the run."""
    (tmp_path / "costs").write_text("in the way")
    cache = Cache("costs", tmp_path)
    cache.put({"a": 1}, 2)
    assert cache.get({"a": 1}) is None


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG_CACHE_HOME moves the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "octprobe"


def test_a_person_without_a_home_has_a_cache_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container whose user is a number, temporary files serve."""

    def homeless(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert cache_folder().name.startswith("octprobe-cache-")
