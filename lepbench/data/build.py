"""Corpus to triplet folder: shard by shard, so that an interruption costs one shard and no byte differs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from lepbench.data.card import write_card
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus
from lepbench.data.manifest import MANIFEST, Manifest, Recipe, Shard, difference, load_manifest, sha256_files
from lepbench.data.shards import read_rejects, shard_files, write_shard
from lepbench.data.sources.folder import Folder
from lepbench.detectors import identity
from lepbench.errors import LepbenchError
from lepbench.files import make_folder, sha256_file, write_text

REJECTED = "rejected.jsonl"
SHAPING = ("pillow", "numpy", "torch", "kornia", "pyarrow", "datasets")
"""Packages whose version may change the bytes."""

Progress = Callable[[int, int], None]


def build(config: BuildConfig, out: Path, progress: Progress = lambda done, total: None) -> Manifest:
    """Build the triplet folder of a configuration, or finish one that was interrupted.

    Args:
        progress: called with the entries done and the entries there are, as the work goes on.

    Returns:
        The finished manifest, as saved.

    Raises:
        LepbenchError: nothing to read, nothing usable, or `out` is not this build's to write.
    """
    check_apart(config, out)
    corpus = config.source.open(config.size, config.limit)
    recipe = Recipe(
        size=config.size,
        detector=identity(config.detector),
        limit=corpus.count,
        shard_rows=config.shard_rows,
        split=corpus.split,
        source=corpus.recipe(),
    )
    with locked(out):
        manifest = claim(out, recipe)
        sweep(out)
        manifest = fill(manifest, out, corpus, config, progress)
        return finish(manifest, out, corpus)


def check_apart(config: BuildConfig, out: Path) -> None:
    """Refuse to write into the folder that is read: the pictures made there would be taken for its own."""
    if isinstance(config.source, Folder) and out.resolve().is_relative_to(config.source.path.resolve()):
        raise LepbenchError(f"{out} lies inside the source {config.source.path}", "choose another --out")


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the folder for this process alone.

    Raises:
        LepbenchError: it cannot be written, or another build holds it.
    """
    make_folder(out)
    lock = FileLock(out / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LepbenchError(
            f"another build is writing {out}", "wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise LepbenchError(f"cannot write {out}: {error.strerror}", "choose a writable folder") from error
    try:
        yield
    finally:
        lock.release()


def claim(out: Path, recipe: Recipe) -> Manifest:
    """The folder's manifest where it is of this recipe, or a new one where the folder is empty.

    Raises:
        LepbenchError: the folder holds other things, or the triplets of another recipe.
    """
    if (out / MANIFEST).exists():
        manifest = load_manifest(out)
        if differing := difference(manifest.recipe, recipe):
            raise LepbenchError(f"{out} holds another recipe: {differing}", "choose another --out")
        return manifest
    if foreign := sorted(path.name for path in out.iterdir() if not path.name.startswith(".")):
        raise LepbenchError(f"{out} holds {foreign[0]!r} and no {MANIFEST}", "choose an empty --out")
    manifest = Manifest(recipe=recipe, recipe_sha256=recipe.sha256, software=software())
    manifest.save(out)
    return manifest


def software() -> dict[str, str]:
    """Versions of the packages that shape the bytes, as installed."""
    return {name: version(name) for name in SHAPING}


def sweep(out: Path) -> None:
    """Remove the partial files of a killed build; the lock says that no other is running."""
    for partial in [*out.glob(".*.part"), *out.glob("data/.*.part")]:
        partial.unlink(missing_ok=True)


def fill(manifest: Manifest, out: Path, corpus: Corpus, config: BuildConfig, progress: Progress) -> Manifest:
    """Keep the shards that are as recorded, make the others, and record each as soon as it is whole."""
    planned = shard_files(manifest.recipe)
    kept = {shard.file: shard for shard in manifest.shards if is_intact(out, shard)}
    if len(kept) == len(planned):
        progress(corpus.count, corpus.count)
        return manifest
    if manifest.software != software():
        raise LepbenchError(
            f"{out} was begun with other packages: {manifest.software} there and {software()} here",
            "finish it with those, or choose another --out",
        )
    done = sum(shard.entries for shard in kept.values())

    def tried(more: int) -> None:
        nonlocal done
        done += more
        progress(done, corpus.count)

    tried(0)
    for file, numbers in planned:
        # Saved before each shard too: a damaged one is no longer listed while it is made anew.
        manifest = record(manifest, out, kept)
        if file not in kept:
            kept[file] = write_shard(out / file, numbers, corpus, config.detector, config.size, tried)
    return record(manifest, out, kept)


def record(manifest: Manifest, out: Path, kept: dict[str, Shard]) -> Manifest:
    """The manifest with these shards in the recipe's order, saved where it says something new."""
    shards = tuple(kept[file] for file, _ in shard_files(manifest.recipe) if file in kept)
    if shards == manifest.shards and manifest.sha256 is None:
        return manifest
    manifest = manifest.holding(shards)
    manifest.save(out)
    return manifest


def is_intact(out: Path, shard: Shard) -> bool:
    """Whether a recorded shard is there with its recorded bytes."""
    path = out / shard.file
    return path.is_file() and sha256_file(path) == shard.sha256


def finish(manifest: Manifest, out: Path, corpus: Corpus) -> Manifest:
    """Write what follows from the shards: rejects, manifest, data card.

    Raises:
        LepbenchError: not one entry could become a triplet.
    """
    paths = [out / shard.file for shard in manifest.shards]
    rejects = [reject._asdict() for path in paths for reject in read_rejects(path)]
    write_text(out / REJECTED, "".join(json.dumps(reject, ensure_ascii=False) + "\n" for reject in rejects))
    if not manifest.written:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in manifest.rejected.items())
        raise LepbenchError(f"nothing in {corpus.label} can be a triplet: {reasons}", f"see {out / REJECTED}")
    manifest = manifest.holding(manifest.shards, sha256_files(paths))
    manifest.save(out)
    write_card(out, manifest, corpus)
    return manifest
