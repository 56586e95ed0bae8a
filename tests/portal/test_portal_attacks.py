"""What is tried against sessions, forms, addresses, headers, keys and uploads."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from hosting.limits import ApiLimits
from piperoll.model import Role, SubjectKind
from piperoll.operations.access import NewGrant, grant_access, revoke_access
from portal.app import one_time_address
from portal.rates import LOCK_FAILURES, LOCK_SECONDS
from portal.sessions import Session, session_signer, signer
from portal.settings import LocalSignIn
from publishers.access import read_access_log
from tests.fixtures import portal_routes
from tests.fixtures.portal_client import SECRET, Client, PortalUnderTest, open_portal, served
from tests.fixtures.waiting import PATIENCE_SECONDS

OWN = "/bodies/anytown/probe"
FILE = {"file": ("October.csv", b"a,b\n1,2\n")}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PortalUnderTest]:
    with open_portal(tmp_path / "store") as opened:
        yield with_probes(opened)


@pytest.fixture
def officer(house: PortalUnderTest) -> Client:
    return house.sign_in("anytown")


def with_probes(house: PortalUnderTest) -> PortalUnderTest:
    portal_routes.done.clear()
    house.app.include_router(portal_routes.router)
    return house


def new_key(house: PortalUnderTest, body: str = "anytown") -> tuple[str, str]:
    made = grant_access(house.store, SECRET, NewGrant(SubjectKind.KEY, "", body, (Role.SUBMIT,)), by="a test")
    assert made.key is not None
    return made.key, made.grant.id


def put(house: PortalUnderTest, key: str, body: str = "anytown", **headers: str) -> int:
    given = {"Authorization": f"Bearer {key}", **headers}
    return int(house.client().put("/probe/machine", params={"body": body}, headers=given).status_code)


# --- Forms that other sites send ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://portal.example.evil.example"},
        {"Origin": "https://portal.example"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_token(officer: Client, headers: dict[str, str]) -> None:
    assert officer.post(OWN, data={"csrf": officer.csrf}, headers=headers).status_code == 403
    assert portal_routes.done == []


def test_a_form_of_our_own_is_taken(officer: Client) -> None:
    headers = {"Origin": "http://portal.example", "Sec-Fetch-Site": "same-origin"}
    assert officer.post(OWN, data={"csrf": officer.csrf}, headers=headers).status_code == 200
    assert officer.post("/bodies/anytown/probe-file", data={"csrf": officer.csrf}, files=FILE).status_code == 200
    assert len(portal_routes.done) == 2


def test_the_token_of_someone_elses_session_is_refused(house: PortalUnderTest, officer: Client) -> None:
    other = house.client()
    session = Session("another", "someone", "b@anytown.example", ("person:x",), "their own token", house.now)
    other.cookies.set("piperoll", str(session_signer(house.settings).dumps({**session.content(), "seen": house.now})))
    assert officer.post(OWN, data={"csrf": session.csrf}).status_code == 403


def test_another_site_cannot_sign_someone_in_or_out(house: PortalUnderTest, officer: Client) -> None:
    headers = {"Origin": "https://evil.example"}
    assert house.client().post("/sign-in/link", data={"token": "x"}, headers=headers).status_code == 403
    assert officer.post("/sign-out", data={"csrf": officer.csrf}, headers=headers).status_code == 403
    assert officer.get("/").headers["Location"] == "/bodies/anytown/"


# --- Sessions -------------------------------------------------------------------------------------------------------


def one_time(house: PortalUnderTest) -> str:
    address = one_time_address(house.app)
    return address.partition("token=")[2]


def test_a_session_that_an_attacker_planted_is_not_the_one_after_sign_in(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", local=LocalSignIn("anytown")) as house:
        client = house.sign_in("otherton", email="attacker@otherton.example")
        planted = client.cookies["piperoll"]
        answer = client.post("/sign-in/link", data={"token": one_time(house), "csrf": client.csrf})
        after = session_signer(house.settings).loads(client.cookies["piperoll"])
        before = session_signer(house.settings).loads(planted)
        assert answer.status_code == 303
        assert {before["id"], before["csrf"]}.isdisjoint({after["id"], after["csrf"]})
        assert client.get("/").headers["Location"] == "/bodies/anytown/"


def test_a_cookie_that_we_did_not_sign_is_no_session(house: PortalUnderTest, officer: Client) -> None:
    good = officer.cookies["piperoll"]
    content = session_signer(house.settings).loads(good)
    forged = [
        good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        good.partition(".")[0],
        str(session_signer(replace(house.settings, secret=b"the secret of another portal")).dumps(content)),
        str(signer(house.settings, "piperoll openid").dumps(content)),
        json.dumps(content),
        str(session_signer(house.settings).dumps(["a", "list"])),
        str(session_signer(house.settings).dumps({**content, "admin": True})),
        "",
    ]
    for cookie in forged:
        client = house.client()
        client.cookies.set("piperoll", cookie)
        assert client.get("/").headers["Location"] == "/sign-in", cookie


def test_a_session_ends_after_half_an_hour_without_a_request(house: PortalUnderTest, officer: Client) -> None:
    for _ in range(3):
        house.now += 29 * 60
        assert officer.get(OWN).status_code == 200
    house.now += 30 * 60 + 1
    assert officer.get(OWN).status_code == 303


def test_a_session_ends_after_a_working_day_whatever_is_done(house: PortalUnderTest, officer: Client) -> None:
    for _ in range(19):
        house.now += 25 * 60
        assert officer.get(OWN).status_code == 200
    house.now += 10 * 60
    assert officer.get(OWN).status_code == 303


def test_a_copy_of_a_cookie_is_worth_nothing_after_sign_out(house: PortalUnderTest, officer: Client) -> None:
    copied = officer.cookies["piperoll"]
    officer.post_form("/sign-out")
    thief = house.client()
    thief.cookies.set("piperoll", copied)
    assert thief.get(OWN).status_code == 303
    assert thief.post(OWN, data={"csrf": officer.csrf}).status_code == 401


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", address="https://portal.example/", local=LocalSignIn("anytown")) as house:
        answer = house.client().post("/sign-in/link", data={"token": one_time(house)})
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-piperoll=")
        assert {"HttpOnly", "SameSite=Lax", "Secure", "Path=/"} <= set(cookie.split("; "))
        assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_the_printed_address_signs_in_once(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", local=LocalSignIn("anytown")) as house:
        token = one_time(house)
        assert house.client().get("/sign-in/link", params={"token": token}).status_code == 200
        assert house.client().post("/sign-in/link", data={"token": token}).status_code == 303
        assert house.client().post("/sign-in/link", data={"token": token}).status_code == 403


def test_a_session_of_the_printed_address_is_none_for_a_portal_without_it(
    house: PortalUnderTest, tmp_path: Path
) -> None:
    with open_portal(house.folder, local=LocalSignIn("anytown", operate=True)) as local:
        client = local.client()
        client.post("/sign-in/link", data={"token": one_time(local)})
    served = house.client()
    served.cookies.update(client.cookies)
    assert served.get("/operator/probe").status_code == 303


def test_a_role_at_one_body_is_none_at_another(house: PortalUnderTest) -> None:
    house.sign_in("anytown", Role.SUBMIT, email="both@anytown.example")
    client = house.sign_in("otherton", Role.DECIDE, email="both@anytown.example")
    assert client.post_form("/bodies/otherton/probe").status_code == 200
    assert client.post_form("/bodies/anytown/probe").status_code == 403


def test_a_grant_ends_on_its_last_day(house: PortalUnderTest) -> None:
    last = "2026-11-30"
    wanted = NewGrant(SubjectKind.PERSON, "short@anytown.example", "anytown", (Role.SUBMIT,), until=last)
    grant_access(house.store, SECRET, wanted, by="a test")
    house.now = 1796083200 - 60  # a minute before the 1st of December 2026, UTC
    client = house.session("short@anytown.example")
    assert client.get(OWN).status_code == 200
    house.now += 120
    assert client.get(OWN).status_code == 303


# --- Addresses and headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/bodies/anytown/../otherton/probe",
        "/bodies/anytown/%2e%2e/otherton/probe",
        "/bodies/anytown%2f..%2fotherton/probe",
        "/bodies/anytown%2fotherton/probe",
        "/bodies/anytown/..%2fotherton/probe",
        "/bodies/otherton;anytown/probe",
        "/bodies/otherton%00anytown/probe",
        "/bodies/OTHERTON/probe",
        "/bodies/otherton%20/probe",
        "/bodies/otherton./probe",
        "/bodies//otherton/probe",
        "//bodies/otherton/probe",
        "/bodies/%6ftherton/probe",
        "/bodies/%256ftherton/probe",
        "/bodies/otherton/probe?body=anytown",
        "/bodies/anytown/probe?body=otherton",
        "/bodies/anytown/probe?body=anytown&body=otherton",
        "/bodies/anytown/probe/../../otherton/probe",
    ],
)
def test_no_spelling_of_an_address_leads_to_another_body(officer: Client, path: str) -> None:
    scope_path = officer.get("http://portal.example" + path)
    assert scope_path.status_code in (303, 404), path
    assert "otherton" not in scope_path.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Original-URL": "/operator/probe"},
        {"X-Rewrite-URL": "/operator/probe"},
        {"X-HTTP-Method-Override": "POST"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Prefix": "/operator"},
        {"X-Remote-User": "operator"},
        {"X-Forwarded-User": "operator"},
        {"Authorization": "Basic b3BlcmF0b3I6"},
    ],
)
def test_no_header_makes_someone_else_of_a_session(officer: Client, headers: dict[str, str]) -> None:
    assert officer.get(OWN, headers=headers).text == "the probe of anytown"
    assert officer.get("/operator/probe", headers=headers).status_code == 403
    assert portal_routes.done == []


def test_a_false_host_leads_no_one_to_another_site(house: PortalUnderTest, officer: Client) -> None:
    answer = officer.get("/", headers={"Host": "evil.example"})
    assert answer.headers["Location"] == "/bodies/anytown/"
    assert "evil" not in house.client().get(OWN, headers={"Host": "evil.example"}).headers["Location"]


def test_every_answer_has_the_headers_that_protect_it(house: PortalUnderTest, officer: Client) -> None:
    for answer in (
        officer.get(OWN),
        officer.get("/nothing"),
        house.client().get("/sign-in"),
        officer.get("/probe/fault"),
    ):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_fault_of_ours_reveals_nothing(officer: Client) -> None:
    answer = officer.get("/probe/fault")
    assert answer.status_code == 500
    assert not re.search(r"RuntimeError|officer@|Traceback|File \"", answer.text)


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_key_sends_for_its_own_body_only(house: PortalUnderTest) -> None:
    key, _ = new_key(house)
    assert put(house, key) == 200
    assert put(house, key, "otherton") == 404
    assert house.client().put("/probe/machine?body=anytown").status_code == 401
    assert portal_routes.done == ["anytown by a machine"]


def test_a_key_that_was_revoked_is_worth_nothing_at_once(house: PortalUnderTest) -> None:
    key, grant = new_key(house)
    assert put(house, key) == 200
    revoke_access(house.store, SECRET, grant, by="a test")
    assert put(house, key) == 401


def test_a_key_opens_no_page_and_a_session_sends_no_file_for_a_machine(house: PortalUnderTest, officer: Client) -> None:
    key, _ = new_key(house)
    assert house.client().get(OWN, headers={"Authorization": f"Bearer {key}"}).status_code == 303
    assert officer.put("/probe/machine?body=anytown").status_code == 401


def test_the_hash_of_a_key_is_no_key(house: PortalUnderTest) -> None:
    key, _ = new_key(house)
    kept = list(house.store.keys("access/"))
    assert all(key not in name and key.encode() not in house.store.read(name).content for name in kept)
    digest = next(name for name in kept if "/key/" in name).rpartition("/")[2].removesuffix(".json")
    assert put(house, digest) == 401
    assert put(house, f"piperoll_{digest}") == 401


def test_who_guesses_keys_is_locked_out_also_with_a_forged_forwarded_address(house: PortalUnderTest) -> None:
    key, _ = new_key(house)
    for number in range(LOCK_FAILURES):
        assert put(house, f"piperoll_guess{number}", **{"X-Forwarded-For": f"10.0.0.{number}"}) == 401
    assert put(house, key, **{"X-Forwarded-For": "10.9.9.9"}) == 429
    house.now += LOCK_SECONDS + 1
    assert put(house, key) == 200


def test_behind_a_proxy_only_what_the_proxy_adds_is_believed(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", proxies=1) as opened:
        house = with_probes(opened)
        key, _ = new_key(house)
        for number in range(LOCK_FAILURES):
            assert put(house, "piperoll_no", **{"X-Forwarded-For": f"10.0.0.{number}, 192.0.2.7"}) == 401
        assert put(house, key, **{"X-Forwarded-For": "192.0.2.8, 192.0.2.7"}) == 429
        assert put(house, key, **{"X-Forwarded-For": "192.0.2.7, 192.0.2.8"}) == 200


# --- Too much, too often --------------------------------------------------------------------------------------------


def test_an_account_that_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", per_account=20) as opened:
        house = with_probes(opened)
        hasty, other = house.sign_in("anytown"), house.sign_in("otherton", email="other@otherton.example")
        answers = [hasty.get(OWN) for _ in range(25)]
        assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 5
        assert answers[-1].headers["Retry-After"] == "3"
        assert other.get("/bodies/otherton/probe").status_code == 200
        house.now += 3
        assert hasty.get(OWN).status_code == 200


def test_an_address_that_asks_too_often_is_told_so_before_anything_is_read(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", per_address=30) as house:
        answers = [house.client().get("/sign-in").status_code for _ in range(40)]
    assert answers == [200] * 30 + [429] * 10


def test_a_form_that_is_too_large_is_refused(officer: Client) -> None:
    assert officer.post(OWN, data={"csrf": officer.csrf, "x": "y" * 300_000}).status_code == 413
    endless = (b"x=" + b"y" * 1000 for _ in range(10))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert officer.post(OWN, content=endless, headers=headers).status_code == 413
    assert officer.post(OWN, data={"csrf": officer.csrf} | {f"f{n}": "" for n in range(3000)}).status_code == 400
    assert portal_routes.done == []


def test_a_file_that_is_too_large_is_refused_and_a_strangers_is_not_read(tmp_path: Path) -> None:
    with open_portal(tmp_path / "store", limits=ApiLimits(check_bytes=50_000)) as opened:
        house = with_probes(opened)
        client, large = house.sign_in("anytown"), {"file": ("x.csv", b"x" * 200_000)}
        path = "/bodies/anytown/probe-file"
        assert client.post(path, data={"csrf": client.csrf}, files=large).status_code == 413
        assert house.client().post(path, files=large).status_code == 401
        assert client.post(path, data={"csrf": client.csrf}, files=FILE).status_code == 200
        many = [("file", (f"{n}.csv", b"x")) for n in range(5)]
        assert client.post(path, data={"csrf": client.csrf}, files=many).status_code == 400
    assert portal_routes.done == ["anytown: 8"]


def send_slowly(port: int, head: str, piece: bytes) -> bytes:
    """Send a request whose body comes byte by byte, as long as nothing comes back; return what does."""
    end = time.monotonic() + PATIENCE_SECONDS
    with socket.create_connection(("127.0.0.1", port), timeout=0.2) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + piece)
        answer = b""
        while time.monotonic() < end and b"\r\n\r\n" not in answer:
            with suppress(OSError):  # the server has ended the connection: its answer can still be read
                connection.sendall(b"x")
            try:
                answer += connection.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
    return answer


def test_uploads_and_forms_that_trickle_in_are_ended(tmp_path: Path) -> None:
    """From strangers too, who can send nothing but the forms of signing in."""
    limits = ApiLimits(patience_seconds=1.0, least_rate=100_000)
    with open_portal(tmp_path / "store", limits=limits) as opened:
        house = with_probes(opened)
        officer = house.sign_in("anytown")
        cookie = f"Cookie: piperoll={officer.cookies['piperoll']}\nHost: portal.example\nContent-Length: 50000\n"
        form = "Content-Type: application/x-www-form-urlencoded\n\n"
        file = "Content-Type: multipart/form-data; boundary=b\n\n"
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        with served(house) as port:
            for head, piece in (
                (f"POST /sign-in/email HTTP/1.1\nHost: portal.example\nContent-Length: 50000\n{form}", b"email="),
                (f"POST {OWN} HTTP/1.1\n{cookie}{form}", b"csrf="),
                (f"POST /bodies/anytown/probe-file HTTP/1.1\n{cookie}{file}", part),
            ):
                answer = send_slowly(port, head, piece)
                assert answer.startswith(b"HTTP/1.1 408"), (head, answer)
    assert portal_routes.done == []


def test_a_stranger_who_sends_a_file_is_answered_before_it_has_arrived(house: PortalUnderTest) -> None:
    head = "POST /bodies/anytown/probe-file HTTP/1.1\nHost: portal.example\nContent-Length: 40000000\n"
    with served(house) as port:
        answer = send_slowly(port, f"{head}Content-Type: multipart/form-data; boundary=b\n\n", b"--b\r\n")
    assert answer.startswith(b"HTTP/1.1 401")


# --- The log --------------------------------------------------------------------------------------------------------


def test_the_log_says_who_did_what_and_is_never_changed(house: PortalUnderTest, officer: Client) -> None:
    officer.post_form(OWN)
    first = {key: house.store.read(key).content for key in house.store.keys("access/log/")}
    officer.get("/bodies/otherton/probe")
    officer.get(OWN)
    house.client().post(OWN)
    events = [event for event in read_access_log(house.store) if event.what != "grant"]
    assert sorted((event.what, event.subject, event.outcome) for event in events) == [
        ("GET /bodies/{body}/probe", "body=otherton", "404"),
        ("POST /bodies/{body}/probe", "body=anytown", "200"),
    ]
    assert len({event.who for event in events}) == 1
    assert all(house.store.read(key).content == content for key, content in first.items())


def test_the_log_holds_no_names_that_someone_writes_into_an_address(house: PortalUnderTest, officer: Client) -> None:
    officer.post_form("/bodies/anytown/forgetful/Jane Example <jane@example.org>")
    assert b"Jane" not in b"".join(house.store.read(key).content for key in house.store.keys("access/log/"))
