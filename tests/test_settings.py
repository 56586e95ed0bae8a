"""Settings from variables and from a configuration file, and the logs that one of them asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from piperoll.errors import SettingsError
from piperoll.logs import describe_exception
from piperoll.settings import Settings, find_data_folders, read_settings

PIPEROLL = [sys.executable, "-P", "-c", "from piperoll.cli import main; main()"]
SECRET = "a secret of more than thirty-two characters"  # noqa: S105 - made up


def config(folder: Path, text: str) -> dict[str, str]:
    (folder / "piperoll.toml").write_text(text, "utf-8")
    return {"PIPEROLL_CONFIG": str(folder / "piperoll.toml")}


def piperoll(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")}
    clean["PYTHONPATH"] = os.pathsep.join(sys.path)
    return subprocess.run([*PIPEROLL, *arguments], env=clean | variables, capture_output=True, text=True, check=False)


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    text = 'publisher_name = "County"\nretries = 7\nallow_private_addresses = true\nbase_url = "https://data.example"\n'
    settings = Settings.from_environment(config(tmp_path, text) | {"PIPEROLL_RETRIES": "2"})
    assert (settings.publisher_name, settings.retries, settings.allow_private_addresses) == ("County", 2, True)
    assert (settings.base_url, settings.concurrency) == ("https://data.example/", Settings().concurrency)


def test_an_address_that_is_set_and_empty_is_as_if_it_were_not_set() -> None:
    """The portal said that it was at `/`, and its sign-in link had no host."""
    empty = {"PIPEROLL_PORTAL_URL": "", "PIPEROLL_API_URL": "", "PIPEROLL_BASE_URL": ""}
    settings = Settings.from_environment(empty)
    assert (settings.portal_url, settings.api_url) == ("", "")
    assert settings.base_url == Settings().base_url


def test_paths_of_the_file_are_relative_to_its_folder_and_addresses_stay(tmp_path: Path) -> None:
    text = 'store = "s3://bucket/place"\ninbox = "in"\ncontacts = "contacts.csv"\nsources = "/etc/sources.toml"\n'
    text += 'data = ["more", "/else"]\n'
    variables = config(tmp_path, text)
    settings = Settings.from_environment(variables)
    assert (settings.store, settings.inbox) == ("s3://bucket/place", str(tmp_path / "in"))
    assert (settings.sources, settings.contacts) == ("/etc/sources.toml", str(tmp_path / "contacts.csv"))
    assert find_data_folders(variables) == [tmp_path / "more", Path("/else")]
    assert find_data_folders(variables | {"PIPEROLL_DATA": "/one"}) == [Path("/one")]
    config(tmp_path, 'data = "other"\n')
    assert find_data_folders(variables) == [tmp_path / "other"]  # it is read again when it has changed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("retries = 3\n\nretrys = 4\n", "line 3: 'retrys' is not a setting"),
        ('retries = "3"\n', "line 1: 'retries' is of the wrong kind: write a whole number"),
        ("# one\nretries = true\n", "line 2: 'retries' is of the wrong kind"),
        ("retries = 0\n", "'retries' is '0': use a whole number, 1 or more"),
        ("publisher_name = 3\n", "line 1: 'publisher_name' is of the wrong kind"),
        ('allow_private_addresses = "yes"\n', "'allow_private_addresses' is of the wrong kind: write true or false"),
        ('log_format = "xml"\n', "'log_format' is 'xml': use text or json"),
        ('[portal]\nurl = "https://portal.example"\n', "line 1: 'portal' is not a setting"),
        ("retries = 3\nretries = 4\n", "line 2"),
        ('config = "other.toml"\n', "'config' is not a setting"),
        ('portal_secret = "x"\nportal_secret_file = "x"\n', "line 2: portal_secret_file: 'portal_secret' is given"),
        ('portal_secret_file = "nowhere"\n', "nowhere cannot be read: No such file"),
        ("portal_secret_file = 3\n", "'portal_secret_file' is not the path of a file"),
        ('publisher_name_file = "x"\n', "'publisher_name_file' is not a setting"),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(config(tmp_path, text))
    assert message in str(refused.value)
    assert "piperoll.toml" in str(refused.value)


def test_a_file_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        Settings.from_environment({"PIPEROLL_CONFIG": str(tmp_path / "nowhere.toml")})


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", "utf-8")
    assert Settings.from_environment(config(tmp_path, 'portal_secret_file = "secret"\n')).portal_secret == SECRET
    variables = {"PIPEROLL_PORTAL_SECRET_FILE": str(tmp_path / "secret")}
    assert Settings.from_environment(variables).portal_secret == SECRET
    with pytest.raises(SettingsError, match="not both"):
        Settings.from_environment(variables | {"PIPEROLL_PORTAL_SECRET": "x"})
    assert read_settings(variables)["portal_secret"] == (SECRET, "PIPEROLL_PORTAL_SECRET_FILE")


def test_the_command_shows_where_settings_come_from_and_no_secret(tmp_path: Path) -> None:
    config(tmp_path, f'portal_secret = "{SECRET}"\nportal_smtp = "smtps://user:word@mail.example"\nretries = 5\n')
    path = str(tmp_path / "piperoll.toml")
    done = piperoll("--config", path, "settings", "--json", PIPEROLL_CONCURRENCY="4")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert listed["retries"] == {"value": 5, "from": f"{path}, line 3"}
    assert listed["concurrency"] == {"value": 4, "from": "PIPEROLL_CONCURRENCY"}
    assert listed["base_url"]["from"] == "default"
    assert listed["portal_secret"]["value"] == listed["portal_smtp"]["value"] == "(set)"
    words = piperoll("--config", path, "settings").stdout
    assert "portal_secret" in words
    assert SECRET not in done.stdout + words
    assert "user:word" not in done.stdout + words


def test_a_log_of_json_has_an_object_for_an_error_and_no_name(tmp_path: Path) -> None:
    """A monitor cannot read sentences, and the name of a file can be that of a person."""
    for options, variables in ((["--log-format", "json"], {}), ([], {"PIPEROLL_LOG_FORMAT": "json"})):
        done = piperoll(*options, "list", str(tmp_path / "nowhere"), **variables)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        logged = json.loads(line)
        assert (logged["event"], logged["level"]) == ("error", "error")
        assert logged["kind"] == "UsageError"
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "Zebedee Quillfeather.csv").read_bytes()
    described = describe_exception(missing.value)
    assert described["kind"] == "FileNotFoundError"
    assert "test_settings.py:" in described["where"][0]
    assert "Quillfeather" not in str(described)
