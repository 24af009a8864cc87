"""The competitor test: all that a third party's doors give it, compared with what it may know.

`eve` shares a group with the traders, and no relationship; `dan` is a member of the network and of nothing of theirs.
"""

from __future__ import annotations

import html
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from competitor_town import SecretTown, found_in, on_disk, opened, program, texts

from hanse.api.reads import collect
from hanse.node import planning_stock
from hanse.node.node import Node
from hanse.node.verify import verify
from hanse.site import suggesting
from hanse.site.menu import template_of
from hanse.site.testing import Visitor
from hanse.webhooks import Subscription
from hanse.webhooks.events import event_at

COMPETITORS = ("dan", "eve")
NOWHERE = "nothing-there"
OWN_PAGES = ("/static", "/api", "/sign-out", "/invitation", "/demo", "/second-factor")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretTown]:
    there = SecretTown(tmp_path_factory.mktemp("town"))
    yield there
    there.close()


@pytest.fixture(scope="module")
def needles(town: SecretTown) -> dict[str, list[str]]:
    return town.needles()


@pytest.fixture(scope="module")
def people(town: SecretTown) -> dict[str, Visitor]:
    """What is worked out behind their pages is done: between two looks none of them changes by itself."""
    for party in ("ann", "bob", *COMPETITORS):
        planning_stock.shelves(town.node, party, wait=True)
        assert suggesting.suggestions(town.node.view(party), town.node.net) is not None
    return {party: town.visitor(party) for party in ("ann", "bob", *COMPETITORS)}


# -- every address ----------------------------------------------------------------------------------------------------


def templates(town: SecretTown) -> list[str]:
    """Every address that answers GET, with `{}` for what stands in it."""
    found = set()
    for route in town.app.routes:
        path = template_of(route.path_format if hasattr(route, "path_format") else route.path)
        if "GET" in (getattr(route, "methods", None) or ()) and not path.startswith(OWN_PAGES):
            found.add(path)
    assert len(found) > 40, "the pages were found"
    return sorted(found)


def things(town: SecretTown) -> list[str]:
    """The names of all that is the parties' own: private ones, and pseudonymous ones that the record shows."""
    return [*town.names.values(), *town.public.values()]


def filled(town: SecretTown, path: str, name: str) -> str:
    """An address with its gaps filled: the last one by the name, those before by the circle."""
    gaps = path.count("{}")
    for gap in range(gaps):
        path = path.replace("{}", quote(name if gap == gaps - 1 else town.ab, safe=""), 1)
    return path


def addresses(town: SecretTown) -> Iterator[str]:
    """Every page, every list as a file, every page of every thing, every entry."""
    for path in templates(town):
        if "{}" not in path:
            yield path
            yield from (f"{path}?format={form}" for form in ("csv", "json"))
        else:
            yield from (filled(town, path, name) for name in things(town))
    yield f"/orders/file/{town.names['file']}/drawing.txt"
    yield from (f"/history/{position}" for position in range(town.node.log.size))
    for what in ("orders", "stock", "receipts", "transfers", "offers", "items", "sites"):
        yield from (f"/export/{what}.{form}" for form in ("csv", "json"))
    yield from (f"/history?show={show}" for show in ("mine", "orders", "inventory", "catalog", "parties"))


def reads(town: SecretTown) -> Iterator[str]:
    """Every read of the API, with every name in its place, and every entry with its proof."""
    for read in collect():
        path = "/api/v1/" + re.sub(r"\{[^}]+\}", "{}", read.path)
        required = {name: town.ab for name in required_of(read) if name not in read.in_path}
        more = "?" + "&".join(f"{name}={value}" for name, value in required.items()) if required else ""
        if "{}" not in path:
            yield path + more
        else:
            yield from (filled(town, path, name) + more for name in things(town))
    for position in range(town.node.log.size):
        yield f"/api/v1/entries/{position}"
    yield from (f"/api/v1/entries/{position}/proof" for position in range(0, town.node.log.size, 9))


def required_of(read: Any) -> list[str]:
    """The parameters that a read cannot do without."""
    return [field.name for field in msgspec.structs.fields(read.parameters) if field.required]


def all_that(town: SecretTown, who: Visitor, party: str) -> Iterator[tuple[str, str]]:
    """(address, what it says) through the pages and through the API."""
    yield from texts((address, who.get(address)) for address in addresses(town))
    client, header = program(town, party)
    yield from texts((address, client.get(address, headers=header)) for address in reads(town))


@pytest.mark.parametrize("party", COMPETITORS)
def test_no_door_gives_a_competitor_any_of_the_secrets(
    town: SecretTown, people: dict[str, Visitor], needles: dict[str, list[str]], party: str
) -> None:
    leaks, asked = {}, 0
    for address, text in all_that(town, people[party], party):
        asked += 1
        for name in things(town):  # what was asked for stands in the answer's own address
            text = text.replace(name, "") if name in address else text
        if leaked := found_in(text, needles):
            leaks[address] = leaked
    assert leaks == {}
    assert asked > 1_000


def test_the_secrets_are_where_they_belong(
    town: SecretTown, people: dict[str, Visitor], needles: dict[str, list[str]]
) -> None:
    """The search finds every one of them in what the traders themselves are given."""
    left = dict(needles)
    for party in ("ann", "bob"):
        for _, text in all_that(town, people[party], party):
            for what in found_in(text, left):
                del left[what]
    assert sorted(left) == []


# -- asking for what is there, and for what is not --------------------------------------------------------------------


def plain(answer: Any, *names: str) -> tuple[int, str]:
    """An answer without what differs by itself: tokens of forms, and the name that was asked for."""
    text = re.sub(r"[a-p]{32}\.[a-p]{64}", "", answer.text)
    for name in names:
        for form in (name, html.escape(name), quote(name, safe=""), quote(name), quote_plus(name)):
            text = text.replace(form, "*")
    return answer.status_code, text


@pytest.mark.parametrize("party", COMPETITORS)
def test_what_exists_is_answered_as_what_does_not(town: SecretTown, people: dict[str, Visitor], party: str) -> None:
    client, header = program(town, party)
    told = []

    def compare(ask: Callable[[str], Any], path: str, name: str) -> None:
        there = plain(ask(filled(town, path, name)), name, town.ab)
        absent = plain(ask(filled(town, path, NOWHERE)), NOWHERE, town.ab)
        if there != absent:
            told.append((filled(town, path, name), there[0], absent[0]))

    for path in templates(town):
        for name in things(town) if "{}" in path else ():
            compare(people[party].get, path, name)
    for read in collect():
        path = "/api/v1/" + re.sub(r"\{[^}]+\}", "{}", read.path)
        for name in things(town) if "{}" in path else ():
            compare(lambda address: client.get(address, headers=header), path, name)
    assert told == []


@pytest.mark.parametrize("party", COMPETITORS)
def test_search_answers_a_secret_as_it_answers_nonsense(
    town: SecretTown, people: dict[str, Visitor], needles: dict[str, list[str]], party: str
) -> None:
    words = [*(forms[0] for forms in needles.values()), *town.names.values()]
    places = ["/search", *(path for path in templates(town) if "{}" not in path)]
    told = []
    for path in dict.fromkeys(places):
        nonsense = plain(people[party].get(f"{path}?q=zqx-zqx"), "zqx-zqx")
        for word in words if path == "/search" else words[::5]:
            if plain(people[party].get(f"{path}?q={quote(word)}"), word) != nonsense:
                told.append((path, word))
    assert told == []


class Statements:
    """How many SQL statements readers run, and how many rows they look at: the work that an answer takes."""

    def __init__(self, town: SecretTown) -> None:
        self.count = 0
        for conn in town.node.read._all:
            conn.set_trace_callback(self._one)
        self._town = town

    def _one(self, statement: str) -> None:
        self.count += 1

    def of(self, act: Callable[[], Any]) -> int:
        for conn in self._town.node.read._all:
            conn.set_trace_callback(self._one)
        before = self.count
        act()
        return self.count - before


@pytest.mark.parametrize("party", COMPETITORS)
def test_what_exists_takes_the_work_of_what_does_not(town: SecretTown, people: dict[str, Visitor], party: str) -> None:
    """The same statements are run, so that time tells nothing. Counted, since a clock's answer would vary."""
    client, header = program(town, party)
    work = Statements(town)
    told = []
    paths = [(people[party].get, path) for path in templates(town) if "{}" in path]
    paths += [
        (lambda address: client.get(address, headers=header), "/api/v1/" + re.sub(r"\{[^}]+\}", "{}", read.path))
        for read in collect() if read.in_path
    ]  # fmt: skip
    for ask, path in paths:
        ask(filled(town, path, NOWHERE))  # what is prepared once, is prepared
        absent = work.of(lambda: ask(filled(town, path, NOWHERE)))  # noqa: B023
        for name in things(town):
            there = work.of(lambda: ask(filled(town, path, name)))  # noqa: B023
            if abs(there - absent) > 1:
                told.append((filled(town, path, name), there, absent))
    assert work.count > 500, "the counter counts"
    assert told == []


# -- writing ----------------------------------------------------------------------------------------------------------

TRIES: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("orders.message", {"circle": "{circle}", "message": "m-1", "order": "{order}", "text": "hello"}, ("order",)),
    ("orders.confirm", {"circle": "{circle}", "order": "{order}", "lines": [{"line": 1, "each": 1}]}, ("order",)),
    ("orders.receive", {"circle": "{circle}", "shipment": "{shipment}"}, ("shipment",)),
    ("orders.contest", {"circle": "{circle}", "shipment": "{shipment}", "reason": "x"}, ("shipment",)),
    ("orders.cancel", {"circle": "{circle}", "order": "{order}"}, ("order",)),
    ("orders.quote", {"circle": "{circle}", "quote": "{quote}", "valid_until_at": 2_000_000_000,
                      "lines": [{"line": 1, "each": 1, "item": "x", "unit_price_minor": 1}],
                      "currency": "EUR"}, ("quote",)),
    ("contracts.sign", {"circle": "{circle}", "proposal": "proposal-1", "digest": "0" * 64}, ("proposal",)),
    ("contracts.dispute", {"circle": "{circle}", "dispute": "dispute-1", "award": "agreement-1:1", "liable": "bob",
                           "wanted_minor": 0, "reason": "x", "evidence": []}, ("dispute", "award")),
    ("inventory.withdraw_offer", {"circle": "{circle}", "offer": "{offer}"}, ("offer",)),
    ("inventory.accept_transfer", {"circle": "{circle}", "transfer": "{transfer}", "site": "store-x"}, ("transfer",)),
    ("accounts.receive_payment", {"circle": "{circle}", "payment": "z-1", "answer_by": 2_000_000_000}, ("payment",)),
)  # fmt: skip
"""(kind, body, what of it names a thing): one who is not in a relationship tries to write into it.

Circles themselves stand on the record: that one exists is no secret.
"""


@pytest.mark.parametrize("party", COMPETITORS)
@pytest.mark.parametrize(("kind", "body", "named"), TRIES, ids=[kind for kind, _, _ in TRIES])
def test_a_write_into_anothers_circle_is_refused_alike_whatever_it_names(
    town: SecretTown, needles: dict[str, list[str]], party: str, kind: str, body: dict[str, Any], named: tuple[str, ...]
) -> None:
    client, header = program(town, party)
    size = town.node.log.size
    there = {key: value.format(**town.public) if isinstance(value, str) else value for key, value in body.items()}
    absent = {**there, **dict.fromkeys(named, NOWHERE)}
    first = client.client.post(f"/api/v1/facts/{kind}", json=there, headers=header)
    second = client.client.post(f"/api/v1/facts/{kind}", json=absent, headers=header)
    names = [str(there[name]) for name in named]
    assert plain(first, *names) == plain(second, NOWHERE)
    assert first.json()["code"] in ("parties.not_in_circle", "node.no_key"), first.text
    assert found_in(first.text, needles) == []
    assert town.node.log.size == size


# -- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("party", COMPETITORS)
def test_no_webhook_tells_a_competitor_any_of_the_secrets(
    town: SecretTown, needles: dict[str, list[str]], party: str
) -> None:
    def told(reader: str) -> list[str]:
        one = Subscription("wh_1", reader, 1, "https://example.com/", ("*",), "", 0, "active", 0, 0, 0, 0, "", 0)
        view = town.node.view(reader)
        events = (event_at(town.node, view, position, one) for position in range(town.node.log.size))
        return [opened(event.decode()) for event in events if event is not None]

    theirs = told(party)
    assert found_in("\n".join(theirs), needles) == []
    assert not [event for event in theirs if town.ab in event], "not even that the circle was busy"
    assert len(found_in("\n".join(told("ann")), needles)) > 20, "the traders are told"


# -- the disk ---------------------------------------------------------------------------------------------------------


def replica(town: SecretTown, folder: Path, party: str) -> Path:
    """The data directory of a party's own node: the record, and the disclosures of its circles alone."""
    town.node.publish()
    copy, source = folder / party, town.node.directory
    copy.mkdir()
    shutil.copytree(source / "record", copy / "record")
    for name in ("hanse.json", "node.key"):
        shutil.copy(source / name, copy / name)
    with sqlite3.connect(f"file:{source / 'disclosures.db'}?mode=ro", uri=True) as conn:
        rows = conn.execute("SELECT position, circle, text FROM disclosed").fetchall()
    conn.close()
    mine = set(town.node.view(party).circles)
    kept = [row for row in rows if row[1] in mine]
    assert 0 < len(kept) < len(rows)
    target = sqlite3.connect(copy / "disclosures.db", isolation_level=None)
    target.execute(
        "CREATE TABLE disclosed (position INTEGER PRIMARY KEY, circle TEXT NOT NULL, text BLOB NOT NULL) STRICT"
    )
    target.executemany("INSERT INTO disclosed VALUES (?, ?, ?)", kept)
    target.close()
    return copy


@pytest.mark.parametrize("party", COMPETITORS)
def test_a_competitors_own_disk_holds_none_of_the_secrets(
    town: SecretTown, needles: dict[str, list[str]], tmp_path: Path, party: str
) -> None:
    copy = replica(town, tmp_path, party)
    with Node(copy, helper=False, clock=town.moving) as node:
        assert node.view(party).circles == town.node.view(party).circles
        assert node.view(party).home == town.node.view(party).home
    said = verify(copy)
    assert said.ok and said.state == "equal" and said.figures.not_disclosed > 100 and said.figures.wrong == 0
    leaks = {file: leaked for file, text in on_disk(copy) if (leaked := found_in(text, needles))}
    assert leaks == {}
    assert found_in(opened(repr(said)), needles) == []
    whole = {what for _, text in on_disk(town.node.directory) for what in found_in(text, needles)}
    assert whole == set(needles), "the whole node's disk holds them all, so that the search can find them"


def test_the_public_tables_are_the_same_on_a_competitors_node(town: SecretTown, tmp_path: Path) -> None:
    copy = replica(town, tmp_path, "eve")
    with Node(copy, helper=False, clock=town.moving) as node:
        assert node.applier.meta.state == town.node.applier.meta.state
