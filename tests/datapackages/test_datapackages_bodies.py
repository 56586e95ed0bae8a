"""The register of bodies: public identifiers, found under the names that people use."""

import pytest

from piperoll import assets

KINDS = {"council", "department", "agency", "nhs", "police", "fire", "other"}


def test_the_register_loads_and_no_body_in_it_is_provisional():
    bodies = list(assets.register())
    assert len(bodies) >= 40
    assert not [body.slug for body in bodies if body.provisional]
    assert {body.kind for body in bodies} <= KINDS
    assert {body.licence for body in bodies} == {"OGL-UK-3.0"}


def test_departments_have_the_name_of_their_page_on_gov_uk():
    for body in assets.register():
        if body.id.startswith("GB-GOVUK-"):
            assert body.id == body.id.replace("-", "_").replace("GB_GOVUK_", "GB-GOVUK-")
            assert body.id.removeprefix("GB-GOVUK-").islower()


def test_councils_are_councils_by_their_code():
    for body in assets.register():
        assert (body.kind == "council") == body.id.startswith(("gss:E06", "gss:E07", "gss:E08", "gss:E09", "gss:E10"))


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
