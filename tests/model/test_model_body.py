"""Bodies are found by every name that people use, and a name that is nobody's gets the closest few."""

from datetime import date

import pytest

from piperoll.errors import DescriptorError
from piperoll.model import Body, Register, resolve_body

LEEWARD = Body(
    "gss:E07000901",
    "leeward",
    "Leeward District Council",
    "council",
    aliases=("Leeward Council",),
    same_as=("GB-LAE-LWD",),
    region="South West",
    area_code="E07000901",
)
RAIN = Body(
    "GB-GOVUK-department_for_rainy_days",
    "dfrd",
    "Department for Rainy Days & Storms",
    "department",
    short_name="DfRD",
    former_names=("Ministry of Weather",),
    valid_from=date(2012, 4, 1),
)
LEASE = Body("GB-GOVUK-leasing_office", "leasing-office", "Leasing Office", "agency", short_name="LEASE")
REGISTER = Register((LEEWARD, RAIN, LEASE))


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        *(("leeward", "leeward"), ("LEEWARD COUNCIL", "leeward"), ("leeward district council", "leeward")),
        *(("gss:E07000901", "leeward"), ("GB-LAE-LWD", "leeward"), ("The Leeward Council", "leeward")),
        *(("dfrd", "dfrd"), ("DFRD", "dfrd"), ("ministry of weather", "dfrd")),
        *(("Department for Rainy Days and Storms", "dfrd"), ("department for rainy days & storms", "dfrd")),
        *(("lease", "leasing-office"), ("LEASE", "leasing-office")),
    ],
)
def test_a_body_is_resolved_by_any_of_its_names(text, slug):
    assert resolve_body(text, REGISTER).body.slug == slug


@pytest.mark.parametrize(
    ("text", "closest"), [("Leewerd Council", "leeward"), ("ministry of wether", "dfrd"), ("zebra", None)]
)
def test_a_wrong_name_gets_the_closest_bodies(text, closest):
    match = resolve_body(text, REGISTER)
    assert match.body is None
    assert [body.slug for body in match.suggestions][:1] == ([closest] if closest else [])


def test_a_provisional_body_that_has_sent_something_is_found_by_its_slug():
    match = resolve_body("Parish of Nowhere", REGISTER, known=["parish-of-nowhere"])
    assert match.body == Body.provisional_for("parish-of-nowhere")
    assert resolve_body("Parish of Nowhere", REGISTER).body is None


def test_bodies_that_have_sent_something_are_suggested_first():
    match = resolve_body("leewards", REGISTER, known=["leewardsea"])
    assert [body.slug for body in match.suggestions][:2] == ["leewardsea", "leeward"]


def test_a_slug_that_has_sent_something_is_not_taken_for_the_alias_of_another_body():
    match = resolve_body("leeward-council", REGISTER, known=["leeward-council"])
    assert match.body.slug == "leeward-council"
    assert match.body.provisional


def test_a_short_name_in_a_file_counts_only_as_it_is_written():
    assert REGISTER.recognise("LEASE") == LEASE
    assert REGISTER.recognise("Lease") is None
    assert REGISTER.recognise("dfrd") == RAIN


def test_an_operators_body_takes_over_the_names_that_it_shares_with_ours():
    own = Body("gss:E07000902", "leeward-council", "Leeward Council", "council", aliases=("GB-LAE-LWD",))
    register = REGISTER.with_bodies([own])
    assert register.find("Leeward Council") == own
    assert register.find("leeward").name == "Leeward District Council"
    assert register.find("GB-LAE-LWD") == own


def test_an_operators_body_with_the_identifier_of_ours_replaces_it():
    own = Body(LEEWARD.id, "leeward-dc", "Leeward DC", "council")
    assert [body.slug for body in REGISTER.with_bodies([own])] == ["dfrd", "leasing-office", "leeward-dc"]


def test_two_bodies_under_one_name_are_refused():
    with pytest.raises(DescriptorError, match="two bodies under 'leeward-council'"):
        Register((LEEWARD, Body("gss:E07000903", "other", "Other", "council", aliases=("Leeward Council",))))


@pytest.mark.parametrize("kind", ["town", ""])
def test_a_kind_that_there_is_not_is_refused(kind):
    with pytest.raises(DescriptorError, match="is no kind of body"):
        Body("gss:E07000903", "other", "Other", kind)


def test_an_area_code_is_a_gss_code():
    with pytest.raises(DescriptorError, match="GSS code"):
        Body("gss:E07000903", "other", "Other", "council", area_code="LWD")


@pytest.mark.parametrize("body", [LEEWARD, RAIN, LEASE, Body.provisional_for("Parish of Nowhere")])
def test_a_body_is_read_back_from_its_document(body):
    assert Body.from_document(body.to_document()) == body
    assert body.to_document()["provisional"] == body.provisional


def test_only_expected_bodies_are_expected():
    known = Body("gss:E07000904", "known", "Known Council", "council", expected=False)
    assert list(Register((LEEWARD, known)).expected) == [LEEWARD]
