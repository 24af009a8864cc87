"""The pages of contracts over HTTP on a real node: list, proposal, agreement, and who sees them."""

import html
import re

import pytest

from hanse.rooms.contracts.library import names, text_of
from hanse.rooms.contracts.page_params import PREFIX, bound, typed_params
from hanse.rooms.contracts.page_parts import read_template
from hanse.rooms.contracts.private_rows import AGREEMENTS, PROPOSALS
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.testing import LATE
from hanse.rooms.contracts.testing_pages import AgreedTown
from hanse.site.testing import EVIL

TYPED = {PREFIX + name: value for name, value in {
    "currency": "EUR", "due_field": "promised_at", "period": "7", "rate": "2.5", "cap": "15%", "partial": "ceil",
    "grace": "", "terminate_after": "30d", "pay_within": "30", "force_majeure": "yes", "rounding": "half_even",
}.items()}  # fmt: skip
"""The terms of `LATE`, as somebody types them."""
REST = {"role": "buyer", "undecided": "stands", "scope": "*", "answer": "30", "objection": "14", "dispute": "7"}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = AgreedTown(tmp_path_factory.mktemp("town"))
    there.agree()
    there.deliver("po1")
    yield there
    there.close()


def read(answer) -> str:
    assert answer.status_code == 200, answer.text[:2000]
    return html.unescape(re.sub(r"<script.*?</script>", "", answer.text, flags=re.S))


def test_the_list_shows_agreements_to_their_parties_alone(town):
    for party, role, status in (("ann", "owner", 200), ("bob", "viewer", 200), ("ann", "warehouse", 404)):
        assert town.visitor(party, role).get("/contracts").status_code == status
    text = read(town.visitor("ann").get("/contracts"))
    for words in ("Late delivery", "Bob", "in force", "7.50 EUR"):
        assert words in text, words
    assert "Late delivery" not in read(town.visitor("eve").get("/contracts"))
    ann = town.visitor("ann")
    rows = {
        query: ann.get(f"/contracts?format=json&{query}").json() for query in ("q=late", "q=nothing", "f.state=ended")
    }
    assert [len(found) for found in rows.values()] == [1, 0, 0] and rows["q=late"][0]["partner"] == "Bob"
    assert ann.get("/contracts?after=x").status_code == 400 and ann.get("/contracts?sort=-standing").status_code == 200
    exported = town.visitor("bob").get("/contracts?format=csv").text
    assert "-7.50" in exported and "Late delivery" in exported, "what bob owes is less than nothing to bob"


def test_an_agreement_shows_prose_beside_rule_beside_timeline_with_entries(town):
    page = town.visitor("ann").get(f"/contracts/a/{town.ab}/A1")
    text = read(page)
    for words in (
        "Bob then pays Ann 2.5% of their value per 7 days of delay",
        "muldiv(value, rate * periods, 1000000, rounding)",
        "Proposed by Bob",
        "Signed by Ann",
        "In force",
        "Liquidated damages: 7.50 EUR",
        ", line 1 stands unless somebody objects",
        "14 days",
        "Cay",
    ):
        assert words in text, words
    version = town.node.view("ann").get(AGREEMENTS, town.ab, "A1")
    assert f'href="/history/{version.position}"' in page.text
    assert EVIL not in page.text


@pytest.mark.parametrize("path", ["a/{ab}/A1", "p/{ab}/P1", "new?counters=P1&circle={ab}", "new?amends=A1&circle={ab}"])
def test_the_partner_sees_it_and_a_stranger_gets_404(town, path):
    path = "/contracts/" + path.format(ab=town.ab)
    assert town.visitor("bob").get(path).status_code == 200
    assert town.visitor("ann", "viewer").get(path).status_code == 200
    for party, role in (("eve", "owner"), ("cay", "owner"), ("ann", "warehouse")):
        assert town.visitor(party, role).get(path).status_code == 404
    assert town.visitor().get(path).status_code == 303


def test_a_contract_is_proposed_countered_signed_amended_and_ended_by_forms(town):
    ann, bob = town.visitor("ann"), town.visitor("bob")
    form = {**TYPED, **REST, "template": "late-delivery", "circle": town.ab, "agreement": "B2", "arbiter": "cay"}
    answer = ann.post("/contracts/new", form)
    assert answer.status_code == 303, answer.text
    first = answer.headers["location"]
    row = town.node.view("ann").get(PROPOSALS, town.ab, first.rpartition("/")[2])
    assert dict(row.content.roles) == {"buyer": "ann", "supplier": "bob"} and row.content.arbiter == "cay"
    assert "waits" in read(bob.get("/contracts")) and "Sign these terms" in read(bob.get(first))
    assert "Sign these terms" not in read(ann.get(first)), "its proposer has signed it"

    asked = read(bob.get(f"/contracts/new?counters={row.proposal}&circle={town.ab}"))
    assert 'value="2.5"' in asked, "what was proposed stands in the fields"
    counter = {**TYPED, **REST, PREFIX + "rate": "2", "counters": row.proposal, "circle": town.ab}
    second = bob.post("/contracts/new", counter).headers["location"]
    text = read(ann.get(second))
    assert "Rate: 2.5% becomes 2%" in text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', text).group(1)
    name = second.rpartition("/")[2]
    forged = ann.post("/contracts/sign", {"circle": town.ab, "proposal": name, "digest": "0" * 64})
    assert forged.status_code == 422 and "contracts.digest_differs" in forged.text
    signed = ann.post("/contracts/sign", {"circle": town.ab, "proposal": name, "digest": digest})
    assert signed.headers["location"] == f"/contracts/a/{town.ab}/B2"
    assert "Answered by other terms, by Bob" in read(ann.get(f"/contracts/a/{town.ab}/B2"))

    amend = {**TYPED, **REST, PREFIX + "cap": "10", "amends": "B2", "circle": town.ab}
    third = ann.post("/contracts/new", amend).headers["location"]
    assert "Cap: 15% becomes 10%" in read(bob.get(third))
    assert "An amendment waits for your signature" in read(bob.get(f"/contracts/a/{town.ab}/B2"))
    declined = bob.post("/contracts/decline", {"circle": town.ab, "proposal": third.rpartition("/")[2], "reason": "No"})
    assert declined.status_code == 303 and "withdrawn or declined" in read(ann.get(third))
    ended = bob.post("/contracts/end", {"circle": town.ab, "agreement": "B2", "day": "", "reason": "done"})
    assert ended.status_code == 303
    assert "Ended" in read(ann.get(f"/contracts/a/{town.ab}/B2"))


def test_what_was_typed_stays_where_a_form_is_refused(town):
    size = town.node.log.size
    wrong = {**TYPED, **REST, "template": "late-delivery", "circle": town.ab, PREFIX + "rate": "much", "note": EVIL}
    answer = town.visitor("ann").post("/contracts/new", wrong)
    assert answer.status_code == 422 and "terms.value_text" in answer.text and 'value="much"' in answer.text
    assert EVIL not in answer.text
    over = town.visitor("ann").post("/contracts/new", {**wrong, PREFIX + "rate": "101"})
    assert over.status_code == 422 and "terms.value_range" in over.text
    assert town.node.log.size == size


def test_roles_that_do_not_sign_are_told_so_and_write_nothing(town):
    size = town.node.log.size
    form = {**TYPED, **REST, "template": "late-delivery", "circle": town.ab}
    for role in ("viewer", "buyer", "seller"):
        answer = town.visitor("ann", role).post("/contracts/new", form)
        assert answer.status_code in (403, 422) and "desk.not_permitted" in answer.text, role
        assert "Sign and propose" not in town.visitor("ann", role).get("/contracts/new?template=late-delivery").text
    assert town.node.log.size == size


def test_a_template_of_ones_own_is_checked_registered_and_proposed(town):
    cay = town.visitor("cay")
    text = text_of("late-invoice").replace("template: late-invoice", "template: our-own")
    broken = cay.post("/contracts/template", {"text": text.replace("USD, EUR", "1.5, EUR")})
    assert broken.status_code == 422 and "terms." in broken.text
    answer = cay.post("/contracts/template", {"text": text})
    assert answer.status_code == 303, answer.text
    sha = answer.headers["location"].rpartition("=")[2]
    assert town.node.view().get(TEMPLATES, sha).name == "our-own"
    upload = cay.client.post("/contracts/template", data={"_csrf": cay.token()}, follow_redirects=False,
                             files={"file": ("t.yaml", text.replace("our-own", "other").encode())})  # fmt: skip
    assert upload.status_code == 303
    form = town.visitor("ann").get(f"/contracts/new?template={sha}")
    assert "p.limit" in form.text
    both = town.visitor("ann").get("/contracts/new").text
    assert "Volume rebate" in both and both.count("Late invoices need not be paid") >= 2


def test_own_books_take_a_contract_with_a_partner_in_words(town):
    home = town.home("ann")
    form = {**TYPED, **REST, "template": "late-delivery", "circle": home, "partner": "Old Mill", "agreement": "M1"}
    answer = town.visitor("ann").post("/contracts/new", form)
    assert answer.headers["location"] == f"/contracts/a/{home}/M1"
    text = read(town.visitor("ann").get(f"/contracts/a/{home}/M1"))
    assert "Old Mill" in text and "unproven" in text
    assert town.visitor("bob").get(f"/contracts/a/{home}/M1").status_code == 404


@pytest.mark.parametrize("name", names())
def test_every_template_of_the_library_has_a_form_whose_values_bind_again(town, name):
    template = read_template(text_of(name))
    first = {param.name: param.kind.values[0] for param in template.document.params if param.kind.base == "enum"}
    assert template.document.examples
    for example in template.document.examples:
        terms = template.bind({**first, **example.params})
        assert bound(template, typed_params(terms)).params == terms.params
    text = town.visitor("ann").get(f"/contracts/new?template={name}").text
    assert all(f'name="{PREFIX}{param.name}"' in text for param in template.document.params)


@pytest.mark.parametrize("name", names())
def test_a_template_is_read_as_yaml_that_registers_under_the_same_hash(town, name):
    answer = town.visitor("eve").get(f"/contracts/template/{name}")
    assert answer.status_code == 200 and f'filename="{name}-' in answer.headers["content-disposition"]
    assert read_template(answer.text).sha256 == read_template(text_of(name)).sha256
    assert town.visitor("eve").get("/contracts/template/nothing").status_code == 404


def test_typed_terms_are_those_of_the_library_example():
    template = read_template(text_of("late-delivery"))
    typed = {name.removeprefix(PREFIX): value for name, value in TYPED.items()}
    assert bound(template, typed).params == template.bind(LATE).params
