"""What the survival tests share: a writer to be killed, and what must hold of any directory that survived."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import threading
import time
from pathlib import Path
from typing import NoReturn

from hanse.kernel.facts import HEADER, Fact, layout, payload
from hanse.kernel.leaves import read_entry
from hanse.kernel.reading import count_digests, read
from hanse.node import node as node_module
from hanse.node import write_path
from hanse.node.desk import sign_runs
from hanse.node.node import Node
from hanse.node.testing import site
from hanse.node.verify import verify
from hanse.node.wallet import Presentation, Salts
from hanse.standards import sdjwt


def sign(node: Node, party: str, fact: Fact, *, nonce: int | None = None, exp: int | None = None) -> Presentation:
    """A fact signed with a nonce and an end of its window of the test's choice."""
    pair = node.wallet.speaker(party, fact)
    text, disclosures = payload(
        fact,
        net=node.net,
        iss=pair.owner,
        kid=pair.kid,
        nonce=secrets.randbelow(2**61) if nonce is None else nonce,
        exp=node.path.now() + 3_600 if exp is None else exp,
        salt=Salts(),
    )
    return Presentation(sdjwt.sign(HEADER, text, pair.sign), disclosures)


def write_until_killed(directory: Path, acks: int, *, crowd: int = 4, beside: bool = False) -> NoReturn:
    """Several threads write, singly and in batches; a line for each acknowledged fact: position, hash, disclosures.

    `beside`: rows are written by a process beside the node.
    """
    node_module.PUBLISH_SECONDS = 0.03
    write_path.BESIDE_FROM = 1
    node = Node(directory, helper=beside)

    def write(number: int) -> None:
        party = ("anna", "bert")[number % 2]
        while True:
            facts = [site(node, party, secrets.token_hex(200), number * 100 + n) for n in range(1 + number * 3)]
            signed = sign_runs(node.wallet, party, facts)
            waiting = [(p, node.path.submit(p)) for p in signed]
            for presentation, future in waiting:
                receipt = future.result(60)
                assert receipt.first_refusal is None, receipt
                name = hashlib.sha256(presentation.jwt).hexdigest()
                os.write(acks, f"{receipt.position} {name} {len(presentation.disclosures)}\n".encode())

    for number in range(crowd):
        threading.Thread(target=write, args=(number,), daemon=True).start()
    while True:
        time.sleep(60)


def kill_while_writing(
    directory: Path, seconds: float, *, beside: bool = False, least: int = 0
) -> list[tuple[int, str, int]]:
    """Fork the writer, kill -9 it after some seconds (also while it opens); what it had acknowledged.

    `least`: not before it has acknowledged so many, however slow the machine is.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            write_until_killed(directory, writer, beside=beside)
        finally:
            os._exit(1)
    os.close(writer)
    said = bytearray()
    drain = threading.Thread(target=_drain, args=(reader, said))
    drain.start()
    time.sleep(seconds)
    end = time.monotonic() + 60
    while said.count(b"\n") < least and time.monotonic() < end:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    drain.join()
    os.close(reader)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    lines = said.decode().split("\n")[:-1]
    return [(int(a), b, int(c)) for a, b, c in (line.split() for line in lines)]


def _drain(fd: int, into: bytearray) -> None:
    while data := os.read(fd, 65_536):
        into += data


def check_acknowledged(node: Node, acks: list[tuple[int, str, int]]) -> None:
    """Nothing acknowledged is lost: neither the fact, nor its disclosures."""
    for position, name, disclosures in acks:
        body = read_entry(node.log.entry(position)).body
        assert hashlib.sha256(body).hexdigest() == name, position
        assert len(node.disclosures.of(position)) == disclosures, position


def check_whole(node: Node) -> int:
    """Nothing is half there: every fact on the record has all its disclosures, and reads; how many facts."""
    facts = 0
    for position, leaf in enumerate(node.log.segment.iterate()):
        entry = read_entry(leaf)
        held = node.disclosures.of(position)
        if entry.form not in ("fact", "batched"):
            assert not held, position
            continue
        signed = read(node.applier.book.kinds, entry.body, held, entry.batch)
        where = layout(type(signed.fact))
        assert where.empty or count_digests(signed.fact, where) == len(held), position
        facts += 1
    assert not list(node.disclosures.iterate(node.log.size, 2**62))
    return facts


def check_verified(directory: Path) -> None:
    """`hanse verify` finds nothing, and every private figure proven."""
    found = verify(directory)
    assert found.ok, found.findings
    assert found.state == "equal" and found.figures.not_disclosed == 0
