"""Sessions: their cookie, how they begin and end, and what each try to abuse them gets."""

from __future__ import annotations

from piperoll.model import Role
from tests.fixtures.portal_client import PortalUnderTest


def test_without_a_session_there_is_nothing_but_the_page_to_sign_in(portal: PortalUnderTest) -> None:
    answer = portal.client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert portal.client().get("/sign-in").status_code == 200


def test_someone_with_one_body_starts_there(portal: PortalUnderTest) -> None:
    answer = portal.sign_in("anytown", Role.SUBMIT).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bodies/anytown/")


def test_a_choice_of_bodies_names_each(portal: PortalUnderTest) -> None:
    client = portal.sign_in("anytown", Role.SUBMIT)
    portal.sign_in("otherton", Role.DECIDE)
    page = client.get("/").text
    assert "/bodies/anytown/" in page
    assert "/bodies/otherton/" in page
