"""Sign-in with a real OpenID provider (npm oidc-provider): the whole flow, and what is tried against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from piperoll.model import Role, SubjectKind
from piperoll.operations.access import NewGrant, grant_access, revoke_access
from portal.settings import OpenIdSettings
from publishers.access import list_grants, read_access_log
from tests.fixtures.portal_client import ADDRESS, SECRET, Client, PortalUnderTest, open_portal
from tests.fixtures.sign_in_servers import OpenIdServer, openid_server

RETURN = f"{ADDRESS}sign-in/organisation/return"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdServer]:
    with openid_server(RETURN) as server:
        yield server


@pytest.fixture
def house(provider: OpenIdServer, tmp_path: Path) -> Iterator[PortalUnderTest]:
    openid = OpenIdSettings(provider.issuer, "piperoll", "s3cret of / the client", "Anytown")
    with open_portal(tmp_path / "store", openid=openid) as opened:
        yield opened


def grant(house: PortalUnderTest, kind: SubjectKind, name: str, body: str | None, *roles: Role) -> str:
    return grant_access(house.store, SECRET, NewGrant(kind, name, body, roles), by="a test").grant.id


def begin(client: Client, wanted: str = "/") -> str:
    answer = client.get("/sign-in/organisation", params={"next": wanted})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def sign_in(client: Client, provider: OpenIdServer, login: str, wanted: str = "/") -> httpx.Response:
    back = provider.sign_in(begin(client, wanted), login, RETURN)
    return client.get(back)  # type: ignore[no-any-return]


def test_a_person_signs_in_and_comes_to_the_page_that_was_asked_for(
    house: PortalUnderTest, provider: OpenIdServer
) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    answer = sign_in(client, provider, "officer", "/bodies/anytown/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bodies/anytown/")
    assert client.get("/").headers["Location"] == "/bodies/anytown/"


def test_a_domain_is_mapped_to_a_body(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.DOMAIN, "anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    assert sign_in(client, provider, "colleague").headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/bodies/anytown/"


def test_a_group_is_mapped_to_the_platform_also_without_an_address(
    house: PortalUnderTest, provider: OpenIdServer
) -> None:
    grant(house, SubjectKind.GROUP, "open-data-team", None, Role.OPERATE)
    client = house.client()
    sign_in(client, provider, "member")
    assert client.get("/").headers["Location"] == "/operator/queue"


def test_an_address_that_the_provider_has_not_verified_is_nobodys(
    house: PortalUnderTest, provider: OpenIdServer
) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    grant(house, SubjectKind.DOMAIN, "anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    assert sign_in(client, provider, "unverified").status_code == 403
    assert client.get("/").headers["Location"] == "/sign-in"


def test_a_group_named_like_a_body_gives_nothing(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    assert sign_in(house.client(), provider, "stranger").status_code == 403


def test_a_provider_may_change_its_keys(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    assert sign_in(house.client(), provider, "officer").status_code == 303
    provider.rotate_keys()
    assert sign_in(house.client(), provider, "officer").status_code == 303


def test_what_was_revoked_ends_for_live_sessions_at_once(house: PortalUnderTest, provider: OpenIdServer) -> None:
    given = grant(house, SubjectKind.DOMAIN, "anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    sign_in(client, provider, "colleague")
    assert client.get("/").headers["Location"] == "/bodies/anytown/"
    revoke_access(house.store, SECRET, given, by="a test")
    assert client.get("/").headers["Location"] == "/sign-in"


def test_the_request_has_pkce_state_and_nonce_and_names_nobody(house: PortalUnderTest) -> None:
    query = parse_qs(urlsplit(begin(house.client(), "/bodies/anytown/")).query)
    assert query["code_challenge_method"] == ["S256"]
    assert all(len(query[name][0]) >= 32 for name in ("state", "nonce", "code_challenge"))
    assert "anytown" not in str(query)


def test_an_answer_brought_to_another_browser_signs_nobody_in(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    attacker, victim = house.client(), house.client()
    back = provider.sign_in(begin(attacker), "officer", RETURN)
    assert victim.get(back).status_code == 403
    begin(victim)  # also if the victim has begun to sign in
    assert victim.get(back).status_code == 403
    assert victim.get("/").headers["Location"] == "/sign-in"


def test_an_answer_is_used_once(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    back = provider.sign_in(begin(client), "officer", RETURN)
    cookies = dict(client.cookies)
    assert client.get(back).status_code == 303
    again = house.client()
    again.cookies.update({name: value for name, value in cookies.items() if "openid" in name})
    assert again.get(back).status_code == 403


def test_an_answer_of_another_issuer_is_refused(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    back = provider.sign_in(begin(client), "officer", RETURN)
    assert "iss=" in back
    assert client.get(back.replace("iss=http", "iss=https")).status_code == 403


def test_an_answer_that_comes_too_late_is_refused(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    back = provider.sign_in(begin(client), "officer", RETURN)
    house.now += 601
    assert client.get(back).status_code == 403


def test_a_refusal_at_the_provider_is_a_page(house: PortalUnderTest) -> None:
    client = house.client()
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    answer = client.get("/sign-in/organisation/return", params={"error": "access_denied", "state": state})
    assert answer.status_code == 403
    assert "you could not be signed in" in answer.text.lower()


def test_a_provider_that_is_not_the_issuer_it_should_be_is_not_believed(provider: OpenIdServer, tmp_path: Path) -> None:
    openid = OpenIdSettings(provider.issuer.replace("127.0.0.1", "localhost"), "piperoll", "s3cret of / the client")
    with open_portal(tmp_path / "store", openid=openid) as house:
        assert house.client().get("/sign-in/organisation").status_code == 503


def test_a_provider_that_does_not_answer_is_said_to_be_away(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", openid=OpenIdSettings("http://127.0.0.1:9", "piperoll", "x")) as house:
        answer = house.client().get("/sign-in/organisation")
    assert answer.status_code == 503
    assert "try again later" in answer.text


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"]
)
def test_sign_in_leads_to_no_other_site(house: PortalUnderTest, provider: OpenIdServer, wanted: str) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    answer = sign_in(house.client(), provider, "officer", wanted)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_the_store_and_the_log_name_nobody(house: PortalUnderTest, provider: OpenIdServer) -> None:
    grant(house, SubjectKind.PERSON, "officer@anytown.example", "anytown", Role.SUBMIT)
    client = house.client()
    sign_in(client, provider, "officer")
    sign_in(house.client(), provider, "stranger")
    events = list(read_access_log(house.store))
    outcomes = {event.outcome for event in events if "return" in event.what}  # both have the same instant
    assert outcomes == {"303 organisation", "403 refused-organisation"}
    assert len(list(list_grants(house.store))) == 1
    kept = b"".join(house.store.read(key).content + key.encode() for key in house.store.keys("access/"))
    for word in (b"officer", b"stranger", b"elsewhere", b"@"):
        assert word not in kept
