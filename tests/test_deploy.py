"""The files in deploy/: units, container file and configuration file name only what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

from piperoll import cli
from piperoll.settings import SECRETS, Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "RestrictNamespaces": "yes",
    "PrivateDevices": "yes",
    "User": "piperoll",
    "RestrictSUIDSGID": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "UMask": "0022",
}


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """The sections of a unit file, with every value of each key."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            section.setdefault(name, []).append(value)
    return sections


def variables(service: dict[str, list[str]]) -> dict[str, str]:
    return dict(one.split("=", 1) for line in service["Environment"] for one in line.split())


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_unit_runs_a_command_that_there_is_and_may_do_little_else(path: Path) -> None:
    service = unit(path)["Service"]
    program, command, *rest = shlex.split(service["ExecStart"][0])
    assert program == "/opt/piperoll/bin/piperoll"
    known = typer.main.get_command(cli.app).commands[command]  # type: ignore[attr-defined]
    options = {option for each in known.params for option in each.opts}
    assert {word for word in rest if word.startswith("--")} <= options
    given = variables(service)
    settings = {f"PIPEROLL_{one.name.upper()}" for one in fields(Settings)}
    assert {name for name in given if name.startswith("PIPEROLL_")} <= settings
    later = {"BACKUP_PLACE"}  # set in the environment file, and told in the unit
    for name in re.findall(r"\$\{(\w+)\}", " ".join(rest)):
        assert name in given or (name in later and f"# {name}" in path.read_text("utf-8"))
    assert {name: service[name][-1] for name in HARDENED} == HARDENED
    assert "[Install]\n" in path.read_text("utf-8") or path.with_suffix(".timer").exists()


def test_timers_start_services_at_a_time() -> None:
    for path in DEPLOY.glob("*.timer"):
        assert path.with_suffix(".service").exists()
        assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:00 Europe/London", unit(path)["Timer"]["OnCalendar"][0])


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """With systemd on this machine it says so itself; without, every key is one that it documents."""
    analyze = shutil.which("systemd-analyze")
    program = tmp_path / "piperoll"
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    for path in (*SERVICES, *DEPLOY.glob("*.timer")):
        text = path.read_text("utf-8").replace("/opt/piperoll/bin/piperoll", str(program))
        (tmp_path / path.name).write_text(text, "utf-8")
        assert {*unit(path)} <= {"Unit", "Service", "Timer", "Install"}
        assert all(re.fullmatch(r"[A-Z][A-Za-z]+", key) for section in unit(path).values() for key in section)
        if analyze:
            command = [analyze, "verify", "--man=no", str(tmp_path / path.name)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert path.name not in done.stdout + done.stderr


def test_the_configuration_file_is_one(tmp_path: Path) -> None:
    text = (DEPLOY / "piperoll.toml").read_text("utf-8")
    for name in ("portal", "smtp"):
        (tmp_path / "secrets").mkdir(exist_ok=True)
        (tmp_path / "secrets" / name).write_text("secret", "utf-8")
    for number, content in enumerate((text, re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))):
        path = tmp_path / f"{number}.toml"
        path.write_text(content, "utf-8")
        settings = Settings.from_environment({"PIPEROLL_CONFIG": str(path)})
        assert settings.log_format == "json"
    assert (settings.store, settings.portal_secret) == ("s3://bucket/prefix", "secret")
    assert not {*SECRETS} & {*tomllib.loads(text)}


def test_the_container_is_built_from_what_there_is_and_nothing_is_missing(tmp_path: Path) -> None:
    """The files that it copies are enough for the wheel: its commands are run in a folder with nothing else."""
    copied = [words.split() for words in re.findall(r"^COPY (?!--from)(.+)$", CONTAINER, re.MULTILINE)]
    for *sources, target in copied:
        for source in sources:
            to = tmp_path / "src" / (target if target != "./" else source)
            to.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / source, to)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), "."]
    done = subprocess.run(command, cwd=tmp_path / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    there = {*zipfile.ZipFile(wheel).namelist()}
    packages = ("piperoll", "collectors", "publishers", "flows", "hosting", "serving", "portal")
    for package in packages:
        assert {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py")} <= there
    for name in ("datapackages", "expectations", "findings", "measures", "catalogue"):
        wanted = {path for path in (ROOT / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {f"piperoll/data/{path.relative_to(ROOT)}" for path in wanted} <= there


def test_the_container_has_no_privileges_and_starts_the_program() -> None:
    assert re.search(r"^USER 10001$", CONTAINER, re.MULTILINE)
    assert 'ENTRYPOINT ["piperoll"]' in CONTAINER
    given = dict(re.findall(r"(PIPEROLL_\w+)=(\S+)", CONTAINER))
    assert Settings.from_environment(given).log_format == "json"
    for command in re.findall(r"piperoll (\w+) [/-]", CONTAINER):
        assert command in typer.main.get_command(cli.app).commands or command == "install"  # type: ignore[attr-defined]
