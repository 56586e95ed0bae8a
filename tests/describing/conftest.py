"""One real site and one real browser for every test that looks at pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.describing.example_site import SIZES, Site, pages_of, published, served


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A catalogue of real releases, served as by `piperoll site`."""
    store = published(Path(tmp_path_factory.mktemp("catalogue")))
    for key, content in pages_of(store):
        store.put(key, content)
    with served(store) as address:
        yield Site(address, store)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in its own context; fail on any error, alert or console message."""
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
