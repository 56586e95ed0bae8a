"""Pictures of the catalogue of a store, kept in build/screenshots: `python -m tests.describing.screenshots STORE`."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from publishers import FolderStore, serve_site
from tests.describing.example_site import CHROMIUM, FLAGS, SIZES

PLACE = Path(__file__).parents[2] / "build" / "screenshots"
FICTIONHAM = "series/spend/royal-borough-of-fictionham/2026-10.html"
LITTLE = "series/contracts/borough-of-little-sampling/2026-08.html"


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the page, where on it, at what size and in what light."""

    name: str
    page: str
    at: str = ""
    size: str = "desktop"
    scheme: str = "light"


SHOTS = (
    Shot("home", "index.html"),
    Shot("home-phone-dark", "index.html", size="phone", scheme="dark"),
    Shot("search", "search.html?q=butterbank"),
    Shot("bodies", "bodies/index.html"),
    Shot("body-over-time", "bodies/department-for-rainy-days.html", "#over-time"),
    Shot("body-quality-phone", "bodies/borough-of-little-sampling.html", "#quality", size="phone"),
    Shot("dataset-dark", "datasets/spend.html", scheme="dark"),
    Shot("release", FICTIONHAM),
    Shot("release-charts", FICTIONHAM, "#charts"),
    Shot("release-charts-phone-dark", FICTIONHAM, "#charts", size="phone", scheme="dark"),
    Shot("release-rows", f"{FICTIONHAM}?supplier_name=has.ltd&sort=-net_amount#rows", "#rows"),
    Shot("release-rows-phone", f"{FICTIONHAM}?supplier_name=has.ltd&sort=-net_amount#rows", "#rows", size="phone"),
    Shot("contracts-ahead", LITTLE, "#charts"),
    Shot("version", FICTIONHAM.replace(".html", "/v1.html")),
    Shot("how-to-load", FICTIONHAM, "#load"),
    Shot("measure", "measures/public-value-index.html"),
    Shot("measure-bodies", "measures/public-value-index.html", "#bodies"),
    Shot("measure-phone-dark", "measures/public-value-index.html", "#bodies", size="phone", scheme="dark"),
    Shot("profile", "bodies/borough-of-little-sampling/profile.html"),
    Shot("profile-contracts-phone", "bodies/borough-of-little-sampling/profile.html", "#contracts", size="phone"),
    Shot("questions", "questions.html"),
)


def take(browser: Browser, address: str, shot: Shot) -> Path:
    """Take one picture when the page has finished loading."""
    context = browser.new_context(viewport=SIZES[shot.size], color_scheme=shot.scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}catalogue/{shot.page}", wait_until="networkidle")
    if shot.at:
        page.locator(shot.at).evaluate("element => element.scrollIntoView()")
    path = PLACE / f"{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def main(store: str) -> None:
    """Take every picture of the store in a folder: the sample, as `make demo` leaves it."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with serve_site(FolderStore(Path(store)), port=0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for shot in SHOTS:
            sys.stdout.write(f"{take(browser, server.address, shot)}\n")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
