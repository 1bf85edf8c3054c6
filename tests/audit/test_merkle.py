"""The Merkle tree is that of RFC 9162, for every size, and a path proves one leaf alone."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.audit.standalone import Broken, leaf_hash, path_of, root_from_path, root_of


def by_the_book(leaves):
    """RFC 9162, 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_the_book(leaves[:k]) + by_the_book(leaves[k:])).digest()


def leaves(size):
    return [leaf_hash(str(number).encode()) for number in range(size)]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 7, 8, 9, 31, 100])
def test_root_is_the_one_of_the_rfc(size):
    assert root_of(leaves(size)) == by_the_book(leaves(size))


def test_known_roots_of_certificate_transparency():
    """The first leaves of the test vectors that Certificate Transparency implementations share."""
    data = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
    assert root_of([leaf_hash(data[0])]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert (
        root_of([leaf_hash(each) for each in data[:3]]).hex()
        == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    )


@given(st.integers(1, 70), st.data())
def test_every_path_leads_to_the_root_and_no_other_leaf_does(size, data):
    tree = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    path = path_of(tree, index)
    assert root_from_path(tree[index], index, size, path) == root_of(tree)
    assert root_from_path(leaf_hash(b"another"), index, size, path) != root_of(tree)


def test_a_path_of_the_wrong_length_is_refused():
    tree = leaves(5)
    path = path_of(tree, 2)
    for wrong, said in ((path[:-1], "fewer steps"), ([*path, path[0]], "more steps")):
        with pytest.raises(Broken, match=said):
            root_from_path(tree[2], 2, 5, wrong)
    with pytest.raises(Broken, match="outside its tree"):
        root_from_path(tree[2], 5, 5, path)
