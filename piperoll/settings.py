"""The settings of an operator: variables that begin with PIPEROLL_, and the file that PIPEROLL_CONFIG names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from piperoll.errors import SettingsError

CONFIG_VARIABLE = "PIPEROLL_CONFIG"
"""The environment variable that names the configuration file. No file is read that is not named."""

FILE_SUFFIX = "_file"
"""A secret may be given as the path of a file that holds it: `portal_secret_file`."""

_PATH: Mapping[str, Any] = {"path": True}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; `PIPEROLL_BASE_URL` sets `base_url`, and so on.

    `config` is the configuration file, which may set all others; variables win over it.
    `base_url` is where the store is served, with `catalogue/`, `data/` and `reports/` below it; it ends in a slash, and
    identifiers do not depend on it. `api_url` is where the API is served, for links to it; empty if there is none.
    `publisher_name` is the publisher of the catalogue. `allow_private_addresses` lets
    collectors fetch from this machine and private networks. `max_download_bytes`, `timeout_seconds` (for each read) and
    `retries` limit each fetch, `fetches_at_once` and `fetches_per_host` how many are under way. `fetch_log_entries` are
    kept of each address. `proxy` is a proxy for all fetches, `http://user:password@host:port`. `concurrency` is the
    number of bodies processed at once. `audit_rows` is the number of rows of a release that are also checked by
    Frictionless and Great Expectations; smaller releases are checked whole.
    `store`, `inbox`, `sources`, `bodies` and `replay_into` are the places that the deployed flows work with: paths and
    addresses that no parameter of a flow can change; commands and the Python API do not read them.
    `metrics_file` is where the metrics of each run are written for node_exporter; `log_format` is `text` or `json`.
    `portal_url` is where people reach the portal, `portal_secret` (at least 32 characters) signs its sessions and keys
    the hashes of who may use it. `portal_openid_issuer`, `_client`, `_secret`, `_name` (what the sign-in page calls it)
    and `_groups` (the claim with groups) are of an OpenID provider. `portal_smtp` (`smtps://user:password@host`) sends
    sign-in links and receipts from `portal_mail_from`. `portal_proxies` is the number of your reverse proxies in front.
    `contacts` is the list of whom `piperoll chase` writes to; `webhook_secret` signs what it posts to webhooks.
    `data` lists further data folders with datasets of your own, separated like PATH (`piperoll.assets` reads it).

    A setting that `repr` does not show is a secret. The metadata `path` marks a path or the address of a store: in the
    configuration file it is relative to the folder of that file.
    """

    config: str = ""
    base_url: str = "http://localhost:8000/"
    api_url: str = ""
    publisher_name: str = "Piperoll"
    allow_private_addresses: bool = False
    max_download_bytes: int = 200_000_000
    timeout_seconds: int = 30
    retries: int = 3
    fetches_at_once: int = 100
    fetches_per_host: int = 2
    fetch_log_entries: int = 30
    proxy: str = field(default="", repr=False)
    concurrency: int = 2
    audit_rows: int = 50_000
    data: str = field(default="", metadata=_PATH)
    store: str = field(default="", metadata=_PATH)
    inbox: str = field(default="", metadata=_PATH)
    sources: str = field(default="", metadata=_PATH)
    bodies: str = field(default="", metadata=_PATH)
    replay_into: str = field(default="", metadata=_PATH)
    metrics_file: str = field(default="", metadata=_PATH)
    log_format: str = field(default="text", metadata={"choices": ("text", "json")})
    portal_url: str = ""
    portal_secret: str = field(default="", repr=False)
    portal_openid_issuer: str = ""
    portal_openid_client: str = ""
    portal_openid_secret: str = field(default="", repr=False)
    portal_openid_name: str = "your organisation"
    portal_openid_groups: str = "groups"
    portal_smtp: str = field(default="", repr=False)
    portal_mail_from: str = ""
    portal_proxies: int = 0
    contacts: str = field(default="", metadata=_PATH)
    webhook_secret: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from PIPEROLL_ variables and from the file that PIPEROLL_CONFIG names.

        Raises: SettingsError: a variable or a key is not a setting, its value is of the wrong kind, or the
        configuration file or the file of a secret cannot be read.
        """
        return cls(**{name: value for name, (value, _) in read_settings(environment).items()})


_FIELDS = {one.name: one for one in fields(Settings)}
SECRETS = tuple(one.name for one in fields(Settings) if not one.repr)
"""The settings whose values are never shown; each may be given by the path of a file."""


def read_settings(environment: Mapping[str, str] = os.environ) -> dict[str, tuple[Any, str]]:
    """Every setting that is given, with where: a variable, or a line of the configuration file.

    Raises: SettingsError: see `Settings.from_environment`.
    """
    given = _read_variables(environment)
    path = environment.get(CONFIG_VARIABLE)
    return (_read_file(Path(path)) if path else {}) | given


def find_data_folders(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The further data folders, without a look at any other setting. Raises: SettingsError: see `read_settings`."""
    listed = environment.get("PIPEROLL_DATA")
    if listed is None and (path := environment.get(CONFIG_VARIABLE)):
        listed = str(_read_file(Path(path)).get("data", ("", ""))[0])
    return [Path(each) for each in (listed or "").split(os.pathsep) if each]


def _read_variables(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    given: dict[str, tuple[Any, str]] = {}
    for variable, text in environment.items():
        if not variable.startswith("PIPEROLL_"):
            continue
        name = variable.removeprefix("PIPEROLL_").lower()
        if variable != variable.upper() or (name not in _FIELDS and _secret_of(name) is None):
            known = ", ".join(f"PIPEROLL_{one.upper()}" for one in sorted(_FIELDS))
            raise SettingsError(f"{variable} is not a setting: use {known}")
        if secret := _secret_of(name):
            _refuse_both(secret in given or f"PIPEROLL_{secret.upper()}" in environment, secret, variable)
            given[secret] = _read_secret(variable, Path(text)), variable
        else:
            given[name] = _parse(variable, text, name), variable
    return given


def _read_file(path: Path) -> dict[str, tuple[Any, str]]:
    """The settings of a configuration file, each with its line."""
    try:
        status = path.stat()
        return _read_unchanged(path, status.st_mtime_ns, status.st_size)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


@lru_cache(maxsize=4)
def _read_unchanged(path: Path, _modified: int, _size: int) -> dict[str, tuple[Any, str]]:
    """Read a configuration file. Data folders are looked for often, so it is read again only if it changed."""
    import tomllib  # noqa: PLC0415 - most processes have no such file

    text = path.read_text("utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    given: dict[str, tuple[Any, str]] = {}
    for key, value in document.items():
        where = f"{path}, line {_line_of(key, text)}"
        name = _secret_of(key) or key
        if name not in _FIELDS or name == "config":
            known = ", ".join(sorted({*_FIELDS} - {"config"}))
            raise SettingsError(f"{where}: '{key}' is not a setting: use {known}")
        if name != key:
            _refuse_both(name in document, name, f"{where}: {key}")
            if not isinstance(value, str):
                raise SettingsError(f"{where}: '{key}' is not the path of a file")
            given[name] = _read_secret(where, path.parent / value), where
        else:
            given[name] = _convert(where, value, key, path.parent), where
    return given


def _line_of(key: str, text: str) -> int:
    """The number of the line that sets a key at the top of a TOML document."""
    found = re.search(rf"^\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]", text, re.MULTILINE)
    return 1 + text[: found.end()].count("\n") if found else 1


def _secret_of(name: str) -> str | None:
    """The secret whose file a name like `portal_secret_file` gives; None for any other name."""
    secret = name.removesuffix(FILE_SUFFIX)
    return secret if secret != name and secret in SECRETS else None


def _refuse_both(both: bool, name: str, where: str) -> None:
    if both:
        raise SettingsError(f"{where}: '{name}' is given as well: give the secret or its file, not both")


def _read_secret(where: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError(f"{where}: {path} cannot be read: {reason}") from error


def _convert(where: str, value: Any, name: str, folder: Path) -> bool | int | str:
    """The value of a key of the file, which has a kind of its own."""
    default: Any = _FIELDS[name].default
    if name == "data" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = os.pathsep.join(value)
    if type(value) is not type(default):
        wanted = {bool: "true or false", int: "a whole number, without quotes"}.get(type(default), 'text in "quotes"')
        raise SettingsError(f"{where}: '{name}' is of the wrong kind: write {wanted}")
    if _FIELDS[name].metadata.get("path"):
        pieces = value.split(os.pathsep) if name == "data" else [value]
        return os.pathsep.join(each if "://" in each or not each else str(folder / each) for each in pieces)
    return value if isinstance(value, bool) else _parse(f"{where}: '{name}'", str(value), name)


def _parse(where: str, text: str, name: str) -> bool | int | str:
    default = _FIELDS[name].default
    if isinstance(default, bool):
        if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
            raise SettingsError(f"{where} is '{text}': use true or false")
        return text.lower() in ("1", "true", "yes")
    if isinstance(default, int):
        least = min(1, default)
        if not text.isdecimal() or int(text) < least:
            raise SettingsError(f"{where} is '{text}': use a whole number, {least} or more")
        return int(text)
    choices = _FIELDS[name].metadata.get("choices")
    if choices and text not in choices:
        raise SettingsError(f"{where} is '{text}': use {' or '.join(choices)}")
    if name.endswith("_url"):
        return text.rstrip("/") + "/" if text else str(default)  # a variable that is set and empty is as if not set
    return text
