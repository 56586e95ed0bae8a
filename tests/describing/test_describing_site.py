"""The whole site as files: valid HTML, no dead links, small pages, one strict policy, the same bytes each time."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urldefrag, urlsplit

from piperoll import layout
from piperoll.describing.pages.rendering import POLICY
from tests.describing.example_site import HOSTILE, Site, pages_of

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.tools.bundle import PACKAGES, SCRIPT, VENDOR, bundled, readme  # noqa: E402 - the tools stand beside us
from tests.tools.npm import HERE, installed  # noqa: E402

MOST_BYTES = 200_000


class Links(HTMLParser):
    """The links of a page, and the ids that others may link to."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.inline: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for name in ("href", "src", "action") if (value := given.get(name)) is not None]
        self.ids |= {value for name, value in attrs if name == "id" and value}
        if (
            tag == "script"
            and "src" not in given
            and given.get("type") not in ("application/json", "application/ld+json")
        ):
            self.inline.append("script")
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]


def content(site: Site, key: str) -> bytes:
    return site.store.read(f"catalogue/{key}").content


def test_every_link_points_to_something_in_the_store(site: Site) -> None:
    there = set(site.store.keys("catalogue/")) | set(site.store.keys("data/")) | set(site.store.keys("reports/"))
    pages = {f"catalogue/{key}": Links(content(site, key)) for key in site.files(".html")}
    dead = []
    for key, page in pages.items():
        for link in page.found:
            target, anchor = urldefrag(link)
            place = normpath(join(dirname(key), unquote(urlsplit(target).path))) if urlsplit(target).path else key
            if urlsplit(link).scheme in ("https", "http", "mailto", "data"):
                continue
            if key == layout.NOT_FOUND and target:  # it is sent for any address, so its links are from the root
                place = unquote(urlsplit(target).path).removeprefix("/")
            if place not in there or (anchor and place in pages and anchor not in pages[place].ids):
                dead.append((key, link))
    assert dead == []


def test_no_page_is_over_200_kb_with_everything_it_loads(site: Site) -> None:
    shared = sum(len(content(site, key)) for key in ("style.css", "icon.svg"))
    scripts = {key: len(content(site, key)) for key in site.files(".js") if not key.startswith("vendor/")}
    heavy = {
        key: weight
        for key in site.files(".html")
        if (weight := len(content(site, key)) + shared + sum(scripts.values())) > MOST_BYTES
    }
    assert heavy == {}
    assert len(content(site, "vendor/parquet.js")) < MOST_BYTES
    assert all(len(content(site, key)) < MOST_BYTES / 4 for key in site.files() if key.startswith("search/"))


def test_every_page_keeps_one_strict_policy(site: Site) -> None:
    for key in set(site.files(".html")) - {"report.html"}:
        html = content(site, key).decode()
        leads_to_list = "http-equiv=refresh" in html  # loads nothing at all
        policy = "default-src 'none'" if leads_to_list else POLICY
        assert f'content="{policy}"' in html, key
        assert Links(html.encode()).inline == [], key
    assert "unsafe" not in POLICY
    alone = content(site, "report.html").decode()
    assert re.search(r"default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]{44}&#39;", alone)


def test_hostile_names_are_escaped_in_every_file(site: Site) -> None:
    for key in site.files(".html"):
        assert HOSTILE.encode() not in content(site, key), key
    for key in site.files(".json"):
        json.loads(content(site, key))


def test_the_same_store_gives_the_same_bytes(site: Site) -> None:
    again = dict(pages_of(site.store))
    assert again == {key: site.store.read(key).content for key in again}


def test_the_validator_finds_nothing_on_any_page(site: Site, tmp_path: Path) -> None:
    for key in site.files(".html"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content(site, key))
    assert validated(tmp_path) == []


def test_the_validator_reports_invalid_html(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<!DOCTYPE html><html lang=en><title>x</title><p><div></p>", "utf-8")
    assert validated(tmp_path) != []


def validated(folder: Path) -> list[object]:
    """The messages of html-validate for every page in a folder."""
    validator = installed() / "html-validate" / "bin" / "html-validate.mjs"
    command = ["node", str(validator), "--config", str(HERE / "htmlvalidate.json"), "--ext", "html", "-f", "json"]
    done = subprocess.run([*command, str(folder)], capture_output=True, check=False)
    found: list[object] = json.loads(done.stdout)
    return found


def test_vendored_scripts_are_those_of_npm(tmp_path: Path) -> None:
    modules = installed()
    bundled(modules, tmp_path / SCRIPT)
    script = (tmp_path / SCRIPT).read_bytes()
    assert script == (VENDOR / SCRIPT).read_bytes(), "type: make vendor"
    assert readme(modules, script) == (VENDOR / "README.md").read_text("utf-8")
    assert b"WebAssembly" not in script, "no page may run it"
    assert all(name in (VENDOR / "README.md").read_text("utf-8") for name in PACKAGES)


def test_the_npm_lock_file_has_hashes_and_no_registry_address() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages and all("integrity" in one and "resolved" not in one for one in packages.values())
