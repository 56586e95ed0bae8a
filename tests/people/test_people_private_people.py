"""Names: a private person's is held, a firm's is not, and the doubtful ones are settled here."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.people.lists import privacy_lists
from piperoll.people.private_people import is_clearly_organisation, person_rule
from tests.fixtures.made_up_people import DECORATIONS, SPELLINGS, NamesOfOrigin, names_of_the_world

GIVEN = sorted(privacy_lists().given_names)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Mrs J Smith", "titled-name"),
        ("MR SMITH", "titled-name"),
        ("Mr & Mrs Smith", "titled-name"),
        ("MISS A B JONES", "titled-name"),
        ("Dr. Patel", "titled-name"),
        ("SMITH JOHN MR", "titled-name"),
        ("Smith, Mrs", "titled-name"),
        ("mrs jane smith", "titled-name"),
        ("mr john smith", "titled-name"),
        ("dr a patel", "titled-name"),
        ("Ms. jane doe", "titled-name"),
        ("Mr and Mrs smith", "titled-name"),
        ("MR.SMITH", "titled-name"),
        ("Professor Jane Smith", "titled-name"),
        ("Sir John Smith", "titled-name"),
        ("Councillor Smith", "titled-name"),
        ("Anytown Services (Mr John Smith)", "titled-name"),
        ("Estate of Jane Smith", "titled-name"),
        ("Executors of the late Jane Smith", "titled-name"),
        ("Jane Smith (deceased)", "titled-name"),
        ("Siobhan O\u2019Brien", "full-name"),
        ("Jane Smith 12345", "full-name"),
        ("JANE \u00a0SMI\u200bTH", "full-name"),
        ("Jane Smith OBE", "full-name"),
        ("Jane Smith KC", "full-name"),
        ("Jane & John Smith", "full-name"),
        ("Oluwaseun Adeyemi", "full-name"),
        ("TRAN THI HUONG", "full-name"),
        ("Park, Ji-won", "full-name"),
        ("Faith Mwangi", "full-name"),
        ("Charity Wanjiru", "full-name"),
        ("Nguyen Van Ta", "full-name"),
        ("Maria de los Santos Reyes", "full-name"),
        ("Иван Петров", "full-name"),
        ("H.M. Mutua", "surname-initial"),
        ("T Le", "surname-initial"),
        ("PW Fairweather", "surname-initial"),
        ("J SMITH", "surname-initial"),
        ("J. Smith", "surname-initial"),
        ("J.A. Smith", "surname-initial"),
        ("SMITH J", "surname-initial"),
        ("Smith, J A", "surname-initial"),
        ("O'Brien P", "surname-initial"),
        ("A & B Jones", "surname-initial"),
        ("PAYPAL *J SMITH", "surname-initial"),
        ("John Green", "full-name"),
        ("SARAH JANE WOODS", "full-name"),
        ("Khan, Mohammed", "full-name"),
        ("Mary Church", "full-name"),
        ("jane.smith", "full-name"),
        ("SMITH/JANE", "full-name"),
        ("smith_jane", "full-name"),
        ("jane_smith84", "full-name"),
        ("jane.a.smith", "full-name"),
        ("Smith|Jane", "full-name"),
        ("JANE+SMITH", "full-name"),
        ("Jane\u00b7Smith", "full-name"),
        ("Jane-Smith", "full-name"),
        ("JaneSmith", "full-name"),
        ("o'brien.siobhan", "full-name"),
        ("priya.raghunathan", "full-name"),
        ("mohammed.al-hassan", "full-name"),
        ("Jane Smith T/A", "full-name"),
    ],
)
def test_a_private_persons_name_is_seen(name: str, rule: str) -> None:
    assert person_rule(name) == rule


@pytest.mark.parametrize(
    "name",
    [
        "Anytown Roofing Ltd",
        "J SMITH LTD",
        "J Smith T/A Smith Builders",
        "JOHN SMITH PLC",
        "Smith & Jones LLP",
        "Sir John Cass School",
        "Lord Mayor",
        "Dr Martens",
        "John Lewis",
        "W H SMITH",
        "J. SAINSBURY",
        "Anytown Council",
        "NHS Anytown",
        "St Mary's Church",
        "Redactive Publishing Ltd",
        "SMITH TREE SURGEONS SERVICES",
        "Capita",
        "amazon.co.uk",
        "B & Q",
        "Village Green",
        "G4S Care",
        "Jane Smith t/a Anytown Bakes",
        "Jane Smith trading as Smith",
        "Allen & Crane",
        "Hartley Lyde & Gilford",
        "Rupert Wood & Son",
        "Grant recipient",
        "Various payees",
        "Third Party",
        "Anytown C C",
        "Hampshire C C",
        "Smith P L C",
        "Woodford (Anytown) C I C",
        "Fundacion Maria Lopez",
        "Stichting Jan de Vries",
        "Hans Muller GmbH",
        "Alexandra Court",
        "Lady of the Vale Nursing Home",
        "Master Ground Services",
        "Dr Smith Medical Centre",
        "Sunrise OPMH",
        "SING UP",
        "I CAN",
        "GCHQ (G)",
        "costa coffee",
        "The Lawrence",
        "price.waterhouse",
        "Booking.com",
        "jane.co.uk",
        "Taylor-Wimpey",
        "ASHTON-UNDER-LYNE",
        "milton-keynes",
        "PayPal",
        "JohnLewis",
        "John.Lewis",
        "Marks&Spencer",
        "St.Thomas",
    ],
)
def test_a_firms_name_is_no_persons(name: str) -> None:
    assert person_rule(name) is None


@pytest.mark.parametrize(
    "name", ["BT", "Anytown Fostering Agency", "Barnardos Ltd", "NCL Care", "John Lewis", "Financial Conduct"]
)
def test_what_is_evidently_an_organisation(name: str) -> None:
    assert is_clearly_organisation(name)


@pytest.mark.parametrize("name", ["Smith", "Jane Doe", "MRS DOE", "Sunflower", "October OPMH", "Oluwaseun Adeyemi"])
def test_what_is_not_evidently_an_organisation(name: str) -> None:
    assert not is_clearly_organisation(name)


@given(
    st.sampled_from(["Mr", "Mrs", "Miss", "Ms", "MR", "MRS", "MISS", "Dr"]),
    st.from_regex(r"[A-Z][a-z]{3,9}", fullmatch=True),
)
def test_a_title_and_a_name_are_always_held_unless_an_institution_bears_them(title: str, surname: str) -> None:
    institution = surname.upper() in privacy_lists().strong or privacy_lists().not_names.search(f"{title} {surname}")
    assert (person_rule(f"{title} {surname}") == "titled-name") == (not institution)


@given(st.sampled_from(GIVEN), st.sampled_from(["LTD", "PLC", "LLP", "CIC", "COUNCIL", "NHS TRUST", "SOLICITORS"]))
def test_a_legal_form_makes_any_name_a_firms(given_name: str, form: str) -> None:
    assert person_rule(f"{given_name} Smith {form}") is None
    assert is_clearly_organisation(f"{given_name} Smith {form}")


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    assert person_rule(text) in (None, "titled-name", "surname-initial", "full-name")
    assert not (person_rule(text) and is_clearly_organisation(text))


_LEAST_RECALL = 0.97
_LEAST_RECALL_UNSEEN = 0.8
"""Both names are words that the model has never seen, and that no list has."""


@pytest.mark.parametrize("origin", sorted(names_of_the_world()))
def test_people_of_every_origin_are_held_alike(origin: str) -> None:
    assert _recall(names_of_the_world()[origin], 250) >= _LEAST_RECALL


@pytest.mark.parametrize("origin", sorted(names_of_the_world(unseen=True)))
def test_people_whose_names_are_new_to_the_model_are_held(origin: str) -> None:
    assert _recall(names_of_the_world(unseen=True)[origin], 100) >= _LEAST_RECALL_UNSEEN


def _recall(names: NamesOfOrigin, people: int) -> float:
    """The share of people drawn from `names` who are held, over all spellings."""
    draw = Random(20261128)  # noqa: S311 - no secret
    spelled = [spell(*pair) for pair in (names.draw(draw) for _ in range(people)) for spell in SPELLINGS.values()]
    return sum(person_rule(name) is not None for name in spelled) / len(spelled)


@pytest.mark.soak
def test_a_name_that_is_held_is_held_in_every_spelling(long: bool) -> None:
    """Whatever is held in its plain form is held in every spelling."""
    origins = names_of_the_world()
    drawn = st.sampled_from(sorted(origins)).flatmap(
        lambda origin: st.tuples(st.sampled_from(origins[origin].given), st.sampled_from(origins[origin].family))
    )

    @settings(max_examples=30_000 if long else 1_500, deadline=None)
    @given(
        drawn,
        st.sampled_from(sorted(SPELLINGS)),
        st.lists(st.sampled_from(sorted(DECORATIONS)), max_size=2, unique=True),
    )
    def check(pair: tuple[str, str], spelling: str, decorations: list[str]) -> None:
        plain = spelled = SPELLINGS[spelling](*pair)
        for decoration in sorted(decorations, key=lambda each: each == "payment"):  # it comes before everything
            spelled = DECORATIONS[decoration](spelled)
        assert person_rule(plain) is None or person_rule(spelled) is not None, (plain, spelled)

    check()
