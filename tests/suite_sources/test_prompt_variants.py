"""Suites of prompts: other words for the same scene, styles, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lepbench
from lepbench.errors import LepbenchError
from lepbench.sketchworld import list_phrases
from lepbench.suite_sources.prompt_variants import paraphrase_prompt
from lepbench.suites import load_suite

EDGES = "sketchworld-edges-v1"
KINDS = {kind: [phrase for phrase, of in list_phrases() if of == kind] for kind in ("shape", "colour")}


@settings(max_examples=20)
@given(st.integers(0, 511), st.integers(1, 4), st.integers(0, 9))
def test_paraphrases_say_the_same_otherwise(position: int, count: int, seed: int) -> None:
    item = load_suite(EDGES)[position]
    found = paraphrase_prompt(item.prompt, item.scene, count, seed)
    assert len({item.prompt, *found}) == count + 1
    things = json.loads(item.scene)["things"]
    for text in found:
        for kind, phrases in KINDS.items():
            named = {phrase for phrase in phrases if phrase in text.split()}
            assert named == {phrase for phrase in phrases if phrase in item.prompt.split()}
            assert {thing[kind] for thing in things} <= named
    assert paraphrase_prompt(item.prompt, item.scene, count + 1, seed)[:count] == found


def test_the_sketch_and_noise_stay_and_the_words_differ(tmp_path: Path) -> None:
    suite = lepbench.make_suite(
        "prompts", EDGES, tmp_path / "s", items=2, progress=False, templates={"ink": "{prompt}, in ink"}
    )
    assert suite.definition.levels == ("own", "paraphrase-1", "paraphrase-2", "paraphrase-3", "ink")
    items = list(suite)[:5]
    assert len({item.prompt for item in items}) == 5
    assert items[-1].prompt == f"{items[0].prompt}, in ink"
    assert items[0].prompt == load_suite(EDGES)[0].prompt
    assert len({suite.seed(item, 0) for item in items}) == 1
    assert all(np.array_equal(item.sketch, items[0].sketch) for item in items)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (
            {"templates": {"oil": "an oil painting"}},
            "template 'oil' has no {prompt}; write it where the prompt",
        ),
        ({"templates": {"own": "{prompt}!"}}, "a template cannot be called 'own'"),
        ({"templates": {"": "{prompt}!"}}, "a template has an empty name"),
        ({"templates": {"oil": "{prompt} {x}"}}, "unknown placeholder {x}; the only one is {prompt}"),
        ({"templates": {"a b": "{prompt}!"}}, "'a b' is no name of a template"),
        ({"templates": {"a" * 300: "{prompt}!"}}, "'aaaaaaaaaaaaaaaa...' of a template has over 40 letters"),
        ({"templates": {"Oil": "{prompt}!", "oil": "{prompt}?"}}, "names that differ in capitals alone"),
        ({"templates": {"oil": "{prompt}!", "ink": "{prompt}!"}}, "two templates are alike"),
        ({"templates": {"oil": "{prompt}"}}, "or one is '{prompt}' alone"),
        ({"paraphrases": 1, "seed": 10**30}, "seed"),
        ({"paraphrases": 0}, "paraphrases is 0 and there are no templates"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, wish: dict[str, Any], message: str) -> None:
    with pytest.raises(LepbenchError) as caught:
        lepbench.make_suite("prompts", EDGES, tmp_path / "s", progress=False, **wish)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_has_no_scene_has_templates_alone(tmp_path: Path) -> None:
    source = tmp_path / "plain"
    source.mkdir()
    (source / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        '<path d="M5 5L50 50" stroke="black"/></svg>'
    )
    (source / "a.txt").write_text("a line")
    plain = lepbench.make_suite("folder", source, tmp_path / "base", size=64, progress=False)
    with pytest.raises(LepbenchError, match="no scenes to paraphrase; give --set paraphrases=0"):
        lepbench.make_suite("prompts", plain.folder, tmp_path / "s", progress=False)
    suite = lepbench.make_suite(
        "prompts",
        plain.folder,
        tmp_path / "s",
        progress=False,
        paraphrases=0,
        templates={"oil": "{prompt} in oil"},
    )
    assert [item.prompt for item in suite] == ["a line", "a line in oil"]
    assert suite.definition.protocol == plain.definition.protocol
