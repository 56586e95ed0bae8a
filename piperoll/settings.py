"""The settings of an operator: environment variables that begin with PIPEROLL_."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from piperoll.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; `PIPEROLL_BASE_URL` sets `base_url`, and so on.

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
    `portal_url` is where people reach the portal, `portal_secret` (at least 32 characters) signs its sessions and keys
    the hashes of who may use it. `portal_openid_issuer`, `_client`, `_secret`, `_name` (what the sign-in page calls it)
    and `_groups` (the claim with groups) are of an OpenID provider. `portal_smtp` (`smtps://user:password@host`) sends
    sign-in links and receipts from `portal_mail_from`. `portal_proxies` is the number of your reverse proxies in front.
    `contacts` is the list of whom `piperoll chase` writes to; `webhook_secret` signs what it posts to webhooks.
    `data` lists further data folders with datasets of your own, separated like PATH (`piperoll.assets` reads it).
    """

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
    data: str = ""
    store: str = ""
    inbox: str = ""
    sources: str = ""
    bodies: str = ""
    replay_into: str = ""
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
    contacts: str = ""
    webhook_secret: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from PIPEROLL_ variables.

        Raises: SettingsError: a variable is not a setting, or its value is of the wrong kind.
        """
        known = {f"PIPEROLL_{field.name.upper()}": field for field in fields(cls)}
        given: dict[str, Any] = {}
        for variable, text in environment.items():
            if not variable.startswith("PIPEROLL_"):
                continue
            if variable not in known:
                raise SettingsError(f"{variable} is not a setting: use {', '.join(sorted(known))}")
            given[known[variable].name] = _value(variable, text, known[variable].default)
        return cls(**given)


def _value(variable: str, text: str, default: Any) -> bool | int | str:
    if isinstance(default, bool):
        if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
            raise SettingsError(f"{variable} is '{text}': use true or false")
        return text.lower() in ("1", "true", "yes")
    if isinstance(default, int):
        if not text.isdecimal() or int(text) < 1:
            raise SettingsError(f"{variable} is '{text}': use a whole number, 1 or more")
        return int(text)
    return text if not variable.endswith("_URL") else text.rstrip("/") + "/"
