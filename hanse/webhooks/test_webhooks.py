"""Webhooks against a receiver of our own: what is told, to whom, in which order, and what is never called."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hanse.kernel.refusal import Refused
from hanse.rooms.orders.delivery_facts import SendMessage
from hanse.site.testing import DAY, SmallTown
from hanse.webhooks import Subscription, Webhooks, WebhookStore
from hanse.webhooks.delivery import WAITS_SECONDS
from hanse.webhooks.sending import Answer, check_address, send
from hanse.webhooks.store import SUBSCRIPTIONS_MAX

WAIT_SECONDS = 60
"""For what is about to happen, on a machine that is busy."""


class Receiver:
    """A web server that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status: Callable[[int], int] = lambda number: 204
        self.may_answer = threading.Event()
        self.may_answer.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.may_answer.wait(WAIT_SECONDS)
                status = outer.status(len(outer.got))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *rest: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.order("known-1")
    yield there
    there.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    there = Receiver()
    yield there
    there.close()


def no_subscriptions(town: SmallTown) -> WebhookStore:
    """The town's store, begun anew."""
    (town.node.directory / "webhooks.db").unlink(missing_ok=True)
    return WebhookStore(town.node.directory, town.node.clock, private=True)


@contextmanager
def telling(town: SmallTown, store: WebhookStore) -> Iterator[Webhooks]:
    running = Webhooks(town.node, store)
    running.start()
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def hooks(town: SmallTown) -> Iterator[Webhooks]:
    with telling(town, no_subscriptions(town)) as running:
        yield running


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def add(town: SmallTown, hooks: Webhooks, party: str, url: str, *kinds: str) -> Subscription:
    return hooks.store.add(party, 1, url, kinds or ("*",), town.node.log.size)


def say(town: SmallTown, text: str) -> None:
    named = f"m-{town.node.wallet.new_id('x')}"
    town.do("ann", SendMessage(circle=town.ab, message=named, order="known-1", text=text))


def test_a_party_is_told_in_order_what_it_may_read_as_signed_cloudevents(
    town: SmallTown, hooks: Webhooks, receiver: Receiver
) -> None:
    one = add(town, hooks, "bob", receiver.url)
    for n in range(5):
        say(town, f"news {n}")
    until(lambda: len(receiver.got) == 5)
    assert [event["data"]["fact"]["text"] for event in receiver.events()] == [f"news {n}" for n in range(5)]
    headers, body = receiver.got[0]
    event = json.loads(body)
    assert event["specversion"] == "1.0" and event["type"] == "org.hanse.orders.message"
    assert event["source"] == f"/networks/{town.node.net}/bob" and event["datacontenttype"] == "application/json"
    assert event["time"].endswith("Z") and event["data"]["signer_name"] == "Ann"
    assert headers["content-type"].startswith("application/cloudevents+json")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(one.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    until(lambda: hooks.store.of("bob")[0].delivered == 5)


def test_lines_of_a_fact_stand_as_the_fact_has_them(town: SmallTown, hooks: Webhooks, receiver: Receiver) -> None:
    add(town, hooks, "bob", receiver.url, "orders.place")
    town.order("wh-order")
    until(lambda: len(receiver.got) == 1)
    [event] = receiver.events()
    fact = event["data"]["fact"]
    assert fact["po_number"] == "4500017" and fact["lines"][0]["each"] == 10
    assert fact["lines"][0]["unit_price_minor"] == 1000 and event["data"]["not_disclosed"] == 0


def test_a_competitor_is_told_nothing_of_it(town: SmallTown, hooks: Webhooks, receiver: Receiver) -> None:
    add(town, hooks, "eve", receiver.url)
    before = town.node.log.size
    say(town, "not for eve")
    town.offer("wh-offer", circle=town.pool)
    until(lambda: any(e["type"].endswith("inventory.offer") for e in receiver.events()))
    told = receiver.events()
    assert [event["type"] for event in told] == ["org.hanse.inventory.offer"], "the group's offer, and nothing else"
    text = repr(receiver.got)
    assert "not for eve" not in text and "500" not in json.dumps(told[0]["data"]["fact"].get("minimum_price_minor", ""))
    assert town.node.log.size > before + 2


def test_only_the_kinds_asked_for_are_told(town: SmallTown, hooks: Webhooks, receiver: Receiver) -> None:
    add(town, hooks, "ann", receiver.url, "inventory.*")
    say(town, "of no interest")
    town.offer("wh-kinds", circle=town.pool)
    until(lambda: len(receiver.got) == 1)
    assert receiver.events()[0]["type"] == "org.hanse.inventory.offer"


def test_a_failure_is_tried_again_and_nothing_overtakes_it(
    town: SmallTown, hooks: Webhooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.webhooks.delivery.WAITS_SECONDS", (0, 0, 0, 0))
    receiver.status = lambda number: 500 if number < 3 else 200
    add(town, hooks, "bob", receiver.url)
    say(town, "first")
    say(town, "second")
    until(lambda: len(receiver.got) == 5)
    assert [e["data"]["fact"]["text"] for e in receiver.events()] == ["first"] * 4 + ["second"]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2, "a retry has the id of the first try"
    until(lambda: hooks.store.of("bob")[0].tries == 0)


def test_waits_grow_and_end_after_three_days(town: SmallTown, receiver: Receiver) -> None:
    assert list(WAITS_SECONDS) == sorted(WAITS_SECONDS) and sum(WAITS_SECONDS) > 3 * DAY - DAY
    (town.node.directory / "webhooks.db").unlink(missing_ok=True)
    now = [float(town.now())]
    store = WebhookStore(town.node.directory, lambda: now[0], private=True)
    calls: list[float] = []

    def refuse(*rest: Any, **more: Any) -> Answer:
        calls.append(now[0])
        return Answer(503, "answered 503")

    still = Webhooks(town.node, store, send=refuse)
    still._now = lambda: int(now[0])  # type: ignore[method-assign]
    one = store.add("bob", 1, receiver.url, ("*",), 0)
    for _ in range(20):
        if store.get("bob", one.id).state != "active":
            break
        still._turn(one.id)
        now[0] = max(now[0] + 1, store.get("bob", one.id).next_at)
    assert store.get("bob", one.id).state == "paused" and len(calls) == len(WAITS_SECONDS) + 1
    gaps = [round(b - a) for a, b in pairwise(calls)]
    assert gaps == list(WAITS_SECONDS)
    store.resume("bob", one.id)
    assert store.get("bob", one.id).state == "active"
    still.close()


def test_a_receiver_that_says_gone_is_told_no_more(town: SmallTown, hooks: Webhooks, receiver: Receiver) -> None:
    receiver.status = lambda number: 410
    add(town, hooks, "bob", receiver.url)
    say(town, "anybody there")
    until(lambda: hooks.store.of("bob")[0].state == "gone")
    say(town, "and now")
    time.sleep(0.1)
    assert len(receiver.got) == 1


def test_an_address_found_due_while_it_was_being_told_is_not_told_twice(town: SmallTown, receiver: Receiver) -> None:
    store = no_subscriptions(town)
    one = store.add("bob", 1, receiver.url, ("*",), town.node.log.size)
    say(town, "once")
    late = Webhooks(town.node, store)
    [found] = store.due(late._now(), late._size)
    late._turn(found.id)  # the turn that was under way
    late._turn(found.id)  # the one that was begun for what was found before it ended
    assert [event["data"]["fact"]["text"] for event in receiver.events()] == ["once"]
    assert store.get("bob", one.id).delivered == 1
    late.close()


def test_subscriptions_that_cannot_be_read_for_once_are_told_later(
    town: SmallTown, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.webhooks.delivery.FAULT_SECONDS", 0)
    store = no_subscriptions(town)
    answers, due = [sqlite3.OperationalError("disk I/O error")], store.due

    def due_at_times(now: int, size: int) -> list[Subscription]:
        if answers:
            raise answers.pop()
        return due(now, size)

    store.due = due_at_times  # type: ignore[method-assign]
    store.add("bob", 1, receiver.url, ("*",), town.node.log.size)
    say(town, "after all")
    with telling(town, store):
        until(lambda: len(receiver.got) == 1)
    assert not answers


def test_a_slow_receiver_holds_up_neither_the_writer_nor_another_receiver(
    town: SmallTown, hooks: Webhooks, receiver: Receiver
) -> None:
    slow = Receiver()
    slow.may_answer.clear()
    try:
        add(town, hooks, "bob", slow.url)
        add(town, hooks, "ann", receiver.url)
        for n in range(10):
            say(town, f"quick {n}")
        until(lambda: len(receiver.got) == 10)
        assert slow.got == [], "it has not answered yet"
        slow.may_answer.set()
        until(lambda: len(slow.got) == 10)
    finally:
        slow.may_answer.set()
        slow.close()


def test_what_was_signed_while_nobody_told_is_told_afterwards(town: SmallTown, receiver: Receiver) -> None:
    store = no_subscriptions(town)
    store.add("bob", 1, receiver.url, ("*",), town.node.log.size)
    say(town, "while it was closed")
    with telling(town, store):
        until(lambda: len(receiver.got) == 1)
    assert receiver.events()[0]["data"]["fact"]["text"] == "while it was closed"


# -- what is never called ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "webhook.address"),
        ("ftp://example.com/", "webhook.address"),
        ("https://user:pass@example.com/", "webhook.address"),
        ("https://example.com/#part", "webhook.address"),
        ("https:///path", "webhook.address"),
        ("https://exa mple.com/", "webhook.address"),
        ("https://example.com/" + "x" * 600, "webhook.address"),
        ("https://example.com:99999/", "webhook.address"),
        ("https://example.com:22/", "webhook.port"),
        ("https://example.com:25/", "webhook.port"),
        ("https://localhost/", "webhook.private_address"),
        ("https://printer.local/", "webhook.private_address"),
        ("https://metadata.google.internal/", "webhook.private_address"),
        ("https://127.0.0.1/", "webhook.private_address"),
        ("https://10.1.2.3/", "webhook.private_address"),
        ("https://192.168.0.1/", "webhook.private_address"),
        ("https://169.254.169.254/latest/meta-data", "webhook.private_address"),
        ("https://[::1]/", "webhook.private_address"),
        ("https://[::ffff:127.0.0.1]/", "webhook.private_address"),
        ("https://[fd00::1]/", "webhook.private_address"),
        ("https://2130706433/", "webhook.private_address"),
        ("https://0x7f000001/", "webhook.private_address"),
        ("https://0177.0.0.1/", "webhook.private_address"),
    ],
)
def test_an_address_that_is_not_everybodys_is_refused(url: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_address(url)
    assert refused.value.code == code


@pytest.mark.parametrize("number", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1", "64:ff9b::a00:1", "100.64.0.9"])
def test_a_name_that_leads_into_a_private_network_is_not_called(receiver: Receiver, number: str) -> None:
    port = receiver.server.server_port
    url = f"https://hooks.example.com:{port}/"
    answer = send(url, "whsec_AAAA", "m", b"{}", 0, resolve=lambda host, port: [number])
    assert (answer.status, answer.said) == (0, "its name leads into a private network")
    mixed = send(url, "whsec_AAAA", "m", b"{}", 0, resolve=lambda host, port: ["93.184.215.14", number])
    assert mixed.said == "its name leads into a private network", "one such number is enough"
    assert receiver.got == []


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    receiver.status = lambda number: 302
    answer = send(receiver.url, "whsec_AAAA", "m", b"{}", 0, private=True)
    assert answer.status == 302 and not answer.good and len(receiver.got) == 1


def test_a_receiver_that_is_not_there_is_said_so_in_words() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        answer = send(f"http://127.0.0.1:{deaf.getsockname()[1]}/", "whsec_AAAA", "m", b"{}", 0, private=True)
    assert answer.status == 0 and "could not be reached" in answer.said


# -- page and API -----------------------------------------------------------------------------------------------------


def test_an_owner_adds_tests_and_deletes_an_address_on_the_page(town: SmallTown) -> None:
    (town.node.directory / "webhooks.db").unlink(missing_ok=True)
    bob = town.visitor("bob")
    url = "https://hooks.example.com/in?a=<b>"
    assert "webhook.address" in bob.post("/settings/webhooks", {"url": url, "kind": "*"}).text
    answer = bob.post("/settings/webhooks", {"url": "https://hooks.example.com/in", "kind": "orders.*"})
    assert answer.status_code == 200 and "whsec_" in answer.text
    again = bob.get("/settings/webhooks").text
    assert "hooks.example.com/in" in again and "whsec_" not in again, "the secret is shown once"
    [one] = WebhookStore(town.node.directory, town.node.clock).of("bob")
    assert bob.post(f"/settings/webhooks/{one.id}/test").status_code == 303
    eve = town.visitor("eve")
    assert "hooks.example.com" not in eve.get("/settings/webhooks").text
    for act in ("test", "resume", "delete"):
        there, absent = (eve.post(f"/settings/webhooks/{name}/{act}") for name in (one.id, "wh_nothing"))
        assert there.status_code == absent.status_code == 422 and "webhook.unknown" in there.text
        assert "hooks.example.com" not in there.text
    assert bob.post(f"/settings/webhooks/{one.id}/delete").status_code == 303
    assert "hooks.example.com" not in bob.get("/settings/webhooks").text


@pytest.mark.parametrize("role", ["buyer", "seller", "warehouse", "viewer"])
def test_only_owners_open_the_page(town: SmallTown, role: str) -> None:
    visitor = town.visitor("bob", role)
    assert visitor.get("/settings/webhooks").status_code == 404
    assert visitor.post("/settings/webhooks", {"url": "https://hooks.example.com/", "kind": "*"}).status_code == 404


def test_a_program_needs_an_owners_token_that_may_receive_events(town: SmallTown) -> None:
    (town.node.directory / "webhooks.db").unlink(missing_ok=True)
    client = town.visitor().client

    def ask(method: str, path: str, scopes: tuple[str, ...], role: str = "owner", **more: Any) -> Any:
        raw = town.accounts.tokens.create(town.users["bob", role], "bob", "t", scopes, 1)[1]
        return client.request(method, f"/api/v1/webhooks{path}", headers={"Authorization": f"Bearer {raw}"}, **more)

    body = {"url": "https://hooks.example.com/api"}
    assert ask("POST", "", ("read", "write"), json=body).json()["code"] == "desk.not_permitted"
    assert ask("POST", "", ("events",), "seller", json=body).json()["code"] == "desk.not_permitted"
    assert ask("POST", "", ("events",), json={"url": 5}).json()["code"] == "api.bad_body"
    assert ask("POST", "", ("events",), json={**body, "kinds": ["Orders"]}).json()["code"] == "webhook.kinds"
    made = ask("POST", "", ("events",), json=body)
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    assert ask("POST", "", ("events",), json=body).json()["code"] == "webhook.exists"
    [row] = ask("GET", "", ("events",)).json()["rows"]
    assert row["url"] == body["url"] and "secret" not in row
    assert ask("DELETE", f"/{row['id']}", ("events",)).json()["deleted"] is True
    assert ask("DELETE", f"/{row['id']}", ("events",)).json()["code"] == "webhook.unknown"


def test_a_firm_has_a_few_addresses_and_not_more(town: SmallTown) -> None:
    (town.node.directory / "webhooks.db").unlink(missing_ok=True)
    store = WebhookStore(town.node.directory, town.node.clock)
    for n in range(SUBSCRIPTIONS_MAX):
        store.add("bob", 1, f"https://hooks.example.com/{n}", ("*",), 0)
    with pytest.raises(Refused) as refused:
        store.add("bob", 1, "https://hooks.example.com/more", ("*",), 0)
    assert refused.value.code == "webhook.too_many"
    store.add("ann", 1, "https://hooks.example.com/1", ("*",), 0)


def test_many_open_a_new_store_at_once(tmp_path: Path) -> None:
    store = WebhookStore(tmp_path, time.time)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda n: store.of(f"party-{n}"), range(64))) == [[]] * 64
