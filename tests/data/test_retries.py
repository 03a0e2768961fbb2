"""What failed is tried again, and the set is then as if it had never failed, whatever changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from picture_folders import jpeg, photograph, save_every_mode
from small_builds import contents, letters

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.hygiene import Hygiene
from lepbench.data.manifest import load_manifest
from lepbench.data.similar import perceptual_hash
from lepbench.errors import LepbenchError
from lepbench.images import encode_png


def test_a_failed_entry_is_tried_again_and_the_set_is_as_if_it_had_never_failed(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    save_every_mode(photos)
    content = (photos / "rgb.jpg").read_bytes()
    config = BuildConfig.model_validate(
        {"source": {"name": "folder", "path": photos}, "size": 32, "shard_rows": 4}
    )
    build_triplets(config, tmp_path / "whole")
    (photos / "rgb.jpg").write_bytes(b"")
    first = build_triplets(config, tmp_path / "out").manifest
    assert first.rejected == {"empty file": 1}
    (photos / "rgb.jpg").write_bytes(content)
    with pytest.raises(LepbenchError, match=r"source\.fingerprint"):
        build_triplets(config, tmp_path / "out")
    build_triplets(config, tmp_path / "out", retry=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert load_manifest(tmp_path / "out").rejected == {}


def move(folder: Path, old: str, new: str) -> None:
    for suffix in (".jpg", ".txt"):
        (folder / f"{old}{suffix}").rename(folder / f"{new}{suffix}")


def fail_once(config: BuildConfig, folder: Path, out: Path) -> None:
    """Build, then mend what failed."""
    assert build_triplets(config, out).manifest.rejected == {"empty file": 1}
    (folder / "g.jpg").write_bytes(jpeg(photograph().rotate(77)))


Change = Callable[[Path], object]
CHANGES: dict[str, Change] = {
    "mended": lambda folder: None,
    "renamed": lambda folder: move(folder, "b", "zz"),
    "other words": lambda folder: (folder / "c.txt").write_text("other words"),
    "other pixels of one size": lambda folder: (folder / "a.jpg").write_bytes(
        (folder / "a.jpg").read_bytes()[:-40] + b"\0" * 38 + b"\xff\xd9"
    ),
    "gone": lambda folder: (folder / "h.jpg").write_bytes(b""),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_else_changed_meanwhile_a_second_try_leaves_what_a_first_would(
    tmp_path: Path, change: Change
) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "abcdefgh")
    fail_once(config, photos, tmp_path / "out")
    change(photos)
    build_triplets(config, tmp_path / "out", retry=True)
    build_triplets(config, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_second_try_makes_those_shards_alone_whose_entries_changed(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "abcdefgh")
    fail_once(config, photos, tmp_path / "out")
    (photos / "c.txt").write_text("other words")
    before = {path.name[6:11]: path.stat().st_mtime_ns for path in (tmp_path / "out" / "data").iterdir()}
    build_triplets(config, tmp_path / "out", retry=True)
    after = {path.name[6:11]: path.stat().st_mtime_ns for path in (tmp_path / "out" / "data").iterdir()}
    assert {name for name in after if after[name] == before[name]} == {"00000", "00002"}


class StoppedError(Exception):
    """Stands for whatever may end a run."""


@pytest.mark.slow
@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("stop", [0, 4])
def test_a_second_try_may_be_stopped_at_any_shard(tmp_path: Path, stop: int, again: bool) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "abcdefgh")
    fail_once(config, photos, tmp_path / "out")
    move(photos, "b", "zz")

    def progress(stage: str, done: int, total: int) -> None:
        if done >= stop:
            raise StoppedError

    with pytest.raises(StoppedError):
        build_triplets(config, tmp_path / "out", progress, retry=True)
    assert load_manifest(tmp_path / "out").sha256 is None
    build_triplets(config, tmp_path / "out", retry=again)
    build_triplets(config, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_second_try_takes_no_other_setting(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "fgh")
    fail_once(config, photos, tmp_path / "out")
    other = config.model_copy(update={"hygiene": Hygiene(min_edges=0.01)})
    with pytest.raises(LepbenchError, match=r"another recipe: hygiene\.min_edges is 0\.0001 there"):
        build_triplets(other, tmp_path / "out", retry=True)


def test_a_second_try_with_nothing_to_try_leaves_a_finished_folder_as_it_is(tmp_path: Path) -> None:
    config = letters(tmp_path / "photos", "abc")
    build_triplets(config, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/*/*")}
    build_triplets(config, tmp_path / "out", retry=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/*/*")} == before


def chain(folder: Path) -> BuildConfig:
    """A build of a, b and c, thrice each, of which b looks like a and like c, but not a like c."""
    frames = [np.asarray(photograph().rotate(step / 4), np.uint8) for step in range(160)]
    looks = [perceptual_hash(frame) for frame in frames]

    def alike(one: int, other: int) -> bool:
        return (looks[one] ^ looks[other]).bit_count() <= 4

    middle = next(n for n in range(1, 160) if not alike(0, n) and alike(0, n - 1) and alike(n - 1, n))
    folder.mkdir()
    for name, place in zip("abc", (0, middle - 1, middle), strict=True):
        for again in ("", "-again", "-twice"):  # a.png is the last of its kind
            (folder / f"{name}{again}.png").write_bytes(encode_png(frames[place]))
            (folder / f"{name}{again}.txt").write_text(name)
    return BuildConfig.model_validate(
        {"source": {"name": "folder", "path": folder}, "size": 32, "shard_rows": 1}
    )


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "stop"), [("empty", None), ("closed", 7)])
@pytest.mark.parametrize(("kind", "failed"), [("exact", "a-again.png"), ("near", "b.png")])
def test_rows_come_back_when_what_they_were_left_out_for_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: str, fault: str, kind: str, stop: int | None
) -> None:
    photos = tmp_path / "photos"
    config = chain(photos).model_copy(update={"hygiene": Hygiene(duplicates=kind)})
    content = (photos / failed).read_bytes()
    with monkeypatch.context() as broken:
        if fault == "empty":
            (photos / failed).write_bytes(b"")
        else:
            broken.setattr(Path, "read_bytes", closed_for(failed))
        assert build_triplets(config, tmp_path / "out").manifest.written == (3 if kind == "exact" else 2)
    (photos / failed).write_bytes(content)

    def progress(stage: str, done: int, total: int) -> None:
        if done == stop:
            raise StoppedError

    with suppress(StoppedError):
        build_triplets(config, tmp_path / "out", progress, retry=True)
    build_triplets(config, tmp_path / "out")
    build_triplets(config, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def closed_for(name: str) -> Callable[[Path], bytes]:
    """`Path.read_bytes` while one file may not be read, though its size is known."""
    plain = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return plain(path)

    return read_bytes
