"""Pictures of the catalogue of a store and of its portal: `python -m tests.describing.screenshots STORE`.

They are kept in build/screenshots. Those of the README are in docs: `home` (as catalogue), `release`,
`portal-draft` and `portal-receipt`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from publishers import FolderStore, serve_site
from tests.describing.example_site import CHROMIUM, FLAGS, SIZES
from tests.fixtures.portal_server import serve_portal

PLACE = Path(__file__).parents[2] / "build" / "screenshots"
FICTIONHAM = "series/spend/royal-borough-of-fictionham/2026-10.html"
PLACEHOLDER = "city-of-placeholder"
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


def damage(content: bytes) -> bytes:
    """A spend file of the sample with an impossible date and an amount that is none."""
    lines = content.decode().splitlines()
    date, rest = lines[3].split(";", 1)
    lines[3] = f"{date[:5]}13-01;{rest}"
    cells = lines[7].split(";")
    lines[7] = ";".join([*cells[:2], "see invoice", *cells[3:]])
    return "\r\n".join([*lines, ""]).encode()


def take_portal(browser: Browser, store: Path) -> None:
    """Take the pictures of the portal over a copy of the store: home, a draft's findings, a receipt, the queue."""
    sample = store.parent / f"{store.name}-sample"
    with tempfile.TemporaryDirectory() as folder:
        copy, file = Path(folder) / "store", Path(folder) / "spend-2026-10-corrected.csv"
        shutil.copytree(store, copy)
        file.write_bytes(damage((sample / f"2026-10/spend/{PLACEHOLDER}/spend-2026-10.csv").read_bytes()))
        with serve_portal(copy, PLACEHOLDER, bodies=str(sample / "bodies.csv")) as portal:
            page = browser.new_context(viewport=SIZES["desktop"]).new_page()  # type: ignore[arg-type]
            page.set_default_timeout(180_000)  # a machine may do much else
            page.goto(portal.sign_in_address())
            page.get_by_role("main").get_by_role("button").click()
            home = f"{portal.address}bodies/{PLACEHOLDER}"
            page.goto(f"{home}/")
            keep(page, "portal-home")
            page.goto(f"{home}/send")
            page.get_by_label("Your file").set_input_files(file)
            page.get_by_role("button", name="Check the file").click()
            page.get_by_role("heading", name="What we found").evaluate("element => element.scrollIntoView()")
            keep(page, "portal-draft", 704)
            page.get_by_role("button", name="Submit this file").click()
            page.get_by_role("heading", name="We have received it").wait_for()
            keep(page, "portal-receipt", 704)
            page.goto(f"{portal.address}operator/queue")
            keep(page, "portal-queue")
            page.context.close()


def keep(page: Page, name: str, height: int = SIZES["desktop"]["height"]) -> None:
    """Take a picture of the part of the page that is seen, or of its upper part."""
    path = PLACE / f"{name}.png"
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": SIZES["desktop"]["width"], "height": height})
    sys.stdout.write(f"{path}\n")


def main(store: str) -> None:
    """Take every picture of the store in a folder: the sample, as `make demo` leaves it."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with serve_site(FolderStore(Path(store)), port=0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for shot in SHOTS:
            sys.stdout.write(f"{take(browser, server.address, shot)}\n")
        take_portal(browser, Path(store))
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
