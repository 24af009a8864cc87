"""Paths, bundles and sizes of tiles as C2SP tlog-tiles has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .damage import Damaged
from .tiles import ENTRIES, TileReader, first_wrong, pack_bundle, parse_tile_path, tile_path, tiles_of, unpack_bundle


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/x001/x234/067", (0, 1234067, 256)),  # C2SP tlog-tiles, "Merkle Tree"
        ("tile/0/001", (0, 1, 256)),  # the others after golang.org/x/mod/sumdb/tlog, tile_test.go
        ("tile/0/001.p/5", (0, 1, 5)),
        ("tile/5/x123/x456/078", (5, 123456078, 256)),
        ("tile/5/x123/x456/078.p/2", (5, 123456078, 2)),
        ("tile/entries/x003/x057/500", (ENTRIES, 3057500, 256)),
        ("tile/63/000.p/255", (63, 0, 255)),
    ],
)
def test_paths_are_those_of_the_specification(path, tile):
    assert tile_path(*tile) == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/5/123/456/078",
        "tile/-1/001",
        "tile/64/001",
        "tile/00/001",
        "tile/0/1",
        "tile/0/x000/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/05",
        "tile/data/001",
        "tile/0/../../key",
        "tile/0/001\n",
        "/tile/0/001",
        "checkpoint",
        "",
    ],
)
def test_other_paths_are_none(path):
    assert parse_tile_path(path) is None


@given(st.one_of(st.integers(0, 63), st.just(ENTRIES)), st.integers(0, 2**56), st.integers(1, 256))
def test_paths_parse_back(level, number, width):
    assert parse_tile_path(tile_path(level, number, width)) == (level, number, width)


def test_tiles_of_the_sizes_that_the_specification_gives():
    assert list(tiles_of(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(tiles_of(256)) == [(0, 1, 0), (1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_bundles_unpack_to_what_was_packed(entries):
    assert unpack_bundle(pack_bundle(entries)) == (entries, True)


def test_a_bundle_has_big_endian_lengths_and_holds_the_largest_entry():
    assert pack_bundle([b"", b"a"]) == b"\0\0\0\1a"
    largest = bytes(65_535)
    assert pack_bundle([largest]) == b"\xff\xff" + largest
    assert unpack_bundle(pack_bundle([largest])) == ([largest], True)


@given(st.binary(max_size=60))
def test_any_bytes_unpack_to_entries_that_pack_to_their_beginning(data):
    entries, whole = unpack_bundle(data)
    packed = pack_bundle(entries)
    assert data.startswith(packed)
    assert whole == (len(packed) == len(data))


def test_the_first_wrong_place_is_found_among_changed_missing_and_additional_hashes():
    right = [b"a", b"b", b"c"]
    assert first_wrong(right, True, right) is None
    assert first_wrong([b"a", b"x", b"y"], True, right) == 1
    assert first_wrong([b"a", b"b"], True, right) == 2
    assert first_wrong([*right, b"d"], True, right) == 2
    assert first_wrong(right, False, right) == 2


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one():
    full = bytes(range(256)) * 32
    files = {"tile/0/000": full, "tile/entries/000": pack_bundle([b"%d" % i for i in range(256)])}
    read = {}

    def fetch(path):
        if path not in files:
            raise FileNotFoundError(path)
        read[path] = read.get(path, 0) + 1
        return files[path]

    reader = TileReader(fetch)
    assert reader.tile(0, 0, 3) == full[:96]
    assert reader.hashes(3)(0, 1, 2) == full[32:96]
    assert reader.bundle(0, 3) == ("tile/entries/000", [b"0", b"1", b"2"], True)
    assert read["tile/0/000"] == 1, "a full tile is fetched once"
    with pytest.raises(Damaged, match=r"tile/1/000\.p/5: the file is missing"):
        reader.tile(1, 0, 5)


def test_a_tile_of_another_length_is_damage():
    with pytest.raises(Damaged, match="31 bytes, not 32"):
        TileReader(lambda path: bytes(31)).tile(0, 0, 1)


def test_the_cache_of_full_tiles_stays_small():
    fetched = []
    reader = TileReader(lambda path: fetched.append(path) or bytes(8192), cache_tiles=2)
    for number in (0, 1, 2, 0):
        reader.tile(0, number, 256)
    assert fetched == ["tile/0/000", "tile/0/001", "tile/0/002", "tile/0/000"]
