"""Fetching through a proxy that the operator has set: a real one, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import FetchLimits, fetch_file, require_proxy
from piperoll.errors import AddressRefused, ProxyFailed, SettingsError, SourceGone, SourceUnavailable
from tests.collectors.misbehaving_server import CSV, Misbehaving
from tests.fixtures.certificates import make_certificate
from tests.fixtures.loopback_proxy import USER, LoopbackProxy
from tests.fixtures.ports import reserve_port
from tests.fixtures.waiting import PATIENCE_SECONDS

SITE = "council.example"
"""A name that only the proxy can resolve: those below .example never are in the DNS (RFC 6761)."""


@pytest.fixture(scope="module")
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running


@pytest.fixture(scope="module")
def proxy() -> Iterator[LoopbackProxy]:
    with LoopbackProxy("denied.example") as running:
        yield running


def limits(proxy: str) -> FetchLimits:
    """Private addresses are not allowed: the sites are public as far as this machine knows, and the proxy is ours."""
    return FetchLimits(timeout_seconds=PATIENCE_SECONDS, max_download_bytes=4000, proxy=proxy)


def test_a_file_is_fetched_through_the_proxy_of_the_settings(
    server: Misbehaving, proxy: LoopbackProxy, tmp_path: Path
) -> None:
    url = f"http://{SITE}:{server.server_port}/data/spend.csv"
    answer = fetch_file(url, tmp_path, limits(proxy.with_password))
    assert answer.error is None
    assert answer.path is not None
    assert answer.path.read_bytes() == CSV
    assert proxy.requests[-1][0] == f"GET {url}"
    assert "Proxy-Authorization" not in server.requests[-1][1]


def test_a_proxy_of_the_environment_is_not_used(
    server: Misbehaving, proxy: LoopbackProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.with_password)
    monkeypatch.delenv("NO_PROXY", raising=False)
    before = len(proxy.requests)
    allowed = FetchLimits(timeout_seconds=PATIENCE_SECONDS, max_download_bytes=4000, allow_private_addresses=True)
    assert fetch_file(f"{server.address}/data/spend.csv", tmp_path, allowed).error is None
    assert len(proxy.requests) == before


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "10.0.0.1", "169.254.169.254"]
)
def test_what_this_machine_knows_as_private_is_not_asked_of_the_proxy(
    proxy: LoopbackProxy, tmp_path: Path, host: str
) -> None:
    before = len(proxy.requests)
    for scheme in ("http", "https"):
        answer = fetch_file(f"{scheme}://{host}/data/x.csv", tmp_path, limits(proxy.with_password))
        assert isinstance(answer.error, AddressRefused)
    assert len(proxy.requests) == before


def test_a_redirect_to_a_private_address_is_not_asked_of_the_proxy(
    server: Misbehaving, proxy: LoopbackProxy, tmp_path: Path
) -> None:
    before = len(proxy.requests)
    answer = fetch_file(f"http://{SITE}:{server.server_port}/to-private", tmp_path, limits(proxy.with_password))
    assert isinstance(answer.error, AddressRefused)
    assert len(proxy.requests) == before + 1


def test_a_site_that_the_proxy_refuses_is_refused(server: Misbehaving, proxy: LoopbackProxy, tmp_path: Path) -> None:
    answer = fetch_file(f"https://denied.example:{server.server_port}/x.csv", tmp_path, limits(proxy.with_password))
    assert isinstance(answer.error, AddressRefused)
    assert "does not allow" in str(answer.error)


def test_a_site_that_the_proxy_cannot_reach_is_unavailable(proxy: LoopbackProxy, tmp_path: Path) -> None:
    port = reserve_port()
    for scheme in ("http", "https"):
        answer = fetch_file(f"{scheme}://{SITE}:{port}/x.csv", tmp_path, limits(proxy.with_password))
        assert isinstance(answer.error, SourceUnavailable)


def test_a_proxy_that_refuses_us_or_is_down_is_our_fault_and_keeps_its_password(
    server: Misbehaving, proxy: LoopbackProxy, tmp_path: Path
) -> None:
    down = f"http://{USER}@127.0.0.1:{reserve_port()}"
    wrong = proxy.address.replace("://", "://operator:secret@")
    for scheme in ("http", "https"):
        url = f"{scheme}://{SITE}:{server.server_port}/data/x.csv"
        for address, words in ((down, "does not answer"), (wrong, "does not accept the user and password")):
            answer = fetch_file(url, tmp_path, limits(address))
            assert isinstance(answer.error, ProxyFailed)
            assert words in str(answer.error)
            assert not any(text in str(answer.to_json()) for text in ("operator", "pa%20ss", "pa ss", "secret"))


def test_a_proxy_must_be_an_address() -> None:
    for text in ("proxy:3128", "socks5://127.0.0.1:1080", "http://", "http://user:secret@host:99999"):
        with pytest.raises(SettingsError, match="PIPEROLL_PROXY") as raised:
            require_proxy(text)
        assert "secret" not in str(raised.value)
    require_proxy("")
    require_proxy("http://user:secret@proxy.example:3128")


def test_tls_goes_through_the_tunnel_to_the_site_itself(
    proxy: LoopbackProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate is that of the site, so a proxy cannot read or change what it forwards."""
    certificate = make_certificate(tmp_path, SITE)
    with Misbehaving() as site:
        site.use_tls(certificate)
        url = f"https://{SITE}:{site.server_port}/data/spend.csv"
        assert isinstance(fetch_file(url, tmp_path, limits(proxy.with_password)).error, SourceGone)
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
        answer = fetch_file(url, tmp_path, limits(proxy.with_password))
        assert answer.error is None
        assert answer.path is not None
        assert answer.path.read_bytes() == CSV
        assert proxy.requests[-1][0] == f"CONNECT {SITE}:{site.server_port}"
