"""Answers that take seconds to find and never change, kept between runs."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_KEY_HEX_DIGITS = 32


def cache_folder() -> Path:
    """Give the folder of the cache: `$XDG_CACHE_HOME/octprobe`, by default under `~/.cache`.

    A person without a home, as in a container, gets a folder among the temporary files.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(base).expanduser() / "octprobe"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"octprobe-cache-{os.getuid()}"


class Cache:
    """A folder of small JSON answers, each under the digest of its whole question.

    A cache that cannot be read or written is a slow one, never an error.

    Args:
        kind: name of the subfolder.
        folder: where the cache lies; `cache_folder()` by default.
    """

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        self._folder = (folder or cache_folder()) / kind

    def get(self, question: Mapping[str, Any]) -> Any:
        """Give the answer kept for a question; None where there is none or it is damaged."""
        try:
            kept = json.loads(self._path(question).read_text())
        except (OSError, ValueError):
            return None
        return kept.get("answer") if isinstance(kept, dict) and kept.get("question") == question else None

    def put(self, question: Mapping[str, Any], answer: Any) -> None:
        """Keep an answer, whole or not at all."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False, suffix=".tmp") as file:
                json.dump({"question": dict(question), "answer": answer}, file)
            Path(file.name).replace(self._path(question))

    def _path(self, question: Mapping[str, Any]) -> Path:
        text = json.dumps(dict(question), sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:_KEY_HEX_DIGITS]}.json"
