"""The documentation matches the code: settings and commands are described, and every link resolves."""

from __future__ import annotations

import pkgutil
import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

from piperoll import assets, cli
from piperoll.settings import SECRETS, Settings

ROOT = Path(__file__).parents[1]
PAGES = "\n".join(path.read_text("utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
COMMANDS = sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_every_setting_is_described(setting: str) -> None:
    assert f"PIPEROLL_{setting.upper()}" in PAGES


def test_no_setting_is_described_that_is_not_there() -> None:
    known = {f"PIPEROLL_{field.name.upper()}" for field in fields(Settings)}
    known |= {f"PIPEROLL_{name.upper()}_FILE" for name in SECRETS}
    assert set(re.findall(r"PIPEROLL_[A-Z_]*[A-Z]", PAGES)) - known == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: str) -> None:
    assert f"piperoll {command}" in PAGES


def test_every_command_that_is_described_is_there() -> None:
    told = set(re.findall(r"(?<!from )\bpiperoll ([a-z]+)\b", "\n".join(code_of(PAGES)), re.MULTILINE))
    assert told - set(COMMANDS) == set()


def test_every_option_that_is_described_is_there() -> None:
    tree = typer.main.get_command(cli.app)
    for line in code_of(PAGES):
        for command, rest in re.findall(r"(?<!from )\bpiperoll ([a-z]+)([^|&;#]*)", line):
            found = tree.commands[command]  # type: ignore[attr-defined]
            taken = [each for one in (found, *getattr(found, "commands", {}).values()) for each in one.params]
            there = {opt for each in taken for opt in (*each.opts, *each.secondary_opts)}
            assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) - there - {"--help"} == set(), line


def test_every_make_target_that_is_described_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", "\n".join(code_of(PAGES)))) <= targets


def test_links_between_our_pages_lead_somewhere() -> None:
    for page in [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("datapackages/*/*.md"),
    ]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page.name} leads to {target}"


@pytest.mark.parametrize("dataset", assets.dataset_names())
def test_every_dataset_is_described(dataset: str) -> None:
    assert f"`{dataset}`" in PAGES


def test_nothing_we_wrote_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(rb"/work/|/root/|/home/\w+|pypi\.org|files\.pythonhosted|registry\.npmjs")
    assert [path for path in tracked_files() if path != Path(__file__) and forbidden.search(path.read_bytes())] == []


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and "golden" not in path.parts]


def test_every_cited_section_of_our_documents_exists() -> None:
    """Citations in code and data are written `docs/standards.md#anchor`."""
    cited = re.compile(r"\b(?:docs/)?((?:[a-z-]+)\.md)#([a-z0-9-]+)")
    for path in tracked_files():
        if path.suffix in {".py", ".md", ".json", ".csv", ".toml", ".html"} and path != Path(__file__):
            for page, anchor in cited.findall(path.read_text("utf-8")):
                headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
                anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert anchor in anchors, f"{path.relative_to(ROOT)} cites {page}#{anchor}"


def test_every_module_and_function_that_the_architecture_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for name in re.findall(r"`((?:piperoll|flows|serving|publishers|collectors)(?:\.\w+)+)`", page):
        assert pkgutil.resolve_name(name) is not None


def test_nothing_cites_a_document_that_is_not_in_the_repository() -> None:
    outside = re.compile(r"\b(STANDARDS|DESIGN|HOUSE|STACK|FINDINGS|MEASURES|PEERS)(?: §|\.md| \d)")
    for path in tracked_files():
        if path.suffix in {".py", ".md", ".json", ".csv", ".toml", ".html"} and path != Path(__file__):
            assert not outside.search(path.read_text("utf-8")), path.relative_to(ROOT)


def code_of(text: str) -> list[str]:
    """The lines of code blocks, and what stands between single backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    outside = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", outside)
