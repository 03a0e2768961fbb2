"""Names and subjects of emoji: variants of one emoji are one subject, on one side of the split."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("emoji", reason="the extra openmoji is not installed")

from lepbench.sketches.emoji_names import (
    ALIKE,
    describe_emoji,
    find_subject,
    is_held_out,
    load_alike,
    load_names,
    rank_variant,
    read_code_points,
)

TONES = range(0x1F3FB, 0x1F400)
HAIR = range(0x1F9B0, 0x1F9B4)
SIGNS = (0x200D, 0x2640, 0x2642, 0x27A1)
"""Joiner, signs of gender, and the arrow of what faces right."""
PEOPLE = {0x1F468: 0x1F9D1, 0x1F469: 0x1F9D1}
EVERY = sorted(load_names())


def strip_variant(points: tuple[int, ...]) -> tuple[int, ...]:
    """An emoji by its code points alone: without tone, hair, gender and direction, its people neutral."""
    kept = [point for point in points if point not in TONES and point not in HAIR and point not in SIGNS]
    return tuple(PEOPLE.get(point, point) for point in kept) or points


@pytest.mark.parametrize(
    ("stem", "caption", "label", "subject"),
    [
        ("1F600", "grinning face emoji", "grinning face", "grinning face"),
        ("1F468-1F3FE-200D-1F373", "man cook emoji, medium-dark skin tone", "man cook", "cook"),
        ("1F9D1-200D-1F373", "cook emoji", "cook", "cook"),
        ("1F469-1F3FB-200D-1F9B0", "woman emoji, light skin tone, red hair", "woman", "person"),
        ("1F468-200D-1F469-200D-1F467", "family emoji, man, woman, girl", "family", "family"),
        ("1F48F-1F3FD", "kiss emoji, medium skin tone", "kiss", "kiss"),
        ("1F48B", "kiss mark emoji", "kiss mark", "kiss mark"),
        ("1F1E8-1F1ED", "flag of switzerland emoji", "flag of switzerland", "flag"),
        ("1F3F4-E0067-E0062-E0065-E006E-E0067-E007F", "flag of england emoji", "flag of england", "flag"),
        ("0031-FE0F-20E3", "keycap 1 emoji", "keycap 1", "keycap"),
        ("2764-FE0F", "red heart emoji", "red heart", "heart"),
        ("2764", "red heart emoji", "red heart", "heart"),
        ("1F452", "woman's hat emoji", "woman's hat", "woman's hat"),
        ("1F565", "ten-thirty emoji", "ten-thirty", "clock face"),
        ("1F3FB", "light skin tone emoji", "light skin tone", "skin tone"),
    ],
)
def test_what_is_said_of_an_emoji(stem: str, caption: str, label: str, subject: str) -> None:
    assert describe_emoji(read_code_points(stem)) == (caption, label, subject)


def test_what_is_no_emoji_has_no_name() -> None:
    assert describe_emoji(read_code_points("E2CC")) is None
    with pytest.raises(ValueError, match="invalid literal"):
        read_code_points("readme")


def test_every_name_is_words_in_small_letters() -> None:
    for points in EVERY:
        about = describe_emoji(points)
        assert about is not None
        assert about.caption.startswith(f"{about.label} emoji")
        assert about.subject
        assert all(text == text.lower().strip() and not {":", "_"} & set(text) for text in about)


def test_variants_by_code_points_are_one_subject() -> None:
    subjects = defaultdict(set)
    for points in EVERY:
        about = describe_emoji(points)
        assert about is not None
        subjects[strip_variant(points)].add(about.subject)
    assert {tuple(found) for found in subjects.values() if len(found) > 1} == set()
    assert len(subjects) > 1500


@given(st.sampled_from(EVERY), st.floats(0.05, 0.95))
def test_no_variant_is_on_the_other_side(points: tuple[int, ...], share: float) -> None:
    about, base = describe_emoji(points), describe_emoji(strip_variant(points))
    assert about is not None
    if base is not None:
        assert is_held_out(about.subject, share) == is_held_out(base.subject, share)


@given(st.text(min_size=1), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_larger_share_takes_nothing_back(subject: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert is_held_out(subject, high) or not is_held_out(subject, low)


def test_what_is_drawn_alike_is_on_one_side() -> None:
    lines = ALIKE.read_text(encoding="utf-8").splitlines()
    groups = [line.split("; ") for line in lines]
    names = [subject for group in groups for subject in group]
    assert len(names) == len(set(names)) == len(load_alike())
    assert all(len(group) > 1 for group in groups)
    known = {about.subject for points in EVERY if (about := describe_emoji(points))}
    assert set(names) <= known
    for share in (0.1, 0.25, 0.5):
        assert all(len({is_held_out(subject, share) for subject in group}) == 1 for group in groups)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("left arrow", "up-right arrow"),
        ("blue book", "orange book"),
        ("man with white cane facing right", "woman with white cane"),
        ("prince", "person with crown"),
        ("waxing gibbous moon", "full moon face"),
    ],
)
def test_colours_people_and_directions_are_passed_over(one: str, other: str) -> None:
    assert find_subject(one) == find_subject(other)


def test_the_base_form_has_no_gender_and_no_tone() -> None:
    forms = {"man cook": (1, 2), "cook": (3, 4), "woman cook": (1,)}
    ranked = sorted(forms, key=lambda label: rank_variant(forms[label], label))
    assert ranked == ["cook", "woman cook", "man cook"]
