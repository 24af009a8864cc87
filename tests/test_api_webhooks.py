"""The webhooks' part of the API against its own description, with and without sense: answered, never by a fault.

Nothing leaves the machine: what would be sent is kept here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from hanse.api.app import application
from hanse.site.testing import SmallTown
from hanse.webhooks import Webhooks, WebhookStore
from hanse.webhooks.sending import Answer, check_address

FOLDER = tempfile.TemporaryDirectory()
TOWN = SmallTown(Path(FOLDER.name))
SENT: list[str] = []


def keep(url: str, *_: Any, **__: Any) -> Answer:
    SENT.append(url)
    return Answer(204, "answered 204")


STORE = WebhookStore(TOWN.node.directory, TOWN.node.clock)
HOOKS = Webhooks(TOWN.node, STORE, send=keep)
CLIENT = TestClient(application(TOWN.node, TOWN.accounts, HOOKS), base_url="https://testserver.local")
DESCRIPTION = CLIENT.get("/api/v1/openapi.json").json()
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION).include(path_regex=r"^/webhooks")
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
TOKENS = {
    who: TOWN.accounts.tokens.create(TOWN.users[who, "owner"], who, "test", ("events",), 1)[1] for who in ("ann", "bob")
}
ADDRESS = "/api/v1/webhooks"
QUICK = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MEMBERS = {"type", "title", "status", "code", "message", "got", "expected", "next", "retry", "detail", "instance"}


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    HOOKS.close()
    TOWN.close()
    FOLDER.cleanup()


@pytest.fixture(autouse=True)
def told_before() -> None:
    """Each test begins with one address of ann's and one of bob's."""
    for party in TOKENS:
        for one in STORE.of(party):
            STORE.delete(party, one.id)
        STORE.add(party, 1, f"https://hooks.{party}.example/hanse", ("orders.*",), TOWN.node.log.size)
    SENT.clear()


def ask(method: str, path: str, who: str = "ann", **sent: Any) -> Any:
    """Ask as ann or bob; whatever is asked, what must hold of every answer holds."""
    before = {party: STORE.of(party) for party in TOKENS}
    other = "bob" if who == "ann" else "ann"
    headers = {**sent.pop("headers", {}), "Authorization": f"Bearer {TOKENS[who]}"}
    answer = CLIENT.request(method, path, headers=headers, **sent)
    assert answer.status_code < 500, f"{method} {path}: {answer.text[:500]}"
    assert STORE.of(other) == before[other], "nobody's but one's own"
    made = method == "POST" and answer.status_code == 201
    assert ("whsec_" in answer.text) == made, "the secret is in the answer that made it, and in no other"
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/problem+json")
        refusal = answer.json()
        assert {"code", "message", "status"} <= set(refusal) <= MEMBERS, refusal
        assert [(one.id, one.state) for one in STORE.of(who)] == [(one.id, one.state) for one in before[who]]
    assert all(check_address(url) for url in SENT)
    return answer


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_whatever_fits_the_description_or_does_not_is_answered_as_described(operation: Any, mode: Any) -> None:
    try:
        answered_as_described(operation.as_strategy(generation_mode=mode))
    except Unsatisfiable:
        assert (operation.label, mode) == ("GET /webhooks", GenerationMode.NEGATIVE), "it takes nothing that is wrong"


def answered_as_described(cases: st.SearchStrategy[Any]) -> None:
    @QUICK
    @given(cases)
    def all_of(case: Any) -> None:
        answered_as_this_is_described(case)

    all_of()


def answered_as_this_is_described(case: Any) -> None:
    sent = case.as_transport_kwargs(base_url="https://testserver.local/api/v1")
    allowed = {name: value for name, value in sent.items() if name in ("params", "json", "content", "data", "files")}
    if not isinstance(allowed.get("data", {}), dict):
        allowed["content"] = str(allowed.pop("data"))
    headers = {name: value for name, value in (sent.get("headers") or {}).items() if value.isascii()}
    address = sent["url"]
    for known in ("", *(one.id for one in STORE.of("ann")), *(one.id for one in STORE.of("bob"))):
        if known and case.path_parameters:
            address = f"{ADDRESS}/{known}" + case.path.partition("{id}")[2]
        answer = ask(case.method, address, headers=headers, **allowed)
        described = case.operation.definition.raw["responses"]
        assert str(answer.status_code) in described, f"{case.method} {case.path}: {answer.status_code}"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
URLS = st.one_of(
    st.sampled_from([
        "https://hooks.example.com", "https://hooks.example.com:80/", "https://user:word@hooks.example.com/",
        "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/x", "https://0x7f.1/", "https://2130706433/",
        "https://localhost/", "https://printer.local/", "http://hooks.example.com/", "https://hooks.example.com:99999/",
        "https://[", "https://hooks.example.com/\r\nHost: other", "https://hooks.example.com/#x", "https://h\u00e4fen.example/",
        "javascript:alert(1)", "file:///etc/passwd", "", " ", "https://" + "a" * 600 + ".example/",
    ]),
    st.text(max_size=40).map("https://".__add__),
)  # fmt: skip


@settings(QUICK, max_examples=60)
@given(url=URLS | ANYTHING, kinds=st.lists(st.sampled_from(["*", "orders.*", "a.b", "", "*.*", "A.b"])) | ANYTHING)
def test_only_an_address_that_everybody_can_reach_is_told(url: Any, kinds: Any) -> None:
    before = {one.id for one in STORE.of("ann")}
    answer = ask("POST", ADDRESS, json={"url": url, "kinds": kinds})
    if answer.status_code == 201:
        made = answer.json()
        assert check_address(made["url"]) == made["url"]
        assert made["kinds"] and all(kind in ("*", "orders.*", "a.b") for kind in made["kinds"])
        assert ask("DELETE", f"{ADDRESS}/{made['id']}").status_code == 200
    assert {one.id for one in STORE.of("ann")} == before


@QUICK
@given(st.one_of(st.binary(max_size=60), ANYTHING.map(lambda value: repr(value).encode("utf-8", "replace"))))
def test_a_body_without_sense_is_refused_by_name(body: bytes) -> None:
    answer = ask("POST", ADDRESS, content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_body")


def test_a_body_beyond_ten_megabytes_is_refused_and_changes_nothing() -> None:
    assert ask("POST", ADDRESS, content=b'{"url":"' + b"x" * 10_100_000 + b'"}').status_code == 413


@QUICK
@given(st.text(min_size=1, max_size=40), st.sampled_from(["", "/test", "/resume"]))
def test_an_id_that_is_nobodys_is_refused_by_name(id: str, end: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in id.encode("utf-8", "surrogatepass"))
    answer = ask("POST" if end else "DELETE", f"{ADDRESS}/{quoted}{end}")
    assert answer.status_code in (400, 404, 405), answer.text
    assert SENT == []


def test_ones_own_is_tested_once_in_five_seconds_and_anothers_is_not_there() -> None:
    (own,), (other,) = STORE.of("ann"), STORE.of("bob")
    assert ask("POST", f"{ADDRESS}/{own.id}/test").json() == {"good": True, "status": 204, "said": "answered 204"}
    assert ask("POST", f"{ADDRESS}/{own.id}/test").json()["code"] == "webhook.too_often"
    assert ask("POST", f"{ADDRESS}/{other.id}/test").json()["code"] == "webhook.unknown"
    assert [own.url] == SENT
