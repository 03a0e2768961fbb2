"""Perceptual hashes, and the search for near ones, against brute force and a peer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from lepbench.data.picture import crop_centre, fit_square
from lepbench.data.similar import distances, first_of_kind, near_pairs, perceptual_hash
from lepbench.images import square

PHOTOGRAPHS = {
    name: np.asarray(getattr(data, name)()) for name in ("astronaut", "coffee", "chelsea", "rocket")
}
hashes = st.lists(
    st.integers(0, 2**64 - 1)
    | st.builds(lambda bits: sum(1 << bit for bit in bits), st.sets(st.integers(0, 63), max_size=4)),
    max_size=30,
)


def bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()


@pytest.mark.parametrize("name", list(PHOTOGRAPHS))
def test_what_is_done_to_a_picture_on_its_way_changes_few_bits(name: str) -> None:
    picture = PHOTOGRAPHS[name]
    own = perceptual_hash(picture)
    smaller = cv2.resize(picture, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])
    unpacked = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert unpacked is not None
    brighter = np.clip(picture * 0.9 + 15, 0, 255).astype(np.uint8)
    for changed in (smaller, unpacked, brighter):
        assert bits(own, perceptual_hash(changed)) <= 4
    for other in set(PHOTOGRAPHS) - {name}:
        assert bits(own, perceptual_hash(PHOTOGRAPHS[other])) > 16


@pytest.mark.parametrize("name", list(PHOTOGRAPHS))
def test_the_hash_is_that_of_imagehash_but_for_its_way_of_shrinking(name: str) -> None:
    imagehash = pytest.importorskip("imagehash")
    theirs = int(str(imagehash.phash(Image.fromarray(crop_centre(PHOTOGRAPHS[name])))), 16)
    assert bits(perceptual_hash(PHOTOGRAPHS[name]), theirs) <= 4


@pytest.mark.parametrize("shape", [(200, 320), (320, 200), (150, 451), (299, 300)])
@pytest.mark.parametrize("name", list(PHOTOGRAPHS))
def test_a_picture_that_was_cut_square_has_the_hash_of_the_whole(name: str, shape: tuple[int, int]) -> None:
    picture = cv2.resize(PHOTOGRAPHS[name], shape[::-1], interpolation=cv2.INTER_AREA)
    own = perceptual_hash(picture)
    assert perceptual_hash(crop_centre(picture)) == own
    for size in (64, 100, 512):
        assert bits(own, perceptual_hash(fit_square(picture, size))) <= 4
    assert bits(own, perceptual_hash(np.asarray(square(Image.fromarray(picture), 128)))) <= 4


def by_hand(picture: np.ndarray) -> int:
    """The hash as it is defined, its grey picture averaged in one step."""
    grey = cv2.cvtColor(np.ascontiguousarray(crop_centre(picture)), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    return sum(1 << (63 - place) for place, value in enumerate(low) if value > np.median(low))


@pytest.mark.parametrize("side", [33, 64, 255, 301])
@pytest.mark.parametrize("name", list(PHOTOGRAPHS))
def test_the_hash_is_that_of_its_definition(name: str, side: int) -> None:
    picture = cv2.resize(PHOTOGRAPHS[name], (side + 20, side), interpolation=cv2.INTER_AREA)
    assert perceptual_hash(picture) == by_hand(picture)


@pytest.mark.parametrize("side", [256, 512, 700, 1600])
@pytest.mark.parametrize("name", list(PHOTOGRAPHS))
def test_halving_first_changes_what_rounding_does(name: str, side: int) -> None:
    picture = cv2.resize(PHOTOGRAPHS[name], (side, side + 20), interpolation=cv2.INTER_AREA)
    assert bits(perceptual_hash(picture), by_hand(picture)) <= 2


@given(hashes, hashes, st.integers(0, 8))
def test_near_pairs_are_those_of_brute_force(one: list[int], other: list[int], most: int) -> None:
    found = set(near_pairs(np.array(one, np.uint64), np.array(other, np.uint64), most))
    assert found == {(i, j) for i, a in enumerate(one) for j, b in enumerate(other) if bits(a, b) <= most}


@given(hashes, st.integers(0, 8), st.data())
def test_the_first_of_a_kind_stays_and_leaving_others_out_changes_nothing(
    found: list[int], most: int, draw: st.DataObject
) -> None:
    stands = first_of_kind(np.array(found, np.uint64), most)
    kept: list[int] = []
    for place, value in enumerate(found):
        earlier = [k for k in kept if bits(found[k], value) <= most]
        assert stands[place] == (min(earlier) if earlier else place)
        kept += [] if earlier else [place]
    gone = draw.draw(st.sets(st.sampled_from([p for p in range(len(found)) if p not in kept] or [-1])))
    left = [place for place in range(len(found)) if place not in gone]
    again = first_of_kind(np.array([found[place] for place in left], np.uint64), most)
    assert [left[place] for place in again] == [stands[place] for place in left]


def test_distances_count_bits() -> None:
    one = np.array([0, 1, 2**64 - 1], np.uint64)
    assert distances(one, np.zeros((), np.uint64)).tolist() == [0, 1, 64]
