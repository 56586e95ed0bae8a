"""A body never reads or touches what is another's: over roles, bodies and all routes, and by crawling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piperoll.model import Role, SubjectKind
from piperoll.operations.access import NewGrant, grant_access
from portal.app import walk_routes
from portal.sessions import guard, guard_form
from tests.fixtures import portal_routes
from tests.fixtures.portal_client import ADDRESS, SECRET, Client, PortalUnderTest

BODIES = ("anytown", "otherton", "anytown-2", "any")
HREF = re.compile(r'(?:href|action)="([^"]+)"')
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\?#%."), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> PortalUnderTest:
    portal = PortalUnderTest(tmp_path_factory.mktemp("portal") / "store")
    portal.app.include_router(portal_routes.router)
    return portal


@pytest.fixture(scope="module")
def people(house: PortalUnderTest) -> dict[frozenset[tuple[str | None, Role]], Client]:
    """Clients by what they were granted, made when they are first wanted."""
    return {}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every path and method of an application, the probes among them."""
    return sorted((path, method) for path, methods, _ in walk_routes(app) for method in methods - {"HEAD", "OPTIONS"})


def is_public(app: FastAPI, path: str) -> bool:
    return any(getattr(endpoint, "is_public", False) for each, _, endpoint in walk_routes(app) if each == path)


def takes_key(app: FastAPI, path: str) -> bool:
    return any(getattr(endpoint, "takes_key", False) for each, _, endpoint in walk_routes(app) if each == path)


def fill(path: str, body: str, name: str) -> str:
    return re.sub(r"\{[^}]+\}", name, path.replace("{body}", body))


grants = st.frozensets(
    st.one_of(
        st.tuples(st.sampled_from(BODIES), st.sampled_from([Role.SUBMIT, Role.DECIDE])),
        st.just((None, Role.OPERATE)),
    ),
    max_size=4,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), given_to=grants, body=st.sampled_from(BODIES), name=NAMES)
def test_no_role_at_any_body_opens_a_route_of_another_body(
    house: PortalUnderTest,
    people: dict[frozenset[tuple[str | None, Role]], Client],
    data: st.DataObject,
    given_to: frozenset[tuple[str | None, Role]],
    body: str,
    name: str,
) -> None:
    path, method = data.draw(st.sampled_from([each for each in routes(house.app) if each[0] != "/sign-out"]))
    if given_to not in people:
        email = f"person{len(people)}@anytown.example"
        for at, role in given_to:
            grant_access(house.store, SECRET, NewGrant(SubjectKind.PERSON, email, at, (role,)), by="a test")
        people[given_to] = house.session(email) if given_to else house.client()
    client = people[given_to]
    before = len(portal_routes.done)
    answer = client.request(
        method, fill(path, body, name), data={"csrf": client.csrf} if method != "GET" else None, params={"body": body}
    )
    bodies = {at for at, _ in given_to}
    if not given_to and not is_public(house.app, path):
        assert answer.status_code in (303, 401), answer.text
        assert answer.status_code == 401 or answer.headers["Location"].startswith("/sign-in")
    elif takes_key(house.app, path):
        assert answer.status_code == 401  # a session is no key
    elif None not in bodies and body not in bodies:
        assert answer.status_code == 404, answer.text
        assert "the probe of" not in answer.text
    if None not in bodies and body not in bodies:
        assert len(portal_routes.done) == before
    if path.startswith("/operator/") and None not in bodies:
        assert answer.status_code in (303, 401, 403, 404)


def test_what_is_another_bodys_answers_like_what_does_not_exist(house: PortalUnderTest) -> None:
    client = house.sign_in("otherton", Role.SUBMIT, email="same@otherton.example")
    for path, method in routes(house.app):
        if "{body}" in path and not takes_key(house.app, path):
            data = {"csrf": client.csrf} if method != "GET" else None
            theirs = client.request(method, fill(path, "anytown", "x"), data=data)
            nobodys = client.request(method, fill(path, "no-such-body", "x"), data=data)
            assert (theirs.status_code, theirs.text) == (404, nobodys.text)


def test_every_route_has_the_guard(house: PortalUnderTest) -> None:
    """Also those that other modules add: nothing is mounted beside the guard, and no form is read before it."""

    def walk(found: list[object]) -> Iterator[object]:
        for route in found:
            inner = getattr(route, "original_router", None)
            yield from walk(inner.routes) if inner is not None else [route]

    assert {one.dependency for one in house.app.router.dependencies} == {guard, guard_form}
    for route in walk(list(house.app.routes)):
        assert type(route).__name__ == "APIRoute", route
        assert route.body_field is None, f"{route}: take what was sent with Depends(sent_form)"  # type: ignore[attr-defined]


def test_a_change_without_the_token_of_the_session_is_refused_on_every_route(house: PortalUnderTest) -> None:
    client = house.sign_in("anytown", email="csrf@anytown.example")
    other = house.sign_in(None, Role.OPERATE, email="csrf-operator@anytown.example")
    before = list(portal_routes.done)
    for path, method in routes(house.app):
        if method == "GET" or is_public(house.app, path) or takes_key(house.app, path):
            continue
        for user in (client, other):
            address = fill(path, "anytown", "x")
            for token in (None, "", "guess", "0" * 32):
                data = {} if token is None else {"csrf": token}
                assert user.request(method, address, data=data).status_code in (403, 404), path
                files = {"file": ("a.csv", b"a,b")}
                assert user.request(method, address, data=data, files=files).status_code in (403, 404), path
            as_json = user.request(method, address, json={"csrf": user.csrf})
            assert as_json.status_code in (403, 404), path
    assert portal_routes.done == before


def crawl(client: Client, start: str, most: int = 400) -> dict[str, str]:
    """Every page that can be reached by links and the addresses of forms, with its text."""
    seen: dict[str, str] = {}
    waiting = [start]
    while waiting and len(seen) < most:
        address = waiting.pop()
        if address in seen:
            continue
        answer = client.get(address)
        seen[address] = answer.text
        found = [answer.headers["Location"]] if answer.is_redirect else HREF.findall(answer.text)
        for each in found:
            full = urljoin(urljoin(ADDRESS, address), each.replace("&amp;", "&"))
            if full.startswith(ADDRESS) and "/sign-out" not in full:
                parts = urlsplit(full)
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    return seen


def test_a_crawl_with_another_bodys_session_sees_nothing(house: PortalUnderTest, tmp_path: Path) -> None:
    ours = house.sign_in("anytown", email="crawl@anytown.example")
    theirs = house.sign_in("otherton", email="crawl@otherton.example")
    pages = crawl(ours, "/bodies/anytown/probe") | crawl(ours, "/")
    pages |= {fill(path, "anytown", "x"): "" for path, method in routes(house.app) if method == "GET"}
    of_body = [address for address in pages if "/bodies/anytown" in address]
    assert "the probe of anytown" in pages["/bodies/anytown/probe"] or of_body
    for address in of_body:
        answer = theirs.get(address)
        assert answer.status_code == 404, address
        assert "anytown" not in answer.text
    for address, text in crawl(theirs, "/").items():
        assert "/bodies/anytown" not in address
        assert "anytown" not in text
