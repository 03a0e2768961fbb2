"""Attributes that were asked for against those seen, by cases that can be counted."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.errors import LepbenchError
from lepbench.metrics.attributes import DIRECTIONS, AttributeScores, Look, pair_looks, score_attributes

FISH = Look("fish", "red", "striped", "sea", x=0.2, y=0.5)
LAMP = Look("lamp", "blue", "plain", "sea", x=0.7, y=0.4)
PLACES = st.floats(0, 1)


def test_what_was_asked_for_scores_one_in_any_order() -> None:
    whole = AttributeScores(1, 1, 1, 1, 1)
    assert score_attributes([FISH, LAMP], [FISH, LAMP], "left of") == whole
    assert score_attributes([LAMP, FISH], [FISH, LAMP], "left of") == whole


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([FISH._replace(colour="blue"), LAMP], AttributeScores(0.5, 1, 1, 1, 1)),
        ([FISH._replace(texture="plain"), LAMP], AttributeScores(1, 0.5, 0, 1, 1)),
        ([FISH, LAMP._replace(texture="dotted")], AttributeScores(1, 0.5, 1, 1, 1)),
        ([FISH._replace(background="sand"), LAMP], AttributeScores(1, 1, 1, 0, 1)),
        ([FISH._replace(x=0.9), LAMP], AttributeScores(1, 1, 1, 1, 0)),
        ([FISH], AttributeScores(0.5, 0.5, 1, 1, 0)),
        ([LAMP], AttributeScores(0.5, 0.5, 0, 1, 0)),
        ([FISH, LAMP._replace(shape="cup")], AttributeScores(1, 1, 1, 1, 0)),
        ([], AttributeScores(0, 0, 0, 0, 0)),
    ],
)
def test_each_fault_is_counted_where_it_belongs(seen: list[Look], expected: AttributeScores) -> None:
    assert score_attributes(seen, [FISH, LAMP], "left of") == expected


def test_what_is_not_asked_for_is_unknown() -> None:
    found = score_attributes([LAMP], [LAMP])
    assert (found.pattern, found.relation, found.colour) == (None, None, 1)


@given(PLACES, PLACES, PLACES, PLACES)
def test_a_relation_holds_in_one_direction(x: float, y: float, other_x: float, other_y: float) -> None:
    seen = [FISH._replace(x=x, y=y), LAMP._replace(x=other_x, y=other_y)]
    holds = {name: score_attributes(seen, [FISH, LAMP], name).relation for name in DIRECTIONS}
    assert holds == {
        "left of": x < other_x,
        "right of": x > other_x,
        "above": y < other_y,
        "below": y > other_y,
    }


LOOKS = st.builds(
    Look, *(st.sampled_from(values) for values in (["fish", "cup"], ["red", "blue"], ["plain"], ["sea"]))
)


@given(st.lists(LOOKS, max_size=3), st.lists(LOOKS, min_size=1, max_size=3))
def test_pairs_have_as_many_equal_shapes_as_any(seen: list[Look], asked: list[Look]) -> None:
    def count(pairs: list[tuple[Look, Look | None]]) -> int:
        return sum(found is not None and found.shape == thing.shape for thing, found in pairs)

    padded: list[Look | None] = [*seen, *[None] * len(asked)]
    orders = itertools.permutations(padded, len(asked))
    best = max(count(list(zip(asked, order, strict=True))) for order in orders)
    assert count(list(zip(asked, pair_looks(seen, asked), strict=True))) == best


@pytest.mark.parametrize(("asked", "relation"), [([], None), ([FISH], "above"), ([FISH, LAMP], "near")])
def test_what_cannot_be_scored_is_refused(asked: list[Look], relation: str | None) -> None:
    with pytest.raises(LepbenchError, match="cannot be scored"):
        score_attributes([FISH], asked, relation)
