"""What submitters do, by mistake or on purpose: again, twice at once, too late, too large, under false signatures."""

import threading
from contextlib import suppress

import pytest
from survival_tools import check_verified, check_whole, sign

from hanse.kernel import retries
from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import HEADER
from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.desk import sign_runs
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.wallet import KeyPair, Presentation
from hanse.rooms.parties.facts import DescribeParty, JoinNetwork
from hanse.rooms.parties.proofs import admit, invitation_of
from hanse.standards import sdjwt


@pytest.fixture
def directory(tmp_path):
    return town(tmp_path / "node")


def about(number):
    return DescribeParty(name=f"Anna {number}", city="Kiel", country="DE")


def code_of(node, presentation):
    try:
        return node.path.submit(presentation).result(60).code
    except Refused as refused:
        return refused.code


def test_the_same_presentation_at_once_and_after_a_restart_takes_effect_once(directory):
    with Node(directory, helper=False) as node:
        signed = sign(node, "anna", site(node, "anna", "Main"))
        start, receipts = threading.Barrier(8), []

        def submit():
            start.wait()
            receipts.append(node.path.submit(signed).result(60))

        threads = [threading.Thread(target=submit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(not receipt.repeated for receipt in receipts) == 1
        assert len({receipt.position for receipt in receipts}) == 1
        first = receipts[0].position
    for rebuild in (False, True):
        with Node(directory, helper=False, rebuild=rebuild) as node:
            again = node.path.submit(signed).result(60)
            assert (again.position, again.code, again.repeated) == (first, "ok", True)
    check_verified(directory)


def test_other_bytes_under_a_used_nonce_are_refused(directory):
    with Node(directory, helper=False) as node:
        assert code_of(node, sign(node, "anna", about(1), nonce=77)) == "ok"
        receipt = node.path.submit(sign(node, "anna", about(2), nonce=77)).result(60)
        assert receipt.refusal.code == "fact.nonce_used"
        assert node.view().rows(joining.PARTIES, "party = 'anna'")[0].name == "Anna 1"
    with Node(directory, helper=False) as node:
        assert node.path.submit(sign(node, "anna", about(3), nonce=77)).result(60).code == "fact.nonce_used"


def test_what_fails_before_ordering_is_not_recorded(directory):
    with Node(directory, helper=False) as node:
        size = node.log.size
        good = sign(node, "anna", site(node, "anna", "Main"))
        message = good.jwt.rpartition(b".")[0]
        forged = message + b"." + sdjwt.b64(bytes(64))
        key = KeyPair.of("anna", b"\x05" * 32)
        stranger = Presentation(sdjwt.sign(HEADER, sdjwt.unb64(message.split(b".")[1]), key.sign), good.disclosures)
        elsewhere = sign(node, "anna", about(1))
        now = node.path.now()
        for presentation, code in [
            (Presentation(forged, good.disclosures), "fact.bad_signature"),
            (stranger, "fact.bad_signature"),
            (Presentation(message + b".!!", good.disclosures), "fact.bad_signature"),
            (Presentation(good.jwt, [b"A" * 2_000_000]), "fact.too_large"),
            (Presentation(b"x" * 10_000_000, []), "fact.too_large"),
            (Presentation(good.jwt + b"~", []), "fact.bad_signature"),
            (Presentation(good.jwt, [*good.disclosures, good.disclosures[0]]), "fact.bad_disclosure"),
            (Presentation(good.jwt, [good.disclosures[0] + b"~" + good.disclosures[1]]), "fact.bad_disclosure"),
            (Presentation(elsewhere.jwt, good.disclosures[:1]), "fact.no_circle"),
            (sign(node, "anna", about(1), exp=now - 1), "fact.expired"),
            (sign(node, "anna", about(1), exp=now + 8 * 86_400), "fact.window_too_long"),
            (sign(node, "anna", about(1), nonce=2**63), "fact.bad_envelope"),
            (Presentation(b"", []), "fact.not_a_jwt"),
        ]:
            assert code_of(node, presentation) in (code, "fact.bad_disclosure"), code
        assert node.log.size == size
        assert code_of(node, good) == "ok"
        check_whole(node)


def test_text_that_is_no_utf_8_is_a_body_that_does_not_read(directory):
    with Node(directory, helper=False) as node:
        pair, now = node.wallet.key_of("anna"), node.path.now()
        text = (
            b'{"net":"%b","iss":"anna","kid":"%b","nonce":5,"exp":%d,"kind":"parties.describe",'
            b'"body":{"name":"\xff","city":"B","country":"DE"}}'
        ) % (node.net.encode(), pair.kid.encode(), now + 60)
        assert code_of(node, Presentation(sdjwt.sign(HEADER, text, pair.sign), [])) == "fact.bad_body"


def nested(node, depth):
    """A fact whose digests nest: nothing in the form of facts forbids it."""
    pair = node.wallet.key_of("anna")
    text = (
        b'{"net":"%b","iss":"anna","kid":"%b","nonce":5,"exp":%d,"kind":"parties.describe",'
        b'"body":{"name":"A","city":"B","country":"DE","_sd":%b}}'
    ) % (node.net.encode(), pair.kid.encode(), node.path.now() + 60, b"[" * depth + b"]" * depth)
    return Presentation(sdjwt.sign(HEADER, text, pair.sign), [])


@pytest.mark.parametrize("depth", [40, 500, 20_000])
def test_nesting_that_would_read_on_one_node_and_not_on_another_is_let_in_nowhere(directory, depth):
    with Node(directory, helper=False) as node:
        assert code_of(node, nested(node, depth)) == "fact.bad_body"


@pytest.mark.parametrize(
    ("depth", "code"), [(30, "parties.not_in_circle"), (31, "fact.bad_body"), (900, "fact.bad_body")]
)
def test_a_disclosure_that_nests_deeply_is_let_in_nowhere(directory, depth, code):
    """What reads with little on the stack might not read again in `hanse verify`. 30 is let in, and a rule refuses."""
    with Node(directory, helper=False) as node:
        pair, home = node.wallet.key_of("anna"), node.view("anna").home
        disclosure = sdjwt.b64(b'["","params",{"":%b}]' % (b"[" * depth + b"]" * depth))
        text = (
            b'{"net":"%b","iss":"anna","kid":"%b","nonce":5,"exp":%d,"kind":"contracts.propose",'
            b'"body":{"circle":"%b","_sd":["%b"]}}'
        ) % (
            node.net.encode(),
            pair.kid.encode(),
            node.path.now() + 60,
            home.encode(),
            sdjwt.digest(disclosure).encode(),
        )
        assert code_of(node, Presentation(sdjwt.sign(HEADER, text, pair.sign), [disclosure])) == code


def test_a_batch_whose_proof_would_not_read_back_is_refused(directory):
    with Node(directory, helper=False) as node:
        size = node.log.size
        signed = sign_runs(node.wallet, "anna", [about(n) for n in range(3)])
        batch = signed[0].batch
        for path, code in [
            ((batch.path[0] + b"x", *batch.path[1:]), "fact.bad_batch_path"),
            (batch.path[:-1], "fact.bad_batch_path"),
            ((*batch.path, bytes(32)), "fact.bad_batch_path"),
            (tuple(bytes(32) for _ in range(1_600)), "fact.too_large"),
        ]:
            odd = Presentation(signed[0].jwt, [], BatchProof(batch.statement, batch.index, path))
            assert code_of(node, odd) == code
        long = Presentation(signed[0].jwt, [], BatchProof(batch.statement + b"A" * 66_000, 0, batch.path))
        assert code_of(node, long) == "fact.too_large"
        assert node.log.size == size
        assert [code_of(node, p) for p in signed] == ["ok"] * 3
    check_verified(directory)


def test_strangers_with_fresh_keys_fill_no_record(directory):
    with Node(directory, helper=False) as node:
        size = node.log.size
        for seed in range(5):
            pair = KeyPair.of(f"stranger-{seed}", bytes([seed]) * 32)
            fact = JoinNetwork(
                party=pair.owner,
                name="Stranger",
                party_kind="other",
                country="DE",
                city="",
                public_key=pair.public_text,
                invitation=invitation_of("a guess, and a wrong one"),
                admission=admit(node.net, pair.owner, pair.public_text, "a guess, and a wrong one"),
            )
            assert code_of(node, node.wallet.sign(pair.owner, fact, pair=pair)) == "parties.unknown_invitation"
        assert node.log.size == size
        secret = joining.invite(node, "office")
        pair = node.wallet.make("carl")
        fact = JoinNetwork(
            party="carl",
            name="Carl",
            party_kind="other",
            country="DE",
            city="",
            public_key=pair.public_text,
            invitation=invitation_of(secret),
            admission=admit(node.net, "carl", pair.public_text, secret),
        )
        signed = node.wallet.sign("carl", fact, pair=pair)
        first = node.path.submit(signed).result(60)
        again = node.path.submit(signed).result(60)
        assert (first.code, again.repeated, again.position) == ("ok", True, first.position)


def test_a_key_that_is_refused_too_often_waits_for_the_next_hour(directory, monkeypatch):
    monkeypatch.setattr(retries, "REFUSALS_PER_HOUR_MAX", 5)
    now = [float(int(__import__("time").time()))]
    with Node(directory, helper=False, clock=lambda: now[0]) as node:
        foreign = site(node, "bert", "Not mine")
        codes = [code_of(node, sign(node, "anna", foreign)) for _ in range(7)]
        assert codes == ["parties.not_in_circle"] * 5 + ["fact.too_many_refusals"] * 2
        assert code_of(node, sign(node, "anna", about(1))) == "fact.too_many_refusals"
        assert code_of(node, sign(node, "bert", about(1))) == "ok"
        now[0] += 3_600
        assert code_of(node, sign(node, "anna", about(1))) == "ok", "nobody else need write for the hour to pass"
    check_verified(directory)


def test_who_stops_waiting_does_not_stop_the_writer(directory):
    with Node(directory, helper=False) as node:
        reply = node.path.submit(sign(node, "anna", about(1)))
        with suppress(TimeoutError):
            reply.result(0)
        assert reply.result(60).code == "ok"
        node.path.listeners.append(lambda block: 1 / 0)
        assert code_of(node, sign(node, "anna", about(2))) == "ok"


def test_a_close_with_facts_waiting_answers_each(directory):
    node = Node(directory, helper=False)
    facts = [site(node, "anna", f"Site {n}", n) for n in range(300)]
    signed = [node.wallet.sign("anna", fact) for fact in facts]
    replies, refused = [], []
    closer = threading.Thread(target=node.close)
    for number, presentation in enumerate(signed):
        if number == 150:
            closer.start()
        try:
            replies.append(node.path.submit(presentation))
        except Refused as refusal:
            refused.append(refusal.code)
    closer.join()
    assert set(refused) <= {"node.closing"} and len(replies) >= 150
    assert all(reply.done() for reply in replies)
    stood = []
    for reply in replies:
        with suppress(Refused):
            stood.append(reply.result(0).position)
    assert len(stood) >= 150
    with Node(directory, helper=False) as again:
        assert all(again.disclosures.of(position) for position in stood)
        check_whole(again)
    check_verified(directory)


def test_the_verifying_helper_may_die(directory):
    with Node(directory) as node:
        for wave in range(3):
            signed = [sign(node, "anna", about(n)) for n in range(60)]
            replies = [node.path.submit(presentation) for presentation in signed]
            assert {reply.result(60).code for reply in replies} == {"ok"}
            helper = node.path.gate._helper
            if helper is not None and wave == 0:
                helper._beside.process.kill()
                helper._beside.process.wait()
