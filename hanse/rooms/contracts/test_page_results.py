"""Results explained step by step, objections, disputes and their ends, over HTTP on a real node."""

import html
import re

import pytest

from hanse.rooms.contracts.facts import Attest, Said
from hanse.rooms.contracts.private_rows import DISPUTES, RESULTS
from hanse.rooms.contracts.testing_pages import AgreedTown
from hanse.site.testing import EVIL


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = AgreedTown(tmp_path_factory.mktemp("town"))
    there.agree()
    for order in ("po1", "po2", "po3", "po4"):
        there.deliver(order)
    there.deliver("in-time", days_late=-2)
    yield there
    there.close()


def read(answer) -> str:
    assert answer.status_code == 200, answer.text[:2000]
    return html.unescape(re.sub(r"<script.*?</script>", "", answer.text, flags=re.S))


def test_a_result_shows_each_step_its_values_and_the_entries_that_prove_it(town):
    award = town.awards()[0]
    page = town.visitor("ann").get(f"/contracts/w/{town.ab}/{award.award}")
    text = read(page)
    for words in (
        "7.50 EUR",
        "ceil_div(late_by, period)",
        "rounded half even, once",
        "rounded floor, once",
        "muldiv(100.00 EUR, 2.5% * 3, 1000000, half even)",
        "owes <strong>Ann</strong> 7.50 EUR",
        "the same",
        "object until",
        "stands by default",
    ):
        assert words in text, (words, re.findall(r"<code>[^<]*muldiv[^<]*", text))
    assert len(award.evidence) == 3
    for entry in award.evidence:
        assert f'href="/history/{entry}"' in page.text


def test_results_are_for_the_parties_alone(town):
    award = town.awards()[0]
    path = f"/contracts/w/{town.ab}/{award.award}"
    assert town.visitor("bob").get(path).status_code == 200
    for party in ("eve", "cay"):
        assert town.visitor(party).get(path).status_code == 404
    assert "Object" not in read(town.visitor("ann", "viewer").get(path)).replace("Objects", "").replace("object", "")


def test_a_delivery_in_time_says_that_nothing_is_owed(town):
    rows = town.node.view("ann").rows(RESULTS, "clause = 'late'")
    row = next(row for row in rows if "in-time" in row.key)
    page = town.visitor("ann").get("/contracts/r/" + "/".join((town.ab, "A1", "late", row.key.replace('"', "%22"))))
    text = read(page)
    assert "Is it right?" not in text
    assert "nothing followed: nothing is owed" in text
    paid = next(one for one in rows if one.awards)
    answer = town.visitor("ann").get(f"/contracts/r/{town.ab}/A1/late/{paid.key}".replace('"', "%22"))
    assert answer.status_code == 303 and f"/contracts/w/{town.ab}/" in answer.headers["location"].replace("%3A", ":")
    assert town.visitor("eve").get(f"/contracts/r/{town.ab}/A1/late/x").status_code == 404


def test_what_both_confirm_stands_at_once(town):
    award = town.awards()[0]
    form = {"circle": town.ab, "award": award.award}
    assert town.visitor("ann").post("/contracts/confirm", form).status_code == 303
    assert "You have confirmed it" in read(town.visitor("ann").get(f"/contracts/w/{town.ab}/{award.award}"))
    again = town.visitor("ann").post("/contracts/confirm", form)
    assert again.status_code == 422 and "contracts.confirmed_already" in again.text
    assert town.visitor("bob").post("/contracts/confirm", form).status_code == 303
    assert town.awards()[0].state == "standing"
    assert town.visitor("eve").post("/contracts/confirm", form).status_code == 404


def object_to(town, number: int, who: str = "bob", **rest: str) -> str:
    award = town.awards()[number]
    form = {"circle": town.ab, "award": award.award, "wanted": "2.50", "liable": "bob", "reason": f"Rain {EVIL}",
            "evidence": ", ".join(str(entry) for entry in award.evidence), **rest}  # fmt: skip
    answer = town.visitor(who).post("/contracts/dispute", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_dispute_is_opened_answered_and_decided_by_forms(town):
    where = object_to(town, 1)
    text = read(town.visitor("ann").get(where))
    for words in ("Bob objects to", "2.50 EUR", "named by Bob", "answers by then", "Cay decides", "Your answer"):
        assert words in text, words
    assert EVIL not in town.visitor("ann").get(where).text
    assert "Your answer" not in read(town.visitor("bob").get(where))
    assert "Take it back" in read(town.visitor("bob").get(where))
    listed = read(town.visitor("ann").get("/contracts/disputes"))
    assert "your answer" in listed and "answer awaited" in listed
    assert town.visitor("eve").get(where).status_code == 404 and town.visitor("cay").get(where).status_code == 404

    name = where.rpartition("/")[2]
    form = {"circle": town.ab, "dispute": name, "accept": "no", "reason": "", "evidence": ""}
    refused = town.visitor("ann").post("/contracts/answer", form)
    assert refused.status_code == 422 and "contracts.missing_terms" in refused.text
    assert town.visitor("ann").post("/contracts/answer", {**form, "reason": "It was dry."}).status_code == 303
    assert "decision awaited" in read(town.visitor("bob").get(where))

    decision = {"circle": town.ab, "dispute": name, "amount": "4.00", "currency": "EUR", "reason": "Half a day counts."}
    for other in ("eve", "ann"):
        wrong = town.visitor(other).post("/contracts/decide", decision)
        assert wrong.status_code >= 400, "only the arbiter decides"
    answer = town.visitor("cay").post("/contracts/decide", decision)
    assert answer.status_code == 303, answer.text
    text = read(town.visitor("ann").get(where))
    assert "Decided by Cay" in text and "4.00 EUR" in text and "Half a day counts." in text
    assert (town.awards()[1].state, town.awards()[1].amount_minor) == ("standing", 400)


def test_an_objection_may_be_accepted_or_taken_back(town):
    where = object_to(town, 2)
    form = {"circle": town.ab, "dispute": where.rpartition("/")[2]}
    assert town.visitor("ann").post("/contracts/withdraw", form).status_code == 422, "only the disputer withdraws"
    assert town.visitor("bob").post("/contracts/withdraw", form).status_code == 303
    assert town.awards()[2].state == "pending"
    again = object_to(town, 2, "ann", wanted="7.00")
    accepted = {"circle": town.ab, "dispute": again.rpartition("/")[2], "accept": "yes"}
    assert town.visitor("bob").post("/contracts/answer", accepted).status_code == 303
    assert (town.awards()[2].state, town.awards()[2].amount_minor) == ("standing", 700)
    assert "7.00 EUR" in read(town.visitor("bob").get(f"/contracts/a/{town.ab}/A1"))


def test_an_objection_keeps_what_was_typed_where_it_is_refused(town):
    award = town.awards()[3]
    form = {"circle": town.ab, "award": award.award, "wanted": "9.00", "liable": "bob", "reason": "too much",
            "evidence": "1, x"}  # fmt: skip
    size = town.node.log.size
    answer = town.visitor("ann").post("/contracts/dispute", form)
    assert answer.status_code == 422 and "form.entries" in answer.text and "too much" in answer.text
    answer = town.visitor("ann").post("/contracts/dispute", {**form, "evidence": "1"})
    assert answer.status_code == 422 and "contracts.bad_amount" in answer.text
    answer = town.visitor("ann", "viewer").post("/contracts/dispute", {**form, "evidence": "1", "wanted": "1"})
    assert "desk.not_permitted" in answer.text
    assert town.node.log.size == size
    assert town.node.view("ann").count(DISPUTES, "award = ?", (award.award,)) == 0


def test_events_that_parties_attest_stand_in_the_timeline(town):
    said = Said(id="fm1", event="force_majeure.accepted", agreement="A1", occurred_at=town.now(), keys={"order": "po9"})
    town.do("ann", Attest(circle=town.ab, events=[said]))
    text = read(town.visitor("bob").get(f"/contracts/a/{town.ab}/A1"))
    assert "Heard: force majeure accepted" in text and "order po9; said by Ann" in text
