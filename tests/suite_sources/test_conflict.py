"""Suites of conflicts: only the class in the prompt changes, and figures tell whose class is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from tiny_evaluation import pictures_of

import lepbench
from lepbench.errors import LepbenchError
from lepbench.evaluation.measures import ConditionSamples
from lepbench.evaluation.measures.conflict import Conflict
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Sample
from lepbench.evaluation.score import score_pictures
from lepbench.judges import Judges, load_judge, select_judge
from lepbench.suite_sources.conflict import replace_class
from lepbench.suites import Suite, load_suite

EDGES = "sketchworld-edges-v1"
ITEMS = 12
LINE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path d="M5 5L50 50" stroke="black"/></svg>'
)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return lepbench.make_suite(
        "conflict", EDGES, tmp_path_factory.mktemp("s") / "conflict", items=ITEMS, progress=False
    )


def test_the_class_alone_is_replaced(suite: Suite) -> None:
    base = load_suite(EDGES)
    assert len(suite) == 2 * ITEMS
    for item in suite:
        assert item.original is not None
        assert item.label is not None
        assert item.prompt_label is not None
        original = base[item.original]
        assert item.label == original.label
        assert (item.prompt_label == item.label) == (item.level == "own")
        assert item.prompt_label in suite.classes
        assert re.sub(item.prompt_label, item.label, item.prompt) == original.prompt
    assert suite.classes == sorted({*suite.classes} & {*base.classes})


@pytest.mark.parametrize(
    ("prompt", "label", "other", "expected"),
    [
        ("an umbrella", "umbrella", "house", "a house"),
        ("A house by an old house", "house", "apple", "An apple by an old apple"),
        ("a red house", "house", "apple", "a red apple"),
        ("houses and a  House", "house", "owl", "houses and an  owl"),
    ],
)
def test_the_article_goes_by_the_class(prompt: str, label: str, other: str, expected: str) -> None:
    assert replace_class(prompt, label, other) == expected


def test_items_that_name_no_class_are_left_out(suite: Suite) -> None:
    lines = [json.loads(line) for line in (suite.folder / "rejected.jsonl").read_text().splitlines()]
    assert {line["reason"] for line in lines} == {"no class or caption"}
    two = [item.item_id for item in load_suite(EDGES).items() if item.label is None]
    assert {line["id"].rpartition("-")[0] for line in lines} <= set(two)
    assert suite.definition.drawn.left_out == {"no class or caption": len(lines)}


def test_a_prompt_without_its_class_is_left_out(tmp_path: Path) -> None:
    suite = lepbench.make_suite("conflict", named(tmp_path, "a photo"), tmp_path / "s", progress=False)
    assert suite.definition.drawn.left_out == {"the prompt does not name the class": 2}
    assert {item.prompt for item in suite} == {"A cat, a catfish", "A dog, a catfish"}


def named(folder: Path, other: str) -> Path:
    """A suite of two drawings: the prompt of one names its class, that of the other does not."""
    source = folder / "source"
    source.mkdir()
    for name in ("one", "two"):
        (source / f"{name}.svg").write_text(LINE)
    (source / "prompts.csv").write_text(
        f'sketch,prompt,class\none.svg,"A cat, a catfish",cat\ntwo.svg,{other},dog\n'
    )
    return lepbench.make_suite("folder", source, folder / "base", size=64, progress=False).folder


def test_the_class_that_is_shown_counts_for_whom_it_is(suite: Suite) -> None:
    judge = select_judge("sketchworld-classifier")
    protocol = Protocol(
        name="shown", size=64, detector={"name": "canny"}, measures=("conflict",), judges=(judge,)
    )
    items = list(suite)
    samples = [Sample(suite, position, 0) for position in range(len(items))]
    frame = pd.DataFrame(
        score_pictures(
            pictures_of(items),
            samples,
            truths=items,
            judges=Judges({judge.label: load_judge(judge)}),
            protocol=protocol,
        )
    ).assign(item_id=[item.item_id for item in items], sample_index=0)
    own = frame[[item.level == "own" for item in items]]
    other = frame[[item.level == "other" for item in items]]
    for rows, expected in ((own, (1.0, 1.0)), (other, (1.0, 0.0))):
        found = Conflict().draws(ConditionSamples(rows, rows.set_index("item_id"), protocol))
        assert tuple(draws.value for draws in found.values()) == expected


def test_a_suite_without_classes_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "plain"
    source.mkdir()
    (source / "a.svg").write_text(LINE)
    (source / "a.txt").write_text("something")
    plain = lepbench.make_suite("folder", source, tmp_path / "base", size=64, progress=False)
    with pytest.raises(LepbenchError, match="conflict needs the class of an item"):
        lepbench.make_suite("conflict", plain.folder, tmp_path / "s", progress=False)
