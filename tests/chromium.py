"""Debian's browser, and a page that counts what it asks for and says."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from components import need

_CHROMIUM = "/usr/bin/chromium"
# No other host's name is resolved, so that a request to one fails even where there is a network.
_OFFLINE = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


@dataclass
class Tab:
    """A page in the browser, with the addresses it asked for and what its console and dialogs said."""

    page: Any
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def outside(self, url: str) -> list[str]:
        """Give the requests that went elsewhere than to a server, sockets included."""
        host = url.partition("://")[2]
        inside = (f"http://{host}/", f"ws://{host}/", "data:", "blob:")
        return [request for request in self.requests if not request.startswith(inside)]


@contextlib.contextmanager
def started() -> Iterator[Any]:
    """Start the system's browser; skip where there is none."""
    need("chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=_CHROMIUM, args=_OFFLINE)
        yield found
        found.close()


def new_tab(browser: Any, width: int = 1280, scheme: str = "light") -> Tab:
    """Open an empty page of a width in CSS pixels that writes down what happens in it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = Tab(context.new_page())
    tab.page.on("request", lambda request: tab.requests.append(request.url))
    tab.page.on("websocket", lambda opened: tab.requests.append(opened.url))
    tab.page.on("console", lambda message: tab.said.append(_told(message)))
    tab.page.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.page.on("dialog", lambda dialog: (tab.said.append(dialog.message), dialog.dismiss()))
    return tab


def _told(message: Any) -> str:
    return f"{message.type}: {message.text} {message.location['url']}"
