"""The API over orders: typed writes, bulk calls, safe retry, tokens, roles, cursors, its description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from hanse.rooms.orders.api import READS
from hanse.rooms.orders.queries import order_page
from hanse.site.testing import DAY, SmallTown


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    yield there
    there.close()


class Program:
    """A program with a token of one person."""

    def __init__(self, town: SmallTown, party: str, role: str = "owner", scopes: tuple[str, ...] = ("read", "write")):
        user = town.users[party, role]
        _, self.raw = town.accounts.tokens.create(user, party, "test", scopes, 1)
        self.client = TestClient(town.app, base_url="https://testserver.local")

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", params=query, headers={"Authorization": f"Bearer {self.raw}"})

    def post(self, path: str, body: Any, key: str = "", media: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self.raw}", "Content-Type": media}
        if key:
            headers["Idempotency-Key"] = key
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.client.post(f"/api/v1/{path}", content=data, headers=headers)


@pytest.fixture(scope="module")
def ann(town: SmallTown) -> Program:
    return Program(town, "ann")


def order(town: SmallTown, name: str, **changes: Any) -> dict[str, Any]:
    """The body of an order of ann to bob, private fields in clear."""
    line = {
        "line": 1, "each": 5, "item": "item-6205", "own_number": "A-77", "unit_price_minor": 1000,
        "requested_at": town.now() + DAY,
    }  # fmt: skip
    return {
        "circle": town.ab, "order": name, "confirm_by": town.now() + DAY, "lines": [line], "buyer_party": "ann",
        "seller_party": "bob", "po_number": "1", "currency": "EUR", "deliver_to": {"site": "store-ann"}, **changes,
    }  # fmt: skip


def bulk(*facts: tuple[str, Any]) -> str:
    return "\n".join(json.dumps({"kind": kind, "body": body}) for kind, body in facts)


def test_one_fact_is_written_and_can_be_read_and_proved(town: SmallTown, ann: Program) -> None:
    answer = ann.post("facts/orders.place", order(town, "api-1"))
    assert answer.status_code == 201, answer.text
    written = answer.json()
    assert written["code"] == "ok" and not written["repeated"]
    found = ann.get("orders/order/api-1").json()
    assert found["order"]["order_id"] == "api-1" and found["terms"]["amount_minor"] == 5_000
    entry = ann.get(f"entries/{written['position']}").json()
    assert entry["kind"] == "orders.place" and entry["mine"]
    town.node.publish()
    assert ann.client.get(written["proof"], headers={"Authorization": f"Bearer {ann.raw}"}).status_code == 200


def test_a_bulk_call_is_all_or_nothing_and_lists_every_bad_line(town: SmallTown, ann: Program) -> None:
    size = town.node.log.size
    body = bulk(
        ("orders.place", order(town, "bulk-1")),
        ("orders.place", order(town, "bulk-2", seller_party="cay")),
        ("orders.nothing", {}),
        ("orders.place", {"circle": town.ab}),
    )
    answer = ann.post("facts", body, media="application/x-ndjson")
    assert answer.status_code == 422 and answer.json()["code"] == "api.bad_lines"
    assert [(bad["line"], bad["code"]) for bad in answer.json()["lines"]] == [
        (3, "fact.unknown_kind"), (4, "fact.bad_body"),
    ]  # fmt: skip
    only = ann.post(
        "facts",
        bulk(("orders.place", order(town, "bulk-1")), ("orders.place", order(town, "bulk-2", seller_party="cay"))),
    )
    assert [(bad["line"], bad["code"]) for bad in only.json()["lines"]] == [(2, "orders.wrong_party")]
    assert order_page(town.node.view("ann"), "bulk-1") is None
    assert town.node.log.size == size, "nothing reached the record"
    good = ann.post("facts", bulk(*(("orders.place", order(town, f"bulk-{n}")) for n in range(20))))
    assert good.status_code == 201 and len(good.json()) == 20
    assert all(order_page(town.node.view("ann"), f"bulk-{n}") for n in range(20))


def test_the_same_call_again_gets_the_first_answer(town: SmallTown, ann: Program) -> None:
    first = ann.post("facts/orders.place", order(town, "again-1"), key="k-1")
    body = order(town, "again-1")
    again = ann.post("facts/orders.place", first.request.content, key="k-1")
    assert first.status_code == again.status_code == 201
    assert again.json()["repeated"] and again.json()["position"] == first.json()["position"]
    other = ann.post("facts/orders.place", order(town, "again-2"), key="k-1")
    assert other.json()["code"] == "api.key_reused" and order_page(town.node.view("ann"), "again-2") is None
    taken = ann.post("facts/orders.place", body)
    assert taken.json()["code"] == "orders.order_taken"
    lines = bulk(("orders.place", order(town, "again-3")), ("orders.place", order(town, "again-4")))
    many = [ann.post("facts", lines, key="k-2").json() for _ in range(2)]
    assert [w["position"] for w in many[0]] == [w["position"] for w in many[1]]


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [("", 401, "token.missing"), ("Basic x", 401, "token.missing"), ("Bearer hanse_x", 401, "token.unknown")],
)
def test_without_a_good_token_nothing_is_answered(town: SmallTown, header: str, status: int, code: str) -> None:
    client = TestClient(town.app, base_url="https://testserver.local")
    for answer in (
        client.get("/api/v1/orders", headers={"Authorization": header}),
        client.post("/api/v1/facts/orders.place", content="{}", headers={"Authorization": header}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_does_no_more_than_its_scopes(town: SmallTown) -> None:
    reader, writer = Program(town, "ann", scopes=("read",)), Program(town, "ann", scopes=("write",))
    assert reader.get("orders").status_code == 200
    assert reader.post("facts/orders.place", order(town, "s-1")).json()["code"] == "desk.not_permitted"
    assert writer.get("orders").json()["code"] == "desk.not_permitted"
    assert order_page(town.node.view("ann"), "s-1") is None


@pytest.mark.parametrize("role", ["warehouse", "viewer"])
def test_a_role_signs_no_more_by_token_than_by_page(town: SmallTown, role: str) -> None:
    answer = Program(town, "ann", role).post("facts/orders.place", order(town, f"r-{role}"))
    assert answer.status_code == 403 and answer.json()["code"] == "desk.not_permitted"
    many = Program(town, "ann", role).post("facts", bulk(("orders.place", order(town, f"r-{role}"))))
    assert many.json()["lines"][0]["code"] == "desk.not_permitted"


def test_lists_are_paged_by_cursor_without_gap_or_repeat(town: SmallTown, ann: Program) -> None:
    for n in range(7):
        ann.post("facts/orders.place", order(town, f"page-{n}"))
    seen: list[str] = []
    cursor = ""
    for _ in range(100):
        page = ann.get("orders", limit=3, cursor=cursor, sort="oldest").json()
        seen += [row["order"] for row in page["rows"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) and {f"page-{n}" for n in range(7)} <= set(seen)
    assert seen == [row["order"] for row in ann.get("orders", limit=1000 // 2, sort="oldest").json()["rows"]]
    assert ann.get("orders", cursor="zz").json()["code"] == "orders.bad_cursor"


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "9999"}, {"limit": "x"}, {"sort": "up"}, {"nothing": "1"}])
def test_a_parameter_out_of_range_is_refused(ann: Program, query: dict[str, str]) -> None:
    answer = ann.get("orders", **query)
    assert answer.status_code == 422 and answer.json()["code"] == "api.bad_parameter"


def test_a_competitors_token_reads_nothing_of_an_order(town: SmallTown, ann: Program) -> None:
    ann.post("facts/orders.place", order(town, "hidden-1"))
    eve = Program(town, "eve")
    for path in READS:
        name = path.replace("{order_id}", "hidden-1").replace("{shipment}", "s").replace("{document}", "d")
        name = name.replace("{subject}", "hidden-1")
        asked = {"until_at": 2**40} if path == "orders/to-ship" else {"side": "buy"} if "figures" in path else {}
        told = {**eve.get(name, **asked).json(), "instance": "the address, as it was asked"}
        assert "hidden-1" not in json.dumps(told), path
    assert eve.get("orders/order/hidden-1").status_code == 404


def test_every_read_of_orders_answers(town: SmallTown, ann: Program) -> None:
    ann.post("facts/orders.place", order(town, "reads-1"))
    for path in READS:
        name = path.replace("{order_id}", "reads-1").replace("{subject}", "reads-1").replace("{item}", "item-6205")
        if "{" in name:
            name = name.replace("{shipment}", "none").replace("{document}", "none")
            assert ann.get(name).json()["code"] == "api.unknown_thing"
            continue
        asked = {"until_at": 2**40} if path == "orders/to-ship" else {"side": "buy"} if "figures" in path else {}
        answer = ann.get(name, **asked)
        assert answer.status_code == 200, (path, answer.text)
        head = ann.client.head(str(answer.url), headers=answer.request.headers)
        assert (head.status_code, head.content) == (200, b""), path
        assert msgspec.json.decode(answer.content) is not None


def test_a_signed_fact_of_another_program_is_taken_once(town: SmallTown, ann: Program) -> None:
    from hanse.rooms.orders.facts import PlaceOrder

    fact = msgspec.convert(order(town, "signed-1"), PlaceOrder)
    signed = town.node.wallet.sign("ann", fact)
    text = b"~".join([signed.jwt, *signed.disclosures, b""])
    first, again = (ann.post("signed", text, media="text/plain") for _ in range(2))
    assert first.status_code == 201, first.text
    assert again.json()["repeated"] and again.json()["position"] == first.json()["position"]
    assert ann.post("signed", b"nonsense", media="text/plain").status_code == 422


def test_kinds_and_description_are_public_and_name_every_read(town: SmallTown) -> None:
    client = TestClient(town.app, base_url="https://testserver.local")
    assert "orders.place" in client.get("/api/v1/kinds").json()["kinds"]
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1") and {f"/{path}" for path in READS} <= described["paths"].keys()
