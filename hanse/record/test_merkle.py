"""The tree against published vectors, and against the definition written down as recursion."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .merkle import (
    HASH_BYTES,
    Frontier,
    ProofError,
    consistency_proof,
    empty_root,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Certificate Transparency's reference leaves, roots and proofs (google/certificate-transparency, merkle_tree_test.cc;
# transparency-dev/merkle, testonly/constants.go and proof/verify_test.go; Apache-2.0).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
N23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
N4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
N0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
N01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
INCLUSION = [
    (0, 1, []),
    (0, 8, [N1, N23, N47]),
    (5, 8, [N4, N67, N03]),
    (2, 3, [N01]),
    (1, 5, [N0, N23, N4]),
]
CONSISTENCY = [(1, 1, []), (1, 8, [N1, N23, N47]), (6, 8, [N45, N67, N03]), (2, 5, [N23, N4])]
# transparency-dev/merkle, compact/range_test.go: leaf i is i as two bytes, little-endian.
GOLDEN = {
    10: "VjWMPSYNtCuCNlF/RLnQy6HcwSk6CIipfxm+hettA+4=",
    15: "j4SulYmocFuxdeyp12xXCIgK6PekBcxzAIj4zbQzNEI=",
    16: "c+4Uc6BCMOZf/v3NZK1kqTUJe+bBoFtOhP+P3SayKRE=",
    100: "dUh9hYH88p0CMoHkdr1wC2szbhcLAXOejWpINIooKUY=",
    255: "SmdsuKUqiod3RX2jyF2M6JnbdE4QuTwwipfAowI4/i0=",
}


class Stored:
    """Hashes as `Frontier.append` gives them out, kept by tile level."""

    def __init__(self, batches):
        self.edge = Frontier()
        self.levels = []
        for batch in batches:
            for level, hashes in enumerate(self.edge.append(batch)):
                if level == len(self.levels):
                    self.levels.append([])
                self.levels[level] += hashes

    def __call__(self, level, first, count):
        found = self.levels[level][first : first + count]
        assert len(found) == count, "a proof read a hash that is not stored"
        return b"".join(found)


def by_definition(hashes):
    """RFC 6962, 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(by_definition(hashes[:split]), by_definition(hashes[split:]))


def path_by_definition(index, hashes):
    """RFC 6962, 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    if index < split:
        return [*path_by_definition(index, hashes[:split]), by_definition(hashes[split:])]
    return [*path_by_definition(index - split, hashes[split:]), by_definition(hashes[:split])]


def proof_by_definition(old, hashes, whole=True):
    """RFC 6962, 2.1.2, word for word."""
    if old == len(hashes):
        return [] if whole else [by_definition(hashes)]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    if old <= split:
        return [*proof_by_definition(old, hashes[:split], whole), by_definition(hashes[split:])]
    return [*proof_by_definition(old - split, hashes[split:], False), by_definition(hashes[:split])]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    stored = Stored([leaf_hashes(LEAVES[:size])])
    assert stored.edge.root().hex() == ROOTS[size]
    assert root_of(size, stored).hex() == ROOTS[size]


def test_leaf_and_node_hashes_are_those_of_the_reference():
    # transparency-dev/merkle, rfc6962/rfc6962_test.go
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


@pytest.mark.parametrize("size", GOLDEN)
def test_roots_of_larger_trees_are_those_of_the_reference(size):
    edge = Frontier()
    edge.append(leaf_hashes(i.to_bytes(2, "little") for i in range(size)))
    assert base64.b64encode(edge.root()).decode() == GOLDEN[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(index, size, proof):
    stored = Stored([leaf_hashes(LEAVES)])
    got = inclusion_proof(index, size, stored)
    assert [step.hex() for step in got] == proof
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, got, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(old, new, proof):
    stored = Stored([leaf_hashes(LEAVES)])
    got = consistency_proof(old, new, stored)
    assert [step.hex() for step in got] == proof
    verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), got)


def test_every_tree_and_proof_up_to_sixty_agrees_with_the_definition():
    hashes = leaf_hashes(b"%d" % i for i in range(60))
    stored = Stored([hashes])
    roots = [by_definition(hashes[:size]) for size in range(61)]
    for size in range(61):
        assert root_of(size, stored) == roots[size]
        for index in range(size):
            proof = inclusion_proof(index, size, stored)
            assert proof == path_by_definition(index, hashes[:size])
            verify_inclusion(hashes[index], index, size, proof, roots[size])
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, stored)
            assert proof == proof_by_definition(old, hashes[:size])
            verify_consistency(old, size, roots[old], roots[size], proof)


@given(st.lists(st.integers(0, 700), max_size=6))
def test_appending_in_any_batches_gives_the_same_tree(sizes):
    total = sum(sizes)
    hashes = leaf_hashes(b"%d" % i for i in range(total))
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    stored = Stored([hashes[start : start + size] for start, size in zip(starts, sizes, strict=True)])
    assert stored.edge.size == total
    assert stored.edge.root() == by_definition(hashes)
    assert [len(level) for level in stored.levels] == [total >> 8 * i for i in range(4) if total >> 8 * i]
    loaded = Frontier.load(total, stored)
    assert loaded.root() == stored.edge.root()
    more = leaf_hashes([b"one", b"two", b"three"])
    loaded.append(more)
    assert loaded.root() == by_definition(hashes + more)


@given(st.data())
def test_proofs_across_tile_boundaries_verify_and_no_changed_one_does(data):
    size = data.draw(st.integers(1, 1500))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    hashes = leaf_hashes(b"%d" % i for i in range(size))
    stored = Stored([hashes])
    root, old_root = stored.edge.root(), root_of(old, stored)
    inclusion, consistency = inclusion_proof(index, size, stored), consistency_proof(old, size, stored)
    verify_inclusion(hashes[index], index, size, inclusion, root)
    verify_consistency(old, size, old_root, root, consistency)
    for proof, check in (
        (inclusion, lambda p: verify_inclusion(hashes[index], index, size, p, root)),
        (consistency, lambda p: verify_consistency(old, size, old_root, root, p)),
    ):
        with pytest.raises(ProofError):
            check([*proof, root])
        if proof:
            with pytest.raises(ProofError):
                check(proof[:-1])
            at = data.draw(st.integers(0, len(proof) - 1))
            bit = data.draw(st.integers(0, 8 * HASH_BYTES - 1))
            flipped = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(HASH_BYTES, "big")
            with pytest.raises(ProofError):
                check([*proof[:at], flipped, *proof[at + 1 :]])
            with pytest.raises(ProofError):
                check([*proof[:at], proof[at][:31], *proof[at + 1 :]])
    if size > 1:
        with pytest.raises(ProofError):
            verify_inclusion(hashes[index], (index + 1) % size, size, inclusion, root)


def test_sizes_out_of_order_are_refused():
    stored = Stored([leaf_hashes(LEAVES)])
    root = stored.edge.root()
    for index, size in ((0, 0), (8, 8), (-1, 8)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, stored)
        with pytest.raises(ProofError):
            verify_inclusion(root, index, size, [], root)
    with pytest.raises(ValueError, match="no tree"):
        consistency_proof(5, 4, stored)
    with pytest.raises(ProofError):
        verify_consistency(5, 4, root, root, [])


def test_an_empty_tree_is_extended_by_any_tree_without_proof():
    root = bytes.fromhex(ROOTS[8])
    verify_consistency(0, 8, empty_root(), root, [])
    with pytest.raises(ProofError):
        verify_consistency(0, 8, empty_root(), root, [root])
    with pytest.raises(ProofError):
        verify_consistency(8, 8, bytes.fromhex(ROOTS[7]), root, [])
