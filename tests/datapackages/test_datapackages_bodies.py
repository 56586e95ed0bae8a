"""The register of bodies: public identifiers, found under the names that people use."""

import re

import pytest

from piperoll import assets
from piperoll.model import KINDS, Body, resolve_body, slugify

AREAS = {
    "council": r"gss:(E0[6-9]|E10|E47|E12|E61|W06|S12|N09)\d{6}|gss:[EWSN]\d{8}",
    "police": r"gss:(E23|W15)\d{6}",
}
REGIONS = {
    *("East Midlands", "East of England", "London", "North East", "North West", "South East", "South West"),
    *("West Midlands", "Yorkshire and The Humber", "Wales", "Scotland", "Northern Ireland"),
}


def names_of(body: Body) -> list[str]:
    short = [body.short_name] if body.short_name else []
    return [body.slug, body.id, body.name, *short, *body.former_names, *body.aliases, *body.same_as]


def test_the_register_loads_and_no_body_in_it_is_provisional():
    bodies = list(assets.register())
    assert len(bodies) >= 1_000
    assert not [body.slug for body in bodies if body.provisional]
    assert {body.licence for body in bodies} == {"OGL-UK-3.0"}


def test_every_body_has_a_title_a_kind_and_a_well_formed_identifier():
    for body in assets.register():
        assert body.name.strip() == body.name
        assert body.name != body.slug
        assert body.kind in KINDS
        assert re.fullmatch(r"GB-GOVUK-[a-z0-9_]+|GB-NHS-[A-Z0-9]+|gss:[EWSN]\d{8}", body.id, re.ASCII), body.id


def test_no_name_means_two_bodies():
    owner: dict[str, str] = {}
    for body in assets.register():
        for name in names_of(body):
            assert owner.setdefault(slugify(name), body.slug) == body.slug, name


def test_every_alias_says_something_new():
    for body in assets.register():
        keys = [slugify(name) for name in names_of(body)[1:]]
        repeated = sorted({key for key in keys[3:] if keys.count(key) > 1})
        assert not repeated, body.slug


def test_areas_and_regions_are_of_the_kind_of_body():
    for body in assets.register():
        assert body.region is None or body.region in REGIONS, body.slug
        if body.id.startswith("gss:"):
            assert body.area_code == body.id.removeprefix("gss:")
            assert re.fullmatch(AREAS[body.kind], body.id), body.slug


def test_successors_are_in_the_register_and_come_after():
    bodies = {body.slug: body for body in assets.register()}
    for body in bodies.values():
        assert body.valid_to is not None or not body.successor, body.slug
        assert set(body.successor) <= bodies.keys(), body.slug


def test_only_bodies_that_are_expected_owe_anything():
    register = assets.register()
    expected = {body.slug for body in register.expected}
    assert {"hmt", "leeds", "barts-health"} <= expected
    assert len(expected) < len(register.bodies) / 2


def test_departments_have_the_name_of_their_page_on_gov_uk():
    for body in assets.register():
        if body.id.startswith("GB-GOVUK-"):
            assert body.id == body.id.replace("-", "_").replace("GB_GOVUK_", "GB-GOVUK-")
            assert body.id.removeprefix("GB-GOVUK-").islower()


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("DCMS", "dcms"),
        ("Department for Digital, Culture, Media & Sport", "dcms"),
        ("foreign office", "fcdo"),
        ("FCO", "fco"),
        ("moj", "moj"),
        ("Ministry of Justice", "moj"),
        ("HMRC", "hmrc"),
        ("her majesty's revenue & customs", "hmrc"),
        ("the treasury", "hmt"),
        ("DLUHC", "mhclg"),
        ("Department for Communities and Local Government", "mhclg"),
        ("Highways England", "national-highways"),
        ("leeds", "leeds"),
        ("LEEDS CITY COUNCIL", "leeds"),
        ("E08000035", None),
        ("gss:e08000035", "leeds"),
        ("Barts Health NHS Trust", "barts-health"),
        ("Lancashire PCC", "lancashire-pcc"),
        ("Borough of Little Sampling", None),
    ],
)
def test_a_body_is_resolved_by_what_people_call_it(text, slug):
    found = resolve_body(text, assets.register()).body
    assert (found.slug if found else None) == slug


@pytest.mark.parametrize(
    ("sender", "identifier"),
    [
        ("hmt", "GB-GOVUK-hm_treasury"),
        ("HM Treasury", "GB-GOVUK-hm_treasury"),
        ("department-for-education", "GB-GOVUK-department_for_education"),
        ("Leeds City Council", "gss:E08000035"),
        ("gss:E08000035", "gss:E08000035"),
        ("Barts Health NHS Trust", "GB-NHS-R1H"),
        ("hyndburn-council", "gss:E07000120"),
    ],
)
def test_a_body_is_found_under_any_of_its_names(sender, identifier):
    assert assets.register().find(sender).id == identifier


def test_an_unregistered_sender_gets_a_provisional_body():
    assert assets.register().find("Borough of Little Sampling").provisional
