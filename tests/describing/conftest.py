"""One real site and one real browser for every test that looks at pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from describing_site import pages_of, published, served
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from publishers import FolderStore

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 900}}


@dataclass(frozen=True)
class Site:
    """A served store: its address, ending in a slash, and what stands in it."""

    address: str
    store: FolderStore

    def page(self, key: str) -> str:
        """The address of a page of the catalogue."""
        return f"{self.address}catalogue/{key}"

    def files(self, ending: str = "") -> list[str]:
        """The keys below catalogue/ that end so."""
        found = self.store.keys("catalogue/")
        return [key.removeprefix("catalogue/") for key in found if key.endswith(ending)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A catalogue of real releases, served as `piperoll site` does."""
    store = published(Path(tmp_path_factory.mktemp("catalogue")))
    for key, content in pages_of(store):
        store.put(key, content)
    with served(store) as address:
        yield Site(address, store)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own and fails on any error, alert, or word of the browser's console."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        missing = "404" in message.text and "/catalogue/search/" in message.location["url"]
        if message.type in ("error", "warning") and not missing:  # no shard: nothing begins with these letters
            trouble.append(f"{message.text} {message.location}")

    def make(address: str, size: str = "desktop", **more: object) -> Page:
        context = browser.new_context(viewport=SIZES[size], **more)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append(f"a script ran: {dialog.message}"))
        page.on("console", heard)
        page.goto(address)
        return page

    yield make
    for context in contexts:
        context.close()
    assert trouble == []
