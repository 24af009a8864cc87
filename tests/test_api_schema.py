"""The API against its own description: whatever a client sends, it is answered, and never by a fault."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from litestar.testing import TestClient

from hanse.site.testing import SmallTown

FOLDER = tempfile.TemporaryDirectory()
TOWN = SmallTown(Path(FOLDER.name))
CLIENT = TestClient(TOWN.app, base_url="https://testserver.local")
DESCRIPTION = CLIENT.get("/api/v1/openapi.json").json()
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION).include(path_regex=r"^/(?!facts)|^/facts/orders\.")
"""Every read, and of the writes those of orders: all kinds are read by the same handler, bulk calls line by line."""
TOKEN = TOWN.accounts.tokens.create(TOWN.users["ann", "owner"], "ann", "test", ("read", "write"), 1)[1]


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    TOWN.close()
    FOLDER.cleanup()


def test_the_description_is_openapi_3_1_and_refers_to_nothing_that_is_missing() -> None:
    assert DESCRIPTION["openapi"].startswith("3.1")
    assert list(missing(DESCRIPTION, DESCRIPTION)) == []
    for path, operations in DESCRIPTION["paths"].items():
        names = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for operation in operations.values():
            declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert names == declared, path
            assert operation["responses"]


def missing(part: Any, whole: Any) -> Iterator[str]:
    """References in a document that lead nowhere."""
    if isinstance(part, dict):
        target = part.get("$ref")
        if isinstance(target, str):
            found: Any = whole
            for word in target.removeprefix("#/").split("/"):
                found = found.get(word) if isinstance(found, dict) else None
            if found is None:
                yield target
        for value in part.values():
            yield from missing(value, whole)
    elif isinstance(part, list):
        for value in part:
            yield from missing(value, whole)


def test_a_number_beyond_all_times_and_money_is_refused_by_every_read() -> None:
    asked = 0
    for path, operations in DESCRIPTION["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            if "integer" not in str(parameter["schema"]) or parameter["in"] != "query":
                continue
            needed = {p["name"]: "x" for p in operations["get"]["parameters"] if p.get("required")}
            for number in (10**30, -(10**30), 2**63 - 1):
                query = {**needed, parameter["name"]: str(number)}
                answer = CLIENT.get(f"/api/v1{path}", params=query, headers={"Authorization": f"Bearer {TOKEN}"})
                assert answer.status_code == 422, (path, query, answer.text[:200])
                asked += 1
    assert asked > 30


@SCHEMA.parametrize()
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_fits_the_description_is_answered_without_a_fault(case: Any) -> None:
    sent = case.as_transport_kwargs(base_url="https://testserver.local/api/v1")
    address = sent.pop("url")
    given = {name: value for name, value in (sent.pop("headers", None) or {}).items() if value.isascii()}
    headers = {**given, "Authorization": f"Bearer {TOKEN}"}
    allowed = {name: value for name, value in sent.items() if name in ("params", "json", "content", "data", "files")}
    answer = CLIENT.request(sent["method"], address, headers=headers, **allowed)
    assert answer.status_code < 500, f"{case.method} {case.path}: {answer.text[:500]}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert {"code", "message", "status"} <= set(answer.json())
