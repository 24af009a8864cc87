"""The gate: a crowd that a helper admits is told the same, in the same order, as facts admitted in place."""

import signal
import time

import msgspec
import pytest

from hanse.kernel.facts import BATCH_HEADER, HEADER, Signed, Waiting
from hanse.kernel.opened import in_turn
from hanse.kernel.refusal import Refused
from hanse.node import pipes
from hanse.node.desk import sign_runs
from hanse.node.gate import CHUNK_MAX, HELP_FROM
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.wallet import Presentation
from hanse.rooms.parties.facts import FoundNetwork
from hanse.standards import sdjwt


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return town(tmp_path_factory.mktemp("gate") / "node")


def claims_of(sent):
    return msgspec.json.decode(sdjwt.unb64(sent.jwt.split(b".")[1]))


def signed_anew(node, sent, **changed):
    pair = node.wallet.key_of("anna")
    return Presentation(
        sdjwt.sign(HEADER, msgspec.json.encode(claims_of(sent) | changed), pair.sign), list(sent.disclosures)
    )


def forged(jwt):
    """Another letter in the midst of the signature, whatever stood there."""
    return jwt[:-40] + (b"B" if jwt[-40:-39] == b"A" else b"A") + jwt[-39:]


def all_sorts(node):
    """Sound facts, singly and in a batch, and each way to be refused before a place is given."""
    good = node.wallet.sign("anna", site(node, "anna", "Main"))
    batch = sign_runs(node.wallet, "anna", [site(node, "anna", f"Site {n}", n) for n in range(1, 5)])
    body = claims_of(good)["body"]
    foreign = batch[1].batch
    yield good
    yield from batch
    yield Presentation(good.jwt, [])
    yield Presentation(forged(good.jwt), good.disclosures)
    yield Presentation(good.jwt, [*good.disclosures, b"WyJhIiwiYiIsMV0"])
    yield Presentation(b"nothing", [])
    yield Presentation(BATCH_HEADER + b"." + good.jwt.split(b".", 1)[1], [])
    yield Presentation(good.jwt.rsplit(b".", 1)[0], good.disclosures, foreign)
    brings = FoundNetwork(
        network="Another", party="anna", name="Anna", party_kind="solo", country="DE", city="Kiel",
        public_key=node.wallet.key_of("anna").public_text,
    )  # fmt: skip
    yield node.wallet.sign("anna", brings)
    yield signed_anew(node, good, net="elsewhere")
    yield signed_anew(node, good, exp=5)
    yield signed_anew(node, good, exp=2**40)
    yield signed_anew(node, good, kid="nobody")
    yield signed_anew(node, good, kind="parties.nothing")
    yield signed_anew(node, good, nonce=-1)
    yield signed_anew(node, good, body=body | {"site": 5})
    yield signed_anew(node, good, body=body | {"name": "in clear"})


def taken_up(node, answers):
    """With each fact that waits as it is when its turn comes."""
    kinds = node.applier.book.kinds
    return [one if isinstance(one, Refused) else next(in_turn(kinds, [one], [])) for one in answers]


def test_a_crowd_is_told_the_same_by_the_helper_as_in_place(directory):
    now = time.time()
    with Node(directory, clock=lambda: now) as node:
        sent = list(all_sorts(node))
        assert len(sent) >= HELP_FROM
        answers, gate = [], node.path.gate
        beside = gate._answers(gate._begin(sent))
        assert {type(one) for one in beside} == {Waiting, Signed, Refused}
        assert all(one.fact.introduces for one in beside if isinstance(one, Signed))
        beside = taken_up(node, beside)
        helper = gate._helper
        assert helper is not None and gate._start_helper is not None, "the helper did it"
        for one in sent:
            try:
                answers.append(node.path.admission.admit(one, node.path.now()))
            except Refused as refused:
                answers.append(refused)
        assert [type(a) for a in beside] == [type(a) for a in answers]
        told = [a.refusal if isinstance(a, Refused) else a for a in answers]
        assert [a.refusal if isinstance(a, Refused) else a for a in beside] == told
        codes = {a.code for a in answers if isinstance(a, Refused)}
        assert codes >= {"fact.bad_signature", "fact.not_a_jwt", "fact.wrong_network", "fact.expired"}
        assert codes >= {"fact.window_too_long", "parties.unknown_key", "fact.unknown_kind", "fact.bad_envelope"}
        assert codes >= {"fact.bad_body", "fact.clear_private_field", "fact.bad_disclosure"}


def test_a_digest_that_stands_twice_is_let_in_nowhere(directory):
    with Node(directory, helper=False) as node:
        good = node.wallet.sign("anna", site(node, "anna", "Main"))
        body = claims_of(good)["body"]
        assert len(body["_sd"]) > 1
        twice = signed_anew(node, good, body=body | {"_sd": body["_sd"][:1] * 2})
        with pytest.raises(Refused, match="a digest stands twice"):
            node.path.admission.read(Presentation(twice.jwt, []))


def test_each_of_a_crowd_gets_its_own_answer_in_order(directory):
    with Node(directory) as node:
        facts = [node.wallet.sign("anna", site(node, "anna", f"Site {n}", n)) for n in range(60)]
        bad = Presentation(forged(facts[0].jwt), facts[0].disclosures)
        futures = [node.path.submit(one) for one in (*facts[:30], bad, *facts[30:])]
        with pytest.raises(Refused, match=r"fact\.bad_signature"):
            futures.pop(30).result(60)
        positions = [future.result(60).position for future in futures]
        assert positions == sorted(positions)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_helper_that_died_or_was_stopped_is_made_anew_after_a_while(directory, monkeypatch, how):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.5)
    with Node(directory) as node:
        gate = node.path.gate

        def admit():
            return taken_up(node, gate._answers(gate._begin(sent)))

        sent = [node.wallet.sign("anna", site(node, "anna", f"Site {n}", n)) for n in range(HELP_FROM)]
        admitted = admit()
        first = gate._helper._beside.process
        first.send_signal(how)
        assert admit() == admitted and gate._helper is None, "in place, and not again at once"
        assert first.returncode == -signal.SIGKILL
        assert admit() == admitted and gate._helper is None
        monkeypatch.setattr(gate, "_not_before", 0.0)
        assert admit() == admitted and gate._helper._beside.process.pid != first.pid


def test_facts_that_come_while_the_helper_is_stopped_are_answered(directory, monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.5)
    with Node(directory) as node:
        sent = [node.wallet.sign("anna", site(node, "anna", f"Late {n}", n)) for n in range(4 * HELP_FROM)]
        node.path.gate._answers(node.path.gate._begin(sent))
        node.path.gate._helper._beside.process.send_signal(signal.SIGSTOP)
        futures = [node.path.submit(one) for one in sent]
        assert all(future.result(60).code == "ok" for future in futures)


def test_a_fault_in_the_gate_is_told_to_whoever_waits_and_the_gate_goes_on(directory, monkeypatch):
    with Node(directory, helper=False) as node:
        first, second = (node.wallet.sign("anna", site(node, "anna", f"Site {n}", n)) for n in (91, 92))
        with monkeypatch.context() as broken:
            broken.setattr(node.path.gate, "_answers", lambda facts: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                node.path.submit(first).result(60)
        assert node.path.submit(second).result(60).code == "ok"


def test_a_fact_that_breaks_the_reading_is_refused_and_the_gate_goes_on(directory, monkeypatch):
    with Node(directory, helper=False) as node:
        good, poison = (node.wallet.sign("anna", site(node, "anna", f"Site {n}", n)) for n in (1, 2))
        read = node.path.admission.read
        monkeypatch.setattr(node.path.admission, "read", lambda sent: 1 // 0 if sent is poison else read(sent))
        with pytest.raises(Refused, match=r"node\.fault"):
            node.path.submit(poison).result(60)
        assert node.path.submit(good).result(60).code == "ok"


def test_crowds_that_fill_the_pipes_both_ways_are_all_admitted(directory, monkeypatch):
    """The helper has the next chunk while it answers the last, and both are larger than a pipe holds."""
    monkeypatch.setattr(pipes, "PIPE_BYTES", 1 << 16)
    with Node(directory) as node:
        facts = [site(node, "anna", f"Site {n}", n) for n in range(3 * CHUNK_MAX)]
        futures = node.path.submit_all([node.wallet.sign("anna", fact) for fact in facts])
        receipts = [future.result(60) for future in futures]
        assert [receipt.code for receipt in receipts] == ["ok"] * len(facts) and node.path.gate._helper is not None
        assert [receipt.position for receipt in receipts] == sorted(receipt.position for receipt in receipts)


def test_what_the_helper_was_asked_when_it_died_is_admitted_in_place_in_order(directory):
    with Node(directory) as node:
        gate = node.path.gate
        sent = [node.wallet.sign("anna", site(node, "anna", f"Lost {n}", n)) for n in range(3 * HELP_FROM)]
        first, second = gate._begin(sent[:HELP_FROM]), gate._begin(sent[HELP_FROM:])
        gate._helper._beside.process.kill()
        admitted = [*gate._answers(first), *gate._answers(second)]
        assert gate._helper is None and [one.jwt for one in admitted] == [one.jwt for one in sent]
