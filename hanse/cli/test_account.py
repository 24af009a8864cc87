"""`hanse account`, `dispute`, `disclose`, `verify --recompute`, where two firms trade by agreement."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from hanse.cli import main
from hanse.kernel.facts import ERASED
from hanse.node.disclosures import Disclosures
from hanse.node.node import Node
from hanse.node.testing_agreed import AgreedTown
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.orders.rows import ORDERS
from hanse.standards import sdjwt

LATE: dict[str, Any] = {
    "currency": "EUR",
    "due_field": "promised_at",
    "period": "7d",
    "rate": "2.5%",
    "cap": "15%",
    "partial": "ceil",
    "terminate_after": "30d",
    "pay_within": "30d",
    "force_majeure": True,
}
Run = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Bob delivered late to ann under an agreement, and has not billed it yet: the directory, and when that was."""
    folder = tmp_path_factory.mktemp("account")
    town = AgreedTown(folder)
    town.offer("o1", circle=town.ab, price=1000)
    town.agree("late-delivery", LATE, "LATE")
    town.do("bob", SetTerms(circle=town.home("bob"), partner="ann", currency="EUR", payment_days=30,
                            discount_ppm=20_000, discount_days=10, tax_ppm=190_000, credit_limit_minor=50_000,
                            overdue_days_max=20, hold=False))  # fmt: skip
    town.order("po1", offer="o1")
    town.until(lambda: town.view("ann").rows(ORDERS, "state = 'confirmed'"))
    town.pass_days(13)
    town.deliver("po1")
    town.close()
    return folder / "node", town.hands.at


@pytest.fixture
def hanse(
    made: tuple[Path, int], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a command on a copy of the directory, at the time at which it was made: today its deadlines may be over."""
    data = tmp_path / "node"
    shutil.copytree(made[0], data)
    monkeypatch.setitem(Node.__init__.__kwdefaults__, "clock", lambda: float(made[1]))

    def call(*words: object, as_: str = "") -> tuple[int, Any]:
        capsys.readouterr()
        who = ["--as", as_] if as_ else []
        code = main([*map(str, words), *who, "--data", str(data), "--json"])
        return code, json.loads(capsys.readouterr().out)

    call.data, call.capsys = data, capsys  # type: ignore[attr-defined]
    return call


def test_a_delivery_is_billed_paid_received_and_stated(hanse: Run, tmp_path: Path) -> None:
    code, unbilled = hanse("account", "unbilled", as_="bob")
    assert code == 0 and [(row["shipment"], row["each"]) for row in unbilled] == [("s-po1", 10)]
    code, bill = hanse("account", "invoice", "s-po1", "--number", "R-1", "--iban", "DE89370400440532013000", as_="bob")
    assert (code, bill["gross_minor"]) == (0, 11_900)
    assert hanse("account", "invoice", "s-po1", "--number", "R-2", as_="bob")[1]["refused"]["code"] == (
        "account.nothing_to_bill"
    )
    code, aged = hanse("account", "aging", as_="bob")
    assert (code, aged[0]["open_minor"]) == (0, 11_900)
    code, paid = hanse("account", "pay", "R-1", "--payment", "Z-1", as_="ann")
    assert (code, paid["amount_minor"]) == (0, 11_662), "less 2% within ten days"
    file = tmp_path / "pay.xml"
    code, written = hanse("account", "bank-file", file, "Z-1", "--iban", "DE02120300000000202051", as_="ann")
    assert (code, written["transfers"], written["total_minor"]) == (0, 1, 11_662) and b"pain.001" in file.read_bytes()
    assert hanse("account", "receive", "Z-1", as_="bob")[0] == 0
    code, said = hanse("account", "statement", "ann", as_="bob")
    assert code == 0 and said["steps"][-1] == {"label": "closing", "amount_minor": 0, "count": 0}
    code, credit = hanse("account", "credit", "ann", as_="bob")
    assert (code, credit["held"], credit["limit_minor"]) == (0, "", 50_000)
    rows = tmp_path / "journal.csv"
    code, exported = hanse("account", "journal", rows, as_="bob")
    assert code == 0 and exported["rows"] == len(rows.read_text().splitlines()) - 1 > 5
    for words in (("balances",), ("items",), ("accruals",)):
        assert hanse("account", *words, as_="ann")[0] == 0


def test_a_bank_statement_is_matched_and_signed_only_when_asked(hanse: Run, tmp_path: Path) -> None:
    hanse("account", "invoice", "s-po1", "--number", "R-1", as_="bob")
    hanse("account", "pay", "R-1", "--payment", "Z-1", as_="ann")
    file = tmp_path / "camt.xml"
    file.write_text(CAMT)
    code, read = hanse("account", "bank-read", file, as_="bob")
    assert code == 0 and [row["matched_by"] for row in read["rows"]] == ["number"] and read["signed"] == []
    code, read = hanse("account", "bank-read", file, "--sign", as_="bob")
    assert code == 0 and len(read["signed"]) == 1
    assert hanse("account", "items", "--side", "sell", as_="bob")[1] == []
    file.write_text("<none/>")
    assert hanse("account", "bank-read", file, as_="bob")[0] == 2


def test_a_result_is_explained_disputed_and_answered(hanse: Run) -> None:
    code, (row,) = hanse("dispute", "results", as_="bob")
    assert (code, row["state"], row["amount_minor"]) == (0, "pending", 500)
    code, page = hanse("dispute", "explain", row["award"], as_="ann")
    assert code == 0 and page["equal"] and page["steps"][-1]["value"] == "5.00 EUR"
    opened = hanse("dispute", "open", row["award"], "--wanted-minor", 0, "--liable", "ann", "--reason",
                   "she asked for it later", "--dispute", "D-1", as_="bob")  # fmt: skip
    assert opened[0] == 0
    assert hanse("dispute", "list", as_="ann")[1][0]["answer_wanted"] is True
    assert hanse("dispute", "answer", "D-1", "--reason", "never", as_="ann")[0] == 0
    assert hanse("dispute", "results", "--state", "disputed", as_="bob")[1][0]["award"] == row["award"]
    assert hanse("dispute", "withdraw", "D-1", as_="bob")[0] == 0
    assert hanse("dispute", "results", as_="bob")[1][0]["state"] == "pending", "its period goes on"
    assert hanse("dispute", "explain", "no-such", as_="ann")[1]["refused"]["code"] == "dispute.unknown_result"
    assert hanse("dispute", "decide", "D-9", "--amount-minor", 1, "--reason", "x", as_="ann")[0] == 2


def test_both_sides_confirm_and_it_stands_at_once(hanse: Run) -> None:
    (row,) = hanse("dispute", "results", as_="bob")[1]
    assert hanse("dispute", "confirm", row["award"], as_="ann")[0] == 0
    assert hanse("dispute", "confirm", row["award"], as_="bob")[0] == 0
    assert hanse("dispute", "results", as_="ann")[1][0]["state"] == "standing"


def test_groups_are_listed_and_what_is_none_is_refused(hanse: Run) -> None:
    for word in ("list", "rounds", "rebates", "statements", "audit"):
        assert hanse("group", word, as_="ann") == (0, [])
    assert hanse("group", "near", "bob", as_="ann") == (0, [])
    assert hanse("group", "commit", "r1", 5, as_="ann")[1]["refused"]["code"] == "group.unknown_round"
    assert hanse("group", "report", "r1", as_="ann")[1]["refused"]["code"] == "group.nothing_to_report"
    assert hanse("account", "net", "c1", as_="ann")[1]["refused"]["code"] == "account.unknown_cycle"


def test_every_figure_is_recomputed_from_a_copy_without_keys(hanse: Run) -> None:
    for name in ("node.key", "keys.db"):
        (hanse.data / name).unlink()  # type: ignore[attr-defined]
    code, found = hanse("verify", "--recompute")
    assert code == 0 and found["ok"]
    results = [one for one in found["recomputed"] if one["what"] == "clause result"]
    assert [(one["group"], one["amount_minor"], one["outcome"]) for one in results] == [("LATE", 500, "proven")]
    assert {one["outcome"] for one in found["recomputed"]} == {"proven"}
    code, plain = hanse("verify")
    assert code == 0 and {one["what"] for one in plain["recomputed"]} == {"books"}


def test_one_field_is_disclosed_verified_here_and_by_another_tool_and_nothing_else(hanse: Run, tmp_path: Path) -> None:
    kept = Disclosures(hanse.data, read_only=True)  # type: ignore[attr-defined]
    entry, all_of = next((at, texts) for at, _, texts in kept.iterate(0, 10**6) if b"po_number" in _names(texts))
    kept.close()
    code, shown = hanse("disclose", entry, "lines.0.unit_price_minor", as_="ann")
    assert (code, shown["value"]) == (0, 1000)
    jwt, *disclosures = shown["presentation"].rstrip("~").split("~")
    assert [sdjwt.read_disclosure(one.encode())[1:] for one in disclosures] == [("unit_price_minor", 1000)]
    others = [one for one in all_of if one.decode() not in disclosures]
    assert len(others) > 5 and not any(one.decode() in json.dumps(shown) for one in others)

    public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _url(shown["proof"]["fact"]["public_key"])})
    payload = json.loads(jws.deserialize_compact(jwt, public, algorithms=["EdDSA"]).payload)
    digest = sdjwt.b64(hashlib.sha256(disclosures[0].encode()).digest()).decode()
    assert digest in payload["body"]["lines"][0]["_sd"], "as RFC 9901 asks, by another implementation"

    file = tmp_path / "shown.json"
    file.write_text(json.dumps(shown))
    for words in (("check", file), ("verify", file)):
        code, said = hanse_alone(hanse, words)
        assert code == 0 and said["sentence"].endswith("lines.0.unit_price_minor is 1000.")
    for field, value in (("value", 999), ("field", "lines.0.requested_at"), ("presentation", jwt + "~")):
        file.write_text(json.dumps({**shown, field: value}))
        code, said = hanse_alone(hanse, ("check", file))
        assert code == 2 and said["refused"]["code"].startswith("disclose."), field
    assert hanse("disclose", entry, "lines.0.unit_price_minor", as_="eve")[0] == 2, "a competitor cannot"


def _names(texts: list[bytes]) -> set[bytes]:
    return {sdjwt.read_disclosure(one)[1].encode() for one in texts if not one.startswith(ERASED)}


def _url(standard: str) -> str:
    return standard.replace("+", "-").replace("/", "_").rstrip("=")


def hanse_alone(hanse: Any, words: tuple[Any, ...]) -> tuple[int, Any]:
    """A command that takes no directory."""
    hanse.capsys.readouterr()
    code = main([*map(str, words), "--json"])
    return code, json.loads(hanse.capsys.readouterr().out)


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2027-01-20T08:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><CreDtTm>2027-01-20T08:00:00Z</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Ntry><Amt Ccy="EUR">116.62</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2027-01-20</Dt></BookgDt><ValDt><Dt>2027-01-20</Dt></ValDt><AcctSvcrRef>B1</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>Z-1</EndToEndId></Refs><Amt Ccy="EUR">116.62</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<RmtInf><Ustrd>R-1</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>
"""
