"""The application over HTTP: sessions, forged requests, headers, limits, refusals, escaping, files."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from hanse.web import DemoRole, gate
from hanse.web.conftest import EVIL, PASSWORD, Visitor, make


class Names(HTMLParser):
    """Collects the names of all attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [name for name, _ in attrs]


def test_a_page_sends_who_is_not_signed_in_to_the_form_and_back(visitor: Visitor) -> None:
    answer = visitor.get("/things?sort=-id")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/things%3Fsort%3D-id")
    assert visitor.sign_in("/things?sort=-id").headers["location"] == "/things?sort=-id"
    assert visitor.get("/things").status_code == 200


def test_only_pages_that_say_so_are_public(visitor: Visitor) -> None:
    assert visitor.get("/anybody").json() == {"public": True}
    assert visitor.get("/healthz").json() == {"status": "ok"}
    for path in ("/", "/things", "/managers", "/search", "/settings", "/settings/second-factor"):
        assert visitor.get(path).status_code == 303
    answer = visitor.get("/things", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "session.needed")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/\tx"]
)
def test_signing_in_never_leads_elsewhere(visitor: Visitor, target: str) -> None:
    assert visitor.sign_in(target).headers["location"] == "/"


def test_signing_in_gives_a_new_session_id_in_a_guarded_cookie(visitor: Visitor) -> None:
    first = visitor.sign_in().headers["set-cookie"]
    assert first.startswith("__Host-hanse=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= {part.strip() for part in first.split(";")}
    old = visitor.client.cookies["__Host-hanse"]
    again = visitor.post("/sign-in", {"email": "anna@example.org", "password": PASSWORD})
    assert again.status_code == 303 and visitor.client.cookies["__Host-hanse"] != old
    assert visitor.site.accounts.sessions.load(old) is None


def test_a_wrong_password_shows_the_form_again_with_the_reason(visitor: Visitor) -> None:
    form = {"email": EVIL, "password": "x"}
    answer = visitor.post("/sign-in", form, visitor.token("/sign-in"))
    assert answer.status_code == 401 and "signin.wrong" in answer.text and EVIL not in answer.text


def test_signing_out_ends_the_session(anna: Visitor) -> None:
    raw = anna.client.cookies["__Host-hanse"]
    assert anna.post("/sign-out").headers["location"] == "/sign-in"
    assert anna.site.accounts.sessions.load(raw) is None and anna.get("/things").status_code == 303


@pytest.mark.parametrize(
    "path", ["/act", "/theme", "/party", "/sign-out", "/settings/name", "/settings/tokens", "/import"]
)
def test_a_forged_request_is_refused(anna: Visitor, path: str) -> None:
    for token in ("", "00.11", "x"):
        answer = anna.post(path, token=token)
        assert answer.status_code == 403 and "csrf.token" in answer.text
    for site in ("cross-site", "same-site"):
        answer = anna.post(path, headers={"sec-fetch-site": site})
        assert answer.status_code == 403 and "csrf.other_site" in answer.text


def test_a_token_of_another_session_is_refused(anna: Visitor) -> None:
    token = anna.token()
    anna.client.cookies.clear()
    anna.sign_in()
    assert anna.post("/act", token=token).status_code == 403
    assert anna.post("/act").status_code == 303


def test_a_token_may_come_as_header_and_differs_on_every_page(anna: Visitor) -> None:
    one, two = anna.token(), anna.token()
    assert one != two
    for token in (one, two):
        assert anna.client.post("/act", headers={"x-csrf-token": token}, follow_redirects=False).status_code == 303


def test_signing_in_from_another_sites_form_is_refused(visitor: Visitor) -> None:
    form = {"email": "anna@example.org", "password": PASSWORD, "_csrf": ""}
    assert visitor.client.post("/sign-in", data=form).status_code == 403


def test_api_mounts_see_no_cookie_and_need_no_token(anna: Visitor) -> None:
    answer = anna.client.post("/api/v1/facts", json={})
    assert (answer.status_code, answer.json()) == (202, {"door": "api"})


@pytest.mark.parametrize("path", ["/things", "/sign-in", "/no-such-page", "/fault", "/static/hanse.css", "/healthz"])
def test_every_answer_has_the_security_headers(anna: Visitor, path: str) -> None:
    headers = anna.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"].startswith("max-age=") and headers["referrer-policy"] == "same-origin"
    if not path.startswith("/static"):
        assert headers["cache-control"] == "no-store"


def test_pages_have_no_inline_script_style_or_handler(anna: Visitor) -> None:
    for path in ("/things", "/settings", "/settings/second-factor", "/search?q=x", "/refused"):
        text = anna.get(path).text
        assert re.findall(r"<script(?![^>]*(?: src=| type=\"application/json\"))", text) == []
        names = Names()
        names.feed(text)
        found = names.found
        assert found and [name for name in found if name == "style" or name.startswith("on")] == []


def test_what_people_wrote_is_escaped_everywhere(anna: Visitor) -> None:
    for path in ("/things", "/settings", f"/search?q={EVIL}", "/refused", f"/things?q={EVIL}", f"/things?sort={EVIL}"):
        assert EVIL not in anna.get(path).text
    anna.post("/act")
    shown = anna.get("/things")
    assert EVIL not in shown.text and "&lt;img src=x onerror=alert(1)&gt;</p>" in shown.text
    assert "onerror" not in anna.get("/things").text.partition('id="toasts"')[2]


@pytest.mark.parametrize("host", ["evil.example", "testserver.local.evil.example", ""])
def test_another_host_name_is_refused(visitor: Visitor, host: str) -> None:
    answer = visitor.get("/sign-in", headers={"host": host})
    assert (answer.status_code, "request.host" in answer.text) == (421, True)


def test_a_body_over_ten_megabytes_is_refused_but_streams_where_a_page_says_so(anna: Visitor) -> None:
    token, large = anna.token(), b"x" * 10_000_001
    headers = {"x-csrf-token": token, "content-type": "application/octet-stream", "accept": "application/json"}
    answer = anna.client.post("/act", content=large, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    answer = anna.client.post("/import", content=large, headers=headers)
    assert answer.json() == {"bytes": 10_000_001}
    headers["content-type"] = "application/x-www-form-urlencoded"
    answer = anna.client.post("/settings/name", content=iter([b"name=", large]), headers=headers)
    assert answer.status_code == 413 and anna.site.accounts.user(1).name != "x" * 80  # type: ignore[union-attr]


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits count as if all came at one moment: however long a test takes, nothing is forgiven meanwhile."""
    monkeypatch.setattr(gate, "time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.mark.usefixtures("moment")
def test_too_many_requests_are_refused_with_the_time_to_wait() -> None:
    who = Visitor(make(requests_per_minute=60))
    with who.client:
        answers = [who.get("/healthz") for _ in range(25)]
        assert [a.status_code for a in answers[:20]] == [200] * 20
        late = answers[-1]
        assert late.status_code == 429 and int(late.headers["retry-after"]) >= 1
        assert who.get("/static/hanse.css").status_code == 200
    who.site.accounts.close()


@pytest.mark.usefixtures("moment")
def test_invented_session_cookies_are_no_way_around_the_limit() -> None:
    who = Visitor(make(requests_per_minute=60))
    statuses = []
    for number in range(25):
        who.client.cookies.clear()
        who.client.cookies.set("__Host-hanse", f"invented-{number}")
        statuses.append(who.get("/sign-in").status_code)
    assert statuses[:20] == [200] * 20 and statuses[-1] == 429


def test_a_refusal_is_one_shape_as_page_and_as_json(anna: Visitor) -> None:
    html = anna.get("/refused", headers={"accept": "text/html,application/json;q=0.9"})
    assert html.status_code == 422 and "inventory.not_enough" in html.text and "Lower it." in html.text
    json = anna.get("/refused", headers={"accept": "application/json"})
    assert json.headers["content-type"].startswith("application/problem+json")
    assert json.json() == {
        "type": "/docs/refusals#inventory.not_enough", "title": "inventory.not_enough", "status": 422,
        "detail": "Not enough is free.", "instance": "/refused", "code": "inventory.not_enough",
        "message": "Not enough is free.", "got": 7, "expected": EVIL, "next": "Lower it.", "retry": None,
    }  # fmt: skip


def test_a_rooms_own_refusal_is_recognised_by_its_members(anna: Visitor) -> None:
    answer = anna.get("/foreign", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "orders.unknown_order")


def test_a_fault_tells_nothing_of_its_cause(anna: Visitor) -> None:
    for accept in ("text/html", "application/json"):
        answer = anna.get("/fault", headers={"accept": accept})
        assert answer.status_code == 500 and "server.fault" in answer.text and "secret" not in answer.text


def test_a_page_for_another_role_does_not_exist(anna: Visitor) -> None:
    hidden, nowhere = (anna.get(path, headers={"accept": "application/json"}).json() for path in ("/managers", "/none"))
    assert {**hidden, "instance": ""} == {**nowhere, "instance": ""} and hidden["status"] == 404
    assert anna.post("/party", {"party": "p2"}).status_code == 303
    assert "p2" in anna.get("/things").text
    assert anna.post("/party", {"party": "p3"}).status_code == 403


def test_lists_are_exported_with_formulas_disarmed(anna: Visitor) -> None:
    answer = anna.get("/things?format=csv&columns=n,id")
    assert answer.headers["content-disposition"] == 'attachment; filename="things.csv"'
    assert answer.content.decode("utf-8-sig") == f"Count,Thing\r\n1,{EVIL}\r\n-2,'=cmd()\r\n5,p1\r\n"
    assert anna.get("/things?format=json").json()[1] == {"id": "=cmd()", "n": -2}
    assert "table.format" in anna.get("/things?format=exe").text


def test_roles_are_switched_in_a_demo_only_and_only_to_those_offered(anna: Visitor) -> None:
    assert anna.post("/demo/as/1").status_code == 404
    site = make(demo=True)
    other = site.accounts.add_user("bo@example.org", "Bo", None)
    hidden = site.accounts.add_user("root@example.org", "Root", None)
    site.demo_roles = (DemoRole(other, "Customer"),)
    who = Visitor(site)
    with who.client:
        token = who.token("/sign-in")
        assert who.post(f"/demo/as/{hidden}", token=token).status_code == 404
        assert who.client.post(f"/demo/as/{other}", follow_redirects=False).status_code == 403
        assert who.post(f"/demo/as/{other}", token=token).status_code == 303
        assert who.get("/settings").status_code == 200
    site.accounts.close()


@pytest.mark.parametrize("path", ["/static/hanse.css", "/static/hanse.js", "/nothing-here", "/sign-in"])
def test_an_answer_names_its_encoding_once(visitor: Visitor, path: str) -> None:
    assert visitor.client.get(path).headers["content-type"].count("charset=utf-8") == 1


def test_static_files_are_kept_for_a_year_under_their_hash_only(visitor: Visitor) -> None:
    address = re.search(r"/static/[0-9a-f]{12}/hanse\.css", visitor.get("/sign-in").text)
    assert address is not None
    assert "immutable" in visitor.get(address.group()).headers["cache-control"]
    for path in ("/static/hanse.css", "/static/000000000000/hanse.css"):
        assert "immutable" not in visitor.get(path).headers["cache-control"]
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/nothing.css", "/static/vendor"):
        assert visitor.get(path).status_code == 404


def test_vendored_files_are_those_that_their_readme_names() -> None:
    import hashlib

    folder = Path(__file__).parent / "static"
    text = (folder / "vendor" / "README.md").read_text()
    files = [folder / "vendor" / "htmx.min.js", folder / "vendor" / "echarts.min.js", folder / "world.json"]
    assert [f.name for f in files if hashlib.sha256(f.read_bytes()).hexdigest() not in text] == []
    assert len(re.findall(r"[0-9a-f]{64}", text)) == len(files)


def test_a_page_is_small(anna: Visitor) -> None:
    """Below 100 kB compressed with style and script, charts apart."""
    total, seen = 0, ["/things"]
    text = anna.get("/things").text
    seen += re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    for path in seen:
        with anna.client.stream("GET", path) as answer:
            total += len(b"".join(answer.iter_raw()))
    assert total < 100_000
