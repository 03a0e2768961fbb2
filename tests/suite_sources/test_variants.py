"""Suites of variants: the same items and noise with one thing changed, from suites that ship."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import lepbench
from lepbench.cli.suite import command
from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.images import read_pixels
from lepbench.suite_sources.completion import CompletionSource
from lepbench.suite_sources.variants import OriginalItem
from lepbench.suites import Suite, SuiteDefinition, load_suite

HANDS, EDGES = "sketchworld-freehand-v1", "sketchworld-edges-v1"
ITEMS = 3


def made(kind: str, out: Path, base: str | Path = HANDS, **settings: Any) -> Suite:
    return lepbench.make_suite(kind, base, out, items=ITEMS, progress=False, **settings)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return made("completion", tmp_path_factory.mktemp("s") / "completion", fractions=(0.3, 0.6, 1.0))


def test_variants_keep_the_item_and_its_noise(unfinished: Suite) -> None:
    base = load_suite(HANDS)
    about = unfinished.definition
    assert (about.variants_of, about.levels) == (HANDS, ("0.3", "0.6", "1"))
    assert len(unfinished) == ITEMS * len(about.levels)
    for number, item in enumerate(unfinished):
        original = base[number // len(about.levels)]
        assert (item.original, item.level) == (original.item_id, about.levels[number % len(about.levels)])
        assert (item.prompt, item.label) == (original.prompt, original.label)
        assert item.mask is not None
        assert original.mask is not None
        assert np.array_equal(item.mask, original.mask)
        assert unfinished.seed(item, 1) == base.seed(original, 1) != base.seed(item.item_id, 1)


def test_the_wrong_sketch_is_the_same_variant_of_another_item(unfinished: Suite) -> None:
    for item in unfinished:
        rival = unfinished.successor(item)
        assert rival.level == item.level
        assert rival.original != item.original


@settings(max_examples=20)
@given(st.integers(0, 255), st.floats(0.01, 1))
def test_a_share_of_the_strokes_is_the_first_of_them(position: int, share: float) -> None:
    suite = load_suite(HANDS)
    item = suite[position]
    (level,) = CompletionSource(path=Path(HANDS), fractions=(share,)).list_levels()
    source = CompletionSource(path=Path(HANDS), fractions=(float(level),))
    row = source.vary(OriginalItem(item, suite.read_row(position), suite), level)
    given_strokes, whole = read_pixels(row["strokes"]), read_pixels(row["whole"])
    numbers = sorted({int(number) for number in item.strokes.ravel()} - {0})
    wanted = numbers[: math.ceil(round(float(level) * len(numbers), 6))]
    assert np.array_equal(given_strokes, np.where(np.isin(item.strokes, wanted), item.strokes, 0))
    assert np.array_equal(read_pixels(row["sketch"]), given_strokes > 0)
    assert np.array_equal(whole, item.strokes)


def test_it_is_scored_by_its_own_protocol_and_the_base_keeps_its_own(unfinished: Suite) -> None:
    from lepbench.evaluation.protocols import select_protocol

    protocol = select_protocol(unfinished)
    assert protocol.name == "lepbench-completion-v1"
    assert "variants" in protocol.measures
    assert protocol.levels == unfinished.definition.levels
    assert "variants" in select_protocol(unfinished, "lepbench-freehand-v1").measures
    plain = select_protocol(load_suite(HANDS))
    assert "variants" not in plain.measures
    assert not {"by_level", "levels"} & set(plain.model_dump())


@pytest.mark.parametrize(
    ("base", "wish", "message"),
    [
        (EDGES, {}, "completion needs numbered strokes, and suite 'sketchworld-edges-v1' has none"),
        (HANDS, {"fractions": (0.5, 0.5)}, "must rise"),
        (HANDS, {"fractions": (0.5, 1.5)}, "fractions entry 2 must be at most 1"),
        ("sketchworld-freehand", {}, "did you mean 'sketchworld-freehand-v1'"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, base: str, wish: dict[str, Any], message: str) -> None:
    with pytest.raises(LepbenchError) as caught:
        made("completion", tmp_path / "out", base, **wish)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "wish"),
    [
        ("completion", {"fractions": (0.3333333, 0.33333334)}),
        ("strokes", {"weights": (1, 1.0)}),
        ("robust", {"changes": ("none", "none")}),
    ],
)
def test_a_level_is_named_once(tmp_path: Path, kind: str, wish: dict[str, Any]) -> None:
    with pytest.raises(LepbenchError, match=f"{kind} names level '.*' twice; name each once"):
        made(kind, tmp_path / "out", **wish)


@pytest.mark.parametrize(
    ("kind", "stays"), [("maps", True), ("conflict", True), ("prompts", True), ("robust", False)]
)
def test_an_edge_map_stays_one_where_the_sketch_does(tmp_path: Path, kind: str, stays: bool) -> None:
    assert ("edges" in made(kind, tmp_path / "s", EDGES).definition.truths) == stays


@pytest.mark.parametrize(
    ("kind", "protocol"), [("prompts", "lepbench-photographs-v1"), ("robust", "lepbench-drawings-v2")]
)
def test_other_suites_keep_a_protocol_that_fits(tmp_path: Path, kind: str, protocol: str) -> None:
    base = tmp_path / "base"
    shutil.copytree(load_suite(EDGES).folder, base)
    about = load_config(base / "suite.yaml", SuiteDefinition).model_dump(mode="json")
    about |= {"name": "photographs", "truths": ["picture", "edges"], "protocol": "lepbench-photographs-v1"}
    (base / "suite.yaml").write_text(yaml.safe_dump(about))
    wish: dict[str, Any] = (
        {"paraphrases": 0, "templates": {"oil": "{prompt} in oil"}} if kind == "prompts" else {}
    )
    assert made(kind, tmp_path / "s", base, **wish).definition.protocol == protocol


def test_show_says_what_varies(unfinished: Suite) -> None:
    shown = CliRunner().invoke(command, ["show", str(unfinished.folder)], catch_exceptions=False).output
    assert f"variants  of {HANDS}: 0.3, 0.6, 1" in shown
    plain = CliRunner().invoke(command, ["show", HANDS], catch_exceptions=False).output
    assert "variants" not in plain


def test_variants_of_variants_are_refused(unfinished: Suite, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="holds variants already; take 'sketchworld-freehand-v1' instead"):
        made("completion", tmp_path / "out", unfinished.folder)


def test_a_limit_counts_originals_with_all_their_variants(unfinished: Suite) -> None:
    levels = len(unfinished.definition.levels)
    assert unfinished.items(2).ids == unfinished.item_ids[: 2 * levels]
    assert unfinished.items().ids == unfinished.items(ITEMS).ids == unfinished.item_ids
    assert [unfinished.count_originals(count) for count in (1, levels, levels + 1, len(unfinished))] == [
        0,
        1,
        1,
        ITEMS,
    ]
    with pytest.raises(LepbenchError, match="holds 3 items with all their variants, not 4; give"):
        unfinished.items(ITEMS + 1)
    plain = load_suite(HANDS)
    assert plain.items(5).ids == plain.item_ids[:5]
    assert plain.count_originals(5) == 5


def test_the_default_name_counts_as_the_option_does(unfinished: Suite) -> None:
    assert unfinished.name == f"completion-{ITEMS}"


def test_an_export_holds_every_variant_of_the_originals_it_is_limited_to(
    unfinished: Suite, tmp_path: Path
) -> None:
    ran = CliRunner().invoke(
        command,
        ["export", str(unfinished.folder), "--out", str(tmp_path / "e"), "--limit", "1"],
        catch_exceptions=False,
    )
    assert ran.exit_code == 0
    _, *lines = (tmp_path / "e" / "prompts.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == unfinished.item_ids[: len(unfinished.definition.levels)]
    assert "--limit 1" in (tmp_path / "e" / "README.md").read_text()
