"""The wheel contains the data folders and works in a clean environment outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = (
    "piperoll/data/datapackages/spend/datapackage.json",
    "piperoll/data/datapackages/spend/headings.csv",
    "piperoll/data/datapackages/bodies/bodies.csv",
    "piperoll/data/expectations/spend.json",
    "piperoll/data/measures/datapackage.json",
    "piperoll/data/measures/coverage/query.sql",
    "piperoll/data/docs/findings.md",
    "piperoll/data/docs/check-report.schema.json",
    "piperoll/sample/words.json",
    "piperoll/sample/sends.json",
    "piperoll/sample/bodies.csv",
    "portal/style.css",
    "portal/templates/layout.html",
)
SPEND = """Body Name,Payment Date,Transaction Number,Amount,Supplier Name,Purpose,Service Area,Merchant Category
Anytown,05/10/2026,1001,600.00,Plumbob Ltd,Repairs,Housing,Facilities
Anytown,06/10/2026,1002,1250.50,Quillfeather Ltd,Paper,Corporate,Stationery
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sdist and the wheel built from it, built in a copy of the checkout."""
    out, copy = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("checkout") / "piperoll"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def piperoll(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a new environment with the wheel. It sees our libraries, but not the checkout."""
    place = tmp_path_factory.mktemp("clean")
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    site = next((place / "lib").glob("python*/site-packages"))
    install = ["-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    lent = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "lent.pth").write_text(
        f"import sys; sys.path.append({lent!r})\n"
    )  # appended to sys.path, so that the .pth file of the checkout is not read
    return place / "bin" / "piperoll"


def run(piperoll: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIPEROLL_"))}
    return subprocess.run([str(piperoll), *arguments], cwd=cwd, env=clean, capture_output=True, text=True, check=False)


def test_the_wheel_carries_our_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert set(NEEDED) <= names
    for folder in ("datapackages", "expectations", "findings", "catalogue"):
        here = {f"piperoll/data/{p.relative_to(ROOT)}" for p in (ROOT / folder).rglob("*") if p.is_file()}
        assert here <= names


def test_the_wheel_carries_nothing_else_of_the_checkout(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    ours = {"piperoll", "collectors", "publishers", "flows", "hosting", "serving", "portal"}
    assert {top for top in tops if not top.endswith(".dist-info")} == ours


def test_the_sdist_has_what_the_wheel_is_made_from(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"setup.py", "pyproject.toml", "LICENSE", "README.md", "datapackages/spend/datapackage.json"} <= names


def test_the_installed_package_is_the_wheel_and_not_the_checkout(piperoll: Path, tmp_path: Path) -> None:
    python = piperoll.parent / "python"
    code = "import piperoll, flows, piperoll.assets as a; print(piperoll.__file__, flows.__path__[0], a.folder('docs'))"
    done = subprocess.run([str(python), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert str(ROOT) not in done.stdout.replace(str(piperoll.parents[1]), "")


def test_it_says_its_version_and_its_datasets(piperoll: Path, tmp_path: Path) -> None:
    assert run(piperoll, "--version", cwd=tmp_path).stdout.startswith("piperoll 0.")
    listed = run(piperoll, "datasets", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert {"spend", "contracts", "roles", "transactions"} <= {
        line.split(" ")[0] for line in listed.stdout.splitlines()
    }


def test_it_checks_a_file(piperoll: Path, tmp_path: Path) -> None:
    (tmp_path / "October 2026.csv").write_text(SPEND)
    done = run(piperoll, "check", "October 2026.csv", "--json", "--quick", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["dataset"], report["period"], report["tables"][0]["rows"]["read"]) == ("spend", "2026-10", 2)


def test_it_makes_the_sample_and_explains_a_finding(piperoll: Path, tmp_path: Path) -> None:
    assert run(piperoll, "sample", "--to", "sample", cwd=tmp_path).returncode == 0
    assert (tmp_path / "sample" / "bodies.csv").is_file()
    assert "there is no finding" in run(piperoll, "explain", "no-such-code", cwd=tmp_path).stderr


def test_every_pinned_version_is_listed_with_the_age_of_its_pin() -> None:
    """No advisory can be reached without a network: a reader compares this list with them."""
    from tests.tools.pins import LOCK, list_pins  # noqa: PLC0415 - of no other test here

    pins = {pin.name: pin for pin in list_pins()}
    assert len(pins) == sum(line[:1].isalnum() and "==" in line for line in LOCK.read_text("utf-8").splitlines())
    assert {"prefect", "pyarrow", "requests"} <= pins.keys()
    assert pins["pyarrow"].installed
    assert all(pin.days is None or pin.days >= 0 for pin in pins.values())
