"""Bank files: transfers out and back, statements of several versions in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hanse.standards.iso20022 import Instruction, Transfer, iban_ok, read_statements, read_transfers, write_transfers
from hanse.standards.safe_xml import XmlRefused, day_seconds

IBAN = "DE02120300000000202051"
OTHER = "GB82WEST12345698765432"
ORDER = Instruction(
    message="run-1",
    created_at=day_seconds("2026-01-31") + 3_600,
    execute_at=day_seconds("2026-02-02"),
    currency="EUR",
    payer="Ann Ltd",
    iban=IBAN,
    transfers=(
        Transfer(end_to_end="z1", amount_minor=116_62, payee="Bob GmbH", iban=OTHER, bic="WESTGB22", text="i1, i2"),
        Transfer(end_to_end="z2", amount_minor=1, payee="Cay", iban=IBAN),
    ),
)


def test_transfers_come_back_as_they_went():
    data = write_transfers(ORDER)
    assert read_transfers(data) == ORDER
    assert b"<CtrlSum>116.63</CtrlSum>" in data
    assert data.count(b"<Cd>SEPA</Cd>") == 1


def test_names_are_written_in_the_banks_characters():
    told = replace(ORDER, payer="Müller & Söhne", transfers=ORDER.transfers[:1])
    assert read_transfers(write_transfers(told)).payer == "Mueller + Soehne"


WRONG = [
    ({"transfers": ()}, "xml.missing"),
    ({"transfers": (replace(ORDER.transfers[0], amount_minor=0),)}, "xml.bad_number"),
    ({"iban": "DE03120300000000202051"}, "xml.unsupported"),
    ({"transfers": (ORDER.transfers[0],) * 2}, "xml.unsupported"),
    ({"message": "x" * 36}, "xml.unsupported"),
]


@pytest.mark.parametrize(("change", "code"), WRONG)
def test_what_a_bank_would_reject_is_not_written(change, code):
    with pytest.raises(XmlRefused) as refused:
        write_transfers(replace(ORDER, **change))
    assert refused.value.code == code


def test_a_control_sum_that_differs_is_refused():
    with pytest.raises(XmlRefused):
        read_transfers(write_transfers(ORDER).replace(b"116.63", b"116.64"))


def statement(
    version: str = "08", closing: str = "1100.00", status: str = "<Sts><Cd>BOOK</Cd></Sts>", extra: str = ""
) -> bytes:
    """A statement with one payment in, a collected payment of two out, and one that is only announced."""
    party = "<Pty><Nm>Ann Ltd</Nm></Pty>" if version == "08" else "<Nm>Ann Ltd</Nm>"
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>
    <GrpHdr><MsgId>m</MsgId></GrpHdr><Stmt><Id>2026-01</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>
    <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <Ntry><Amt Ccy="EUR">116.62</Amt><CdtDbtInd>CRDT</CdtDbtInd>{status}<BookgDt><Dt>2026-01-30</Dt></BookgDt>
      <ValDt><Dt>2026-01-31</Dt></ValDt><AcctSvcrRef>B7</AcctSvcrRef><NtryDtls><TxDtls>
      <Refs><EndToEndId>z1</EndToEndId></Refs><RltdPties><Dbtr>{party}</Dbtr>
      <DbtrAcct><Id><IBAN>{OTHER}</IBAN></Id></DbtrAcct></RltdPties>
      <RmtInf><Ustrd>invoice i1</Ustrd><Ustrd>and i2</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
    <Ntry><Amt Ccy="EUR">16.62</Amt><CdtDbtInd>DBIT</CdtDbtInd>{status}<BookgDt><DtTm>2026-01-30T10:00:00+01:00</DtTm>
      </BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><Amt Ccy="EUR">10.00</Amt></TxDtls>
      <TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">6.62</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls></Ntry>
    <Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>{extra}
    </Stmt></BkToCstmrStmt></Document>""".encode()


@pytest.mark.parametrize(
    ("version", "status"), [("08", "<Sts><Cd>BOOK</Cd></Sts>"), ("02", "<Sts>BOOK</Sts>"), ("04", "")]
)
def test_a_statement_gives_its_booked_entries_and_collected_ones_by_transaction(version, status):
    (found,) = read_statements(statement(version, status=status))
    assert (found.iban, found.opening_minor, found.closing_minor) == (IBAN, 100_000, 110_000)
    assert [entry.amount_minor for entry in found.entries] == [11_662, -1_000, -662]
    first = found.entries[0]
    assert (first.end_to_end, first.partner, first.iban) == ("z1", "Ann Ltd", OTHER)
    assert (first.text, first.bank_reference) == ("invoice i1 and i2", "B7")
    assert (first.booked_at, first.value_at) == (day_seconds("2026-01-30"), day_seconds("2026-01-31"))
    assert found.entries[1].end_to_end == ""


REFUSED = [
    (statement(closing="1100.01"), "xml.wrong_total"),
    (statement(extra='<Ntry><Amt Ccy="USD">1</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>'), "xml.unsupported"),
    (statement(extra='<Ntry><Amt Ccy="EUR">1</Amt></Ntry>'), "xml.missing"),
    (statement(extra='<Ntry><Amt Ccy="EUR">0.001</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>'), "xml.inexact"),
    (statement("99"), "xml.wrong_root"),
    (b"<a/>", "xml.wrong_root"),
    (b"no", "xml.not_xml"),
]


@pytest.mark.parametrize(("data", "code"), REFUSED)
def test_a_statement_that_does_not_hold_is_refused(data, code):
    with pytest.raises(XmlRefused) as refused:
        read_statements(data)
    assert refused.value.code == code


def test_published_ibans_hold_and_one_digit_off_does_not():
    # The examples of the IBAN registry (SWIFT, ISO 13616).
    for iban in ("DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300", OTHER):
        assert iban_ok(iban)
        assert not iban_ok(iban[:-1] + ("1" if iban[-1] != "1" else "2"))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=100), st.integers(0, 3000), st.integers(0, 60))
def test_damaged_statements_are_refused_and_nothing_else(junk, at, cut):
    data = statement()
    at %= len(data)
    try:
        read_statements(data[:at] + junk + data[at + cut :])
    except XmlRefused as refused:
        assert refused.code.startswith("xml.")
