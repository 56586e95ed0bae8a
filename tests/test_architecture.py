"""The structure that docs/architecture.md describes: imports, the home of each library, and the size of things."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("piperoll", "collectors", "publishers", "flows", "hosting", "serving", "portal")
DOORS = ("piperoll.cli", "piperoll.commands", "piperoll.api")

HOMES = {
    "authlib": ("portal.openid",),
    "boto3": ("publishers.stores.s3",),
    "botocore": ("publishers.stores.s3",),
    "calamine": ("piperoll.reading",),
    "cryptography": ("portal.sign_in", "publishers.receipts"),
    "duckdb": ("serving", "piperoll.measuring"),
    "fastapi": ("hosting", "serving", "portal"),
    "frictionless": (
        "piperoll.checking.schema.frictionless_cells",
        "piperoll.checking.schema.frictionless_tables",
    ),
    "great_expectations": ("piperoll.checking.plausibility.reference",),
    "holidays": ("piperoll.duties",),
    "httpx": ("portal.openid",),
    "itsdangerous": ("portal.sessions", "portal.sign_in"),
    "joserfc": ("portal.openid",),
    "jinja2": ("piperoll.describing", "portal.rendering"),
    "lxml": ("piperoll.describing", "piperoll.reading"),
    "markupsafe": ("portal.rendering",),
    "msgspec": ("piperoll", "publishers", "serving"),
    "openpyxl": ("piperoll.operations.marked_copy",),
    "pandas": ("piperoll.checking.plausibility.reference",),
    "prefect": ("flows",),
    "python_calamine": ("piperoll.reading",),
    "requests": ("collectors", "publishers.stores.web"),
    "rich": ("piperoll.terminal", "piperoll.commands"),
    "starlette": ("hosting", "serving", "portal"),
    "types_boto3_s3": ("publishers.stores.s3",),
    "typer": ("piperoll.cli", "piperoll.commands"),
    "urllib3": ("collectors", "publishers.stores.web"),
    "uvicorn": ("hosting", "serving", "portal"),
    "xlsxwriter": ("piperoll.releasing", "piperoll.sample"),
}
"""Each outside library has one home; Arrow is at home wherever a table is, and NumPy with it."""

LONGEST_FUNCTION, LONG_FUNCTION, SHARE_SHORT = 70, 40, 0.95
"""Lines of code without docstring, and the share of functions that are not long."""
LONGEST_MODULE = 500


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def imports(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module

    def lives_in(self, homes: tuple[str, ...]) -> bool:
        return any(self.name == home or self.name.startswith(f"{home}.") for home in homes)


@cache
def modules() -> tuple[Module, ...]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(
        Module(
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"),
            path,
            ast.parse(path.read_text("utf-8")),
        )
        for path in paths
    )


def test_imports_run_one_way_down() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", sorted(HOMES))
def test_each_outside_library_has_one_home(library: str) -> None:
    astray = [
        module.name
        for module in modules()
        if any(name.split(".")[0] == library for name in module.imports) and not module.lives_in(HOMES[library])
    ]
    assert astray == []


def test_every_library_has_a_home_that_is_written_down() -> None:
    everywhere = {"pyarrow", "numpy"} | set(PACKAGES) | sys.stdlib_module_names
    strangers = {
        (name.split(".")[0], module.name)
        for module in modules()
        for name in module.imports
        if name.split(".")[0] not in everywhere | HOMES.keys()
    }
    assert strangers == set()


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[<>=\[]", line)[0].replace("-", "_").lower() for line in project["dependencies"]}
    borrowed = {"botocore": "boto3", "calamine": "python_calamine", "pandas": "great_expectations"}
    borrowed |= {"types_boto3_s3": "boto3", "starlette": "fastapi", "markupsafe": "jinja2", "joserfc": "authlib"}
    assert {borrowed.get(library, library) for library in HOMES} - declared == set()


GROUND = ("piperoll.model", "piperoll.errors", "piperoll.settings", "msgspec")


@pytest.mark.parametrize("ground", ["piperoll.model", "piperoll.errors", "piperoll.settings", "piperoll.assets"])
def test_the_ground_floor_needs_the_standard_library_and_msgspec_only(ground: str) -> None:
    for module in modules():
        if module.lives_in((ground,)) and module.name != "piperoll.model.columns":
            outside = {name for name in module.imports if name.split(".")[0] not in sys.stdlib_module_names}
            assert all(name.startswith(GROUND) for name in outside), module.name


def test_only_the_doors_and_operations_reach_up_to_flows_and_publishers() -> None:
    for module in modules():
        if module.name.startswith("piperoll") and not module.lives_in((*DOORS, "piperoll.operations")):
            up = [
                name
                for name in module.imports
                if name.split(".")[0] in ("flows", "hosting", "serving", "portal", "publishers", "collectors")
            ]
            assert up == [], module.name


def test_no_flow_module_is_named_after_a_package() -> None:
    names = {module.name.rpartition(".")[2] for module in modules() if module.name.startswith("flows.")}
    assert names.isdisjoint({*PACKAGES, "prefect"})


def test_tests_import_neither_conftest_nor_the_benchmarks() -> None:
    """Helpers that tests and benchmarks share are in tests/fixtures."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] not in {"bench", "conftest"}, path.relative_to(ROOT)


def test_no_test_uses_the_connection_that_duckdb_shares() -> None:
    """A result that another test has not read to its end makes `duckdb.sql` fail: open a connection instead."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "duckdb":
                assert node.attr not in {"sql", "query", "execute", "read_parquet"}, f"{path.name}:{node.lineno}"


def test_data_folders_hold_no_python() -> None:
    assert [
        path
        for folder in ("datapackages", "expectations", "findings", "catalogue")
        for path in (ROOT / folder).rglob("*.py")
    ] == []


def test_modules_are_at_most_five_hundred_lines() -> None:
    long = {
        module.name: n
        for module in modules()
        if (n := len(module.path.read_text("utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_functions_are_short(record_property: Callable[[str, object], None]) -> None:
    sizes = {f"{module.name}.{name}": lines for module in modules() for name, lines in functions(module.tree)}
    long = {name: lines for name, lines in sizes.items() if lines > LONG_FUNCTION}
    record_property("functions", len(sizes))
    record_property(f"functions over {LONG_FUNCTION} lines", sorted(long))
    assert len(long) <= len(sizes) * (1 - SHARE_SHORT), long
    assert all(lines <= LONGEST_FUNCTION for lines in long.values()), long


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each function with its lines, its docstring and what it says of its arguments left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, (node.end_lineno or body[0].lineno) - body[0].lineno + 1
