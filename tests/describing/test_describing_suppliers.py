"""Suppliers brought together by key: which have a page, what it says, and which pages a release touches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from piperoll import layout
from piperoll.describing import catalogue
from piperoll.describing.suppliers import (
    Contract,
    GroupDigest,
    Payee,
    PayeeYear,
    SupplierDigest,
    decode_group,
    encode_payees,
    find_largest,
    merge_payees,
)
from piperoll.describing.year_figures import RowSum
from piperoll.model import Body
from tests.fixtures.small_releases import catalogue_context, councils

ANYTOWN, BRACKWATER, *_ = councils(3)
CONTEXT = catalogue_context((ANYTOWN, BRACKWATER), "2026-11-02T09:00:00Z")
ROOF = Contract("Roof", "C1", Decimal(5), "2024-04-01", "2025-03-31", "contracts/council-0001/2026-10")


def paid(pounds: int, *names: str, payee_class: str = "company", contracts: tuple[Contract, ...] = ()) -> Payee:
    """A payee with one row for each of the spellings, which were paid `pounds` together."""
    spelled = names or ("Oak Ltd",)
    series = {"spend/council-0000/2026-10": dict.fromkeys(spelled, 1)}
    year = PayeeYear({"2026-10": RowSum(len(spelled), Decimal(pounds))}, series)
    return Payee({payee_class: len(spelled)}, dict.fromkeys(spelled, 1), {"2026-27": year}, contracts)


def group(letters: str, payees: Mapping[Body, Mapping[str, Payee]]) -> dict[str, str]:
    """The contributions of bodies to a group."""
    encoded = {body.slug: encode_payees(body, own) for body, own in payees.items()}
    return {slug: groups[letters] for slug, groups in encoded.items() if letters in groups}


def rendered(members: Mapping[str, str], before: Mapping[str, str] | None = None) -> dict[str, bytes | None]:
    return dict(catalogue.render_group(CONTEXT, f"{catalogue.SUPPLIERS}oak", members, before))


def page(key: str) -> str:
    return layout.supplier_page(key)


def test_a_large_company_and_a_name_that_two_bodies_pay_have_pages() -> None:
    members = group(
        "oak",
        {
            ANYTOWN: {"oak": paid(30_000), "oakleaf": paid(10), "oakum": paid(1, payee_class="not-known")},
            BRACKWATER: {"oakleaf": paid(10)},
        },
    )
    pages = rendered(members)
    assert page("oak") in pages
    assert page("oakleaf") in pages
    assert page("oakum") not in pages


def test_a_name_that_may_be_a_persons_has_no_page_however_much_it_is_paid() -> None:
    doubtful = paid(9_000_000, "A. Oakley", payee_class="not-known")
    pages = rendered(group("oak", {ANYTOWN: {"oakley": doubtful}}))
    assert page("oakley") not in pages
    content = b"".join(content for content in pages.values() if content)
    assert b"Oakley" not in content


def test_a_small_company_is_in_the_json_and_has_no_page() -> None:
    pages = rendered(group("oak", {ANYTOWN: {"oak": paid(10)}}))
    assert list(pages) == [layout.supplier_figures("oak")]
    found = json.loads(pages[layout.supplier_figures("oak")] or b"")["suppliers"]["oak"]
    assert (found["page"], found["amount_gbp"]) == (False, "10.00")


def test_a_page_names_every_spelling_and_adds_up_all_bodies() -> None:
    members = group(
        "oak",
        {
            ANYTOWN: {"oak": paid(30_000, "OAK LIMITED", contracts=(ROOF,))},
            BRACKWATER: {"oak": paid(5, "The Oak Ltd", "Oak Ltd")},
        },
    )
    content = (rendered(members)[page("oak")] or b"").decode()
    assert all(name in content for name in ("OAK LIMITED", "The Oak Ltd", "Oak Ltd"))
    assert "£30,005.00" in content
    assert content.index("Council of Vale 0000") < content.index("Council of Vale 0001")


def test_a_release_renders_only_the_pages_of_the_suppliers_it_changes() -> None:
    others = {BRACKWATER: {"oak": paid(1, contracts=(ROOF,)), "oakleaf": paid(1, contracts=(ROOF,))}}
    before = group("oak", {ANYTOWN: {"oak": paid(30_000), "oakleaf": paid(40_000)}} | others)
    after = group("oak", {ANYTOWN: {"oak": paid(30_000), "oakleaf": paid(40_001)}} | others)
    pages = rendered(after, before)
    assert pages[page("oak")] is None
    assert b"40,002" in (pages[page("oakleaf")] or b"")
    assert rendered(after)[page("oak")] is not None


def test_a_supplier_of_one_body_and_month_is_shown_whole_in_the_list_and_its_address_leads_there() -> None:
    pages = rendered(group("oak", {ANYTOWN: {"oak": paid(30_000, "Oak Ltd", "Oak & Co"), "oakleaf": paid(40_000)}}))
    listed = (pages[layout.supplier_list("oak")(1)] or b"").decode()
    for shown in (
        "Council of Vale 0000",
        "£30,000.00",
        "October 2026: 1 row",
        "also written Oak Ltd",
        "<code>oak</code>",
    ):
        assert shown in listed
    assert 'id="oak"' in listed
    own = (pages[page("oak")] or b"").decode()
    assert 'content="0; url=index.html#oak"' in own
    assert len(own) < 600
    assert "40,000" not in own


def test_a_supplier_that_few_bodies_pay_in_few_months_is_shown_whole_in_the_list() -> None:
    pages = rendered(group("oak", {ANYTOWN: {"oak": paid(300)}, BRACKWATER: {"oak": paid(5, "Oak Ltd", "OAK LTD")}}))
    listed = (pages[layout.supplier_list("oak")(1)] or b"").decode()
    assert "Council of Vale 0000</a>: £300.00 in 1 row<br>October 2026: £300.00<br>" in listed
    assert "Council of Vale 0001</a>: £5.00 in 2 rows<br>October 2026: £5.00" in listed
    assert "Council of Vale 0000, October 2026: 1 row" in listed
    assert 'content="0; url=index.html#oak"' in (pages[page("oak")] or b"").decode()


def test_a_supplier_of_one_body_has_a_page_if_its_line_cannot_show_everything() -> None:
    months = {f"2026-{month:02}": RowSum(1, Decimal(30_000)) for month in range(4, 11)}
    year = PayeeYear(months, {"spend/council-0000/2026-Q2": {"Oak Ltd": 7}})
    often = Payee({"company": 7}, {"Oak Ltd": 7}, {"2026-27": year})
    spelled = paid(30_000, *(f"Oak Ltd {number}" for number in range(6)))
    pages = rendered(group("oak", {ANYTOWN: {"oak": often, "oakleaf": spelled}}))
    assert all(b"Who pays it" in (pages[page(key)] or b"") for key in ("oak", "oakleaf"))
    assert b"By month" in (pages[page("oak")] or b"")


def test_contracts_are_those_of_the_latest_register() -> None:
    old = Contract("Roof", "C1", Decimal(5), "2024-04-01", "2025-03-31", "contracts/council-0000/2025-03")
    new = Contract("Roof again", "C2", None, "", "2027-03-31", "contracts/council-0000/2026-10")
    register = [Payee({"company": 1}, {"Oak Ltd": 1}, {}, (one,)) for one in (old, new)]
    merged = merge_payees([("2024-25", {"oak": register[0]}), ("2026-27", {"oak": register[1]})])
    assert merged["oak"].contracts == (new,)
    content = (rendered(group("oak", {ANYTOWN: merged}))[page("oak")] or b"").decode()
    assert "Roof again" in content
    assert "No published payment names it; 1 contract does." in content


def test_the_largest_of_all_groups_end_where_a_group_may_have_more() -> None:
    def digest(key: str, pounds: int) -> SupplierDigest:
        return SupplierDigest(key, key, "company", 1, 1, Decimal(pounds))

    cut = GroupDigest(3, (digest("a", 90), digest("b", 50)))
    whole = GroupDigest(2, (digest("c", 70), digest("d", 10)))
    assert [one.key for one in find_largest([cut, whole], 10)] == ["a", "c", "b"]
    assert [one.key for one in find_largest([whole], 10)] == ["c", "d"]
    assert [one.key for one in find_largest([cut, whole], 1)] == ["a"]


def test_a_key_becomes_a_file_name_that_no_other_has() -> None:
    assert layout.supplier_page("oakandash") == "catalogue/suppliers/oak/oakandash.html"
    names = ["oak", "index", "index2", "öl", "строй", "24-7", "a" * 200, "a" * 201]
    slugs = {layout.supplier_slug(name) for name in names}
    assert len(slugs) == len(names)
    assert not any(
        slug == "index" or (slug.startswith("index-") and slug != layout.supplier_slug("index")) for slug in slugs
    )
    assert all(layout.check_key(layout.supplier_page(name)) for name in names)


def test_suppliers_are_found_under_the_letters_of_every_spelling() -> None:
    members = group("oak", {ANYTOWN: {"oak": paid(30_000, "Oak Ltd", "Acorn & Oak")}})
    member, parts = catalogue.list_supplier_search(f"{catalogue.SUPPLIERS}oak", members)
    assert member == "@oak"
    assert parts["search/oa"]["pages"] == {"oak": "suppliers/oak/index.html#oak"}
    assert {"search/oa", "search/ac"} <= parts.keys()
    assert decode_group(members)["oak"].title == "Acorn & Oak"
