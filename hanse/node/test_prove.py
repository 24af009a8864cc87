import base64
import hashlib
import json
import shutil

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec.structs import replace

from hanse.kernel.facts import WITHHELD, Commercial
from hanse.kernel.refusal import Refused
from hanse.node.desk import sign_runs
from hanse.node.node import Node
from hanse.node.prove import Proof, _digests_at, check_proof, disclose, prove
from hanse.node.testing import site, town
from hanse.record.note import Signer


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node(town(tmp_path_factory.mktemp("prove") / "node"), helper=False) as node:
        receipts = [node.act("anna", site(node, "anna", "Main"))]
        facts = [site(node, "anna", f"Batch {n}", n) for n in range(1, 6)]
        receipts += [node.path.submit(p).result(60) for p in sign_runs(node.wallet, "anna", facts)]
        node.positions = [receipt.position for receipt in receipts]
        yield node


def refused(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return caught.value.code


def test_every_entry_is_proven_and_its_proof_survives_json(node):
    vkey = prove(node, 0).vkeys[0]
    for position in range(node.log.size):
        proof = prove(node, position)
        again = msgspec.json.decode(msgspec.json.encode(proof), type=Proof)
        assert check_proof(again, vkey) == proof.sentence
        assert (proof.fact is None) == (b"hanse/1 block" in base64.b64decode(proof.leaf))
    assert "parties.set_site signed by" in prove(node, node.positions[0]).sentence
    assert prove(node, node.positions[1]).fact.batched


def test_a_proof_comes_from_a_copy_of_the_published_part_alone(node, tmp_path):
    node.publish()
    copy = tmp_path / "copy"
    shutil.copytree(node.directory / "record" / "public", copy / "record" / "public")
    shutil.copyfile(node.directory / "hanse.json", copy / "hanse.json")
    at = node.positions[0]
    proof = prove(copy, at)
    assert check_proof(proof) == prove(node, at).sentence
    assert proof.fact.public_key == "", "no state there tells the signer's key"
    assert refused(prove, copy, node.log.size) == "record.unknown_entry"
    assert refused(prove, tmp_path, 0) == "node.not_a_node"
    tile = max((copy / "record" / "public" / "tile" / "0").rglob("*.p/*"), key=lambda part: int(part.name))
    tile.write_bytes(bytes(len(tile.read_bytes())))
    assert refused(prove, copy, at) == "node.damaged"


def test_whatever_is_changed_in_a_proof_is_found(node):
    proof = prove(node, node.positions[0])
    other = prove(node, node.positions[1])
    forged = bytearray(base64.b64decode(proof.leaf))
    forged[-3] ^= 1
    origin, _, *rest = proof.note.split("\n")
    note = "\n".join([origin, "7", *rest])
    for wrong, code in [
        (replace(proof, index=proof.index + 1), "proof.bad_path"),
        (replace(proof, proof=proof.proof[:-1]), "proof.bad_path"),
        (replace(proof, leaf=base64.b64encode(forged).decode()), "proof.bad_path"),
        (replace(proof, leaf=other.leaf), "proof.bad_path"),
        (replace(proof, size=proof.size - 1), "proof.bad_checkpoint"),
        (replace(proof, root=proof.proof[0]), "proof.bad_checkpoint"),
        (replace(proof, note=note), "proof.bad_checkpoint"),
        (replace(proof, sentence="All is well."), "proof.bad_sentence"),
        (replace(proof, fact=other.fact), "proof.bad_signature"),
        (replace(proof, fact=replace(proof.fact, public_key=other.root)), "proof.bad_signature"),
        (replace(proof, root="%%"), "proof.bad_form"),
        (replace(proof, vkeys=[]), "proof.bad_checkpoint"),
    ]:
        assert refused(check_proof, wrong) == code
    stranger = Signer(node.net, b"\x07" * 32).key
    assert refused(check_proof, proof, str(stranger)) == "proof.bad_checkpoint"


def read_sd_jwt(presentation, public_key):
    """RFC 9901, 7.1, in a few lines of its own: the claims, after joserfc has verified the signature."""
    compact, *disclosures, last = presentation.split("~")
    assert last == ""
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public_key})
    claims = json.loads(jws.deserialize_compact(compact, key, algorithms=["EdDSA"]).payload)
    found = {}
    for text in disclosures:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        found[digest] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    body = claims["body"]
    opened = {name: value for digest in body["_sd"] if digest in found for _, name, value in [found[digest]]}
    return claims, opened


def test_one_figure_is_disclosed_and_other_tools_accept_it(node):
    at = node.positions[0]
    given = disclose(node, "anna", at, "city")
    public_key = base64.urlsafe_b64encode(base64.b64decode(given.proof.fact.public_key)).decode().rstrip("=")
    claims, opened = read_sd_jwt(given.presentation, public_key)
    assert opened == {"city": "Bremen"} and given.value == "Bremen"
    assert claims["kind"] == "parties.set_site" and len(claims["body"]["_sd"]) == len(node.disclosures.of(at))
    assert given.presentation.count("~") == 2, "one disclosure, no more"
    assert check_proof(given.proof) and given.proof.index == at
    assert "Am Markt" not in msgspec.json.encode(given).decode()


def test_a_batched_facts_figure_is_disclosed_with_the_batchs_signature(node):
    given = disclose(node, "anna", node.positions[3], "name")
    assert given.value == "Batch 3" and given.proof.fact.batched and check_proof(given.proof)


def test_only_a_party_of_the_circle_discloses(node):
    at = node.positions[0]
    for party in ("bert", "office", "nobody", ""):
        assert refused(disclose, node, party, at, "city") == "record.unknown_entry"
    assert refused(disclose, node, "anna", at - 1, "city") == "record.unknown_entry"
    assert refused(disclose, node, "anna", 10**6, "city") == "record.unknown_entry"
    assert refused(disclose, node, "anna", -1, "city") == "record.unknown_entry"
    for field in ("circle", "nothing", "city.0", "0", "", "_sd"):
        assert refused(disclose, node, "anna", at, field) == "disclose.unknown_field"


def test_what_was_erased_cannot_be_disclosed(node):
    at = node.positions[2]
    assert disclose(node, "anna", at, "address").value == "Am Markt 1"
    assert node.disclosures.erase(at, {"address"}) == 1
    assert refused(disclose, node, "anna", at, "address") == "disclose.not_held"
    assert disclose(node, "anna", at, "name").value == "Batch 2"


def test_a_fields_name_leads_through_lists_and_structs():
    from hanse.kernel.facts import Envelope, Fact, Part

    class Line(Part, frozen=True, kw_only=True):
        sku: str
        price: Commercial[int] = WITHHELD

    class Sale(Fact, frozen=True, kw_only=True):
        kind = "test.sale"
        circle: str
        lines: list[Line]

    body = {"circle": "c", "lines": [{"sku": "A", "_sd": ["x"]}, {"sku": "B", "_sd": ["y"]}]}
    envelope = Envelope("n", "i", "k", 1, 1, "test.sale", msgspec.Raw(msgspec.json.encode(body)))
    assert _digests_at(envelope, Sale, "lines.1.price") == ["y"]
    for field in ("lines.2.price", "lines.x.price", "lines.price", "lines.1", "lines.1.sku", "price", "lines.-1.price"):
        assert refused(_digests_at, envelope, Sale, field) == "disclose.unknown_field"
