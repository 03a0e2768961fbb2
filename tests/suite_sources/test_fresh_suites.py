"""Fresh suites: a secret chooses the scenes, whoever has it remakes them, and the suite hides it."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lepbench import make_suite
from lepbench.cli.suite import command
from lepbench.detectors import Canny
from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.images import to_tensor
from lepbench.run_sets.suite_config import SuiteEntry
from lepbench.sketchworld import render, scene
from lepbench.suite_sources import FreshSource
from lepbench.suite_sources.recognise import list_differences
from lepbench.suite_sources.secret import draw_index
from lepbench.suite_sources.sketchworld import RECIPES
from lepbench.suites import Suite, load_suite

SECRET = b"a secret that everyone may know"
PUBLISHED = 1 << 52


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command, [str(part) for part in arguments], catch_exceptions=False)


def hash_by_key(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 as RFC 2104 writes it."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    return path


def make(secret: Path, out: Path, **settings: Any) -> Suite:
    return make_suite("sketchworld", None, out, secret=secret, progress=False, **{"items": 8, **settings})


def list_indices(suite: Suite) -> list[int]:
    return [json.loads(item.scene)["index"] for item in suite]


def test_indices_are_bits_of_an_hmac_beyond_all_published_ones() -> None:
    for number in range(20):
        message = f"sketchworld-edges-v1\x1f0\x1f{number}".encode()
        bits = int.from_bytes(hash_by_key(SECRET, message), "big") >> (256 - 52)
        index = draw_index(SECRET, "sketchworld-edges-v1", 0, number)
        assert index == PUBLISHED + bits
        assert PUBLISHED <= index < 1 << 53
    for recipe in map(RECIPES.get, RECIPES):
        about = load_suite(recipe.name).definition.drawn
        assert about.first_index + about.considered < PUBLISHED


def test_items_are_the_scenes_at_these_indices_with_their_edge_maps(secret: Path, tmp_path: Path) -> None:
    suite = make(secret, tmp_path / "fresh")
    drawn = [draw_index(SECRET, "sketchworld-edges-v1", 0, number) for number in range(16)]
    indices = list_indices(suite)
    assert indices == [index for index in drawn if index in indices]
    assert len(set(indices)) == 8
    for item, index in zip(suite, indices, strict=True):
        picture = render(scene("test", index)).image
        assert item.prompt == scene("test", index).caption
        assert item.image is not None
        assert np.array_equal(item.image, picture)
        assert np.array_equal(item.sketch, Canny(low=0.3, high=0.6)(to_tensor(picture)[None])[0].numpy())


def test_a_revealed_secret_makes_the_same_bytes_and_another_one_other_scenes(
    secret: Path, tmp_path: Path
) -> None:
    first, again = make(secret, tmp_path / "first"), make(secret, tmp_path / "again")
    assert again.sha256 == first.sha256
    assert first.definition.drawn.settings["secret_sha256"] == hashlib.sha256(SECRET).hexdigest()
    (tmp_path / "other").write_bytes(SECRET[::-1])
    indices = {*list_indices(first)}
    for other in (make(tmp_path / "other", tmp_path / "a"), make(secret, tmp_path / "b", seed=1)):
        assert not indices & {*list_indices(other)}


def test_more_items_of_one_secret_begin_with_the_fewer(secret: Path, tmp_path: Path) -> None:
    for recipe in RECIPES:
        few = make(secret, tmp_path / f"few-{recipe}", recipe=recipe)
        more = make(secret, tmp_path / f"more-{recipe}", recipe=recipe, items=12)
        assert more.item_ids[:8] == few.item_ids


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_a_fresh_suite_is_scored_under_the_terms_of_the_one_that_ships(
    secret: Path, tmp_path: Path, recipe: str
) -> None:
    fresh, shipped = make(secret, tmp_path / "fresh", recipe=recipe), load_suite(recipe)
    assert select_protocol(fresh).sha256 == select_protocol(shipped).sha256
    assert set(fresh.definition.truths) == set(shipped.definition.truths)
    levels = [name.rpartition("level")[2] for name in fresh.item_ids]
    assert levels == (["1", "2", "3", "4"] * 2 if RECIPES.get(recipe).levels else fresh.item_ids)


def test_a_missing_secret_is_made_for_its_owner_alone_and_is_not_in_the_suite(tmp_path: Path) -> None:
    path, out = tmp_path / "kept" / "secret", tmp_path / "fresh"
    printed = run("make", "sketchworld", "--secret", path, "--out", out, "--items", 4)
    assert printed.exit_code == 0
    secret = path.read_bytes()
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for file in out.iterdir():
        content = file.read_bytes()
        assert secret not in content
        assert secret.hex().encode() not in content
    assert Suite(out).definition.drawn.settings["secret_sha256"] == hashlib.sha256(secret).hexdigest()
    run("make", "sketchworld", "--secret", path, "--out", tmp_path / "again", "--items", 4)
    assert path.read_bytes() == secret


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (SECRET, ["--size", "32"], "sketchworld takes no --size"),
        (SECRET, ["--set", "secret=x"], "--set secret is no setting of sketchworld; give --secret"),
        (SECRET, ["--set", "recipe=sketchworld-edge-v1"], "did you mean 'sketchworld-edges-v1'"),
        (b"short", [], "holds fewer bytes than a secret, 16 to 64"),
        # HMAC would hash it first, and the hash is public.
        (bytes(65), [], "holds more bytes than a secret, 16 to 64"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, content: bytes, arguments: list[str], message: str
) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(LepbenchError) as caught:
        run("make", "sketchworld", "--secret", tmp_path / "secret", "--out", tmp_path / "out", *arguments)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_secret_is_needed_and_lies_outside_the_suite(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="sketchworld needs --secret"):
        run("make", "sketchworld", "--out", tmp_path / "out")
    with pytest.raises(LepbenchError, match="would lie in the suite's folder"):
        run("make", "sketchworld", "--secret", tmp_path / "out" / "secret", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "folder").mkdir()
    with pytest.raises(LepbenchError, match="cannot read"):
        make(tmp_path / "folder", tmp_path / "out")


def test_a_set_makes_one_and_knows_it_again(secret: Path, tmp_path: Path) -> None:
    entry = SuiteEntry(make="sketchworld", name="fresh", items=4, secret=secret)
    source = entry.find_source()
    assert isinstance(source, FreshSource)
    suite = make(secret, tmp_path / "fresh", name="fresh", items=4)
    assert list_differences(suite.definition, source, "fresh") == []
    (tmp_path / "other").write_bytes(SECRET[::-1])
    other = entry.model_copy(update={"secret": tmp_path / "other"}).find_source()
    assert list_differences(suite.definition, other, "fresh") == ["secret_sha256"]
