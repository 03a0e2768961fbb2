"""Build a triplet folder from a corpus, shard by shard: an interrupted build loses at most one shard."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lepbench.data.account import Reject
from lepbench.data.card import write_card
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus, Reason
from lepbench.data.excluded import Excluded, read_excluded
from lepbench.data.hygiene import Hygiene, find_drops
from lepbench.data.job import Job
from lepbench.data.keys import read_keys
from lepbench.data.lock import hold_gate, lock_folder
from lepbench.data.manifest import (
    MANIFEST,
    BuildRecipe,
    Manifest,
    Shard,
    find_difference,
    load_manifest,
)
from lepbench.data.shards import (
    ShardSpec,
    drop_rows,
    keep_shard,
    make_shard,
    plan_shards,
    read_record,
)
from lepbench.data.sources.folder import Folder
from lepbench.detectors import identify_detector
from lepbench.engines import Engine, InProcess, Terms
from lepbench.engines.base import ignore_entries
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, list_visible
from lepbench.progress import Progress, ignore_progress
from lepbench.shares import Share

REJECTED = "rejected.jsonl"
SHAPING = ("pillow", "numpy", "torch", "kornia", "opencv-python-headless", "pyarrow", "datasets")
"""Packages whose version may affect the bytes."""
DRAWN = 512
"""Side in px of rendered images when images keep their original size."""
BY_HAND = "drawn by people"
"""The detector entry of recipes and rows when no detector is used."""
MENDED = ("source.fingerprint",)
"""Recipe keys that may differ when failed entries are retried."""
OF_THE_SET = frozenset((Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.LEAKED))
"""Reject reasons that are determined after all shards are made, and remove rows from them."""


class BuildResult(NamedTuple):
    """Result of a build: the manifest, and the numbers of finished and of all shards.

    The manifest has no `sha256` while shards are missing. `note` says what the source did not read where few
    entries had a caption; empty otherwise.
    """

    manifest: Manifest
    made: int
    planned: int
    note: str = ""


def build_triplets(
    config: BuildConfig,
    out: Path,
    progress: Progress = ignore_progress,
    engine: Engine | None = None,
    share: Share | None = None,
    retry: bool = False,
) -> BuildResult:
    """Build the triplet folder of a configuration, or finish one that was interrupted.

    The result does not depend on engine, shares or interruptions.

    Args:
        progress: called with (stage, done, total), in entries, as the work goes on.
        engine: runs the shards; by default in this process.
        share: make only these shards, and leave the folder unfinished.
        retry: retry entries that failed for a possibly temporary reason.

    Raises:
        LepbenchError: nothing to read, nothing usable, or `out` cannot be written by this build.
    """
    config, corpus, excluded, recipe = plan_build(config, out)
    with lock_folder(out, share):
        planned = plan_shards(recipe)
        mine = [piece for number, piece in enumerate(planned) if share is None or share.takes(number)]
        with hold_gate(out, share):
            manifest = claim_folder(out, recipe, mine, retry)
        if share is None:
            sweep_partials(out)
        job = Job(
            out.absolute(), corpus, config=config, recipe=recipe, refusal=explain_refusal(out, manifest)
        )
        shards, manifest = fill_shards(job, mine, engine or InProcess(), progress=progress, manifest=manifest)
        if share is not None:
            return BuildResult(
                manifest, sum((out / piece.record).exists() for piece in planned), len(planned)
            )
        clean_shards(out, shards, config.hygiene, excluded)
        manifest = finish_build(manifest, out, corpus, shards)
        return BuildResult(
            manifest,
            len(planned),
            len(planned),
            explain_few_captions(corpus, manifest.rejected, manifest.written),
        )


class BuildPlan(NamedTuple):
    """The plan of a build before the first image is read, with the configuration resolved here."""

    config: BuildConfig
    corpus: Corpus
    excluded: list[Excluded]
    recipe: BuildRecipe


def plan_build(config: BuildConfig, out: Path | None) -> BuildPlan:
    """Prepare the build of a configuration.

    Raises:
        LepbenchError: nothing to read, no such device, nothing to exclude, or `out` lies in what is read.
    """
    if out is not None:
        check_apart(config, out)
    config = config.anchored().placed()
    corpus = config.source.open(config.size or DRAWN, config.limit)
    excluded = [read_excluded(place) for place in config.hygiene.exclude]
    return BuildPlan(config, corpus, excluded, describe_recipe(config, corpus, excluded))


def describe_recipe(config: BuildConfig, corpus: Corpus, excluded: Sequence[Excluded]) -> BuildRecipe:
    """Everything that determines the bytes."""
    hygiene = config.hygiene.model_dump(mode="json", exclude={"exclude"})
    return BuildRecipe(
        size=config.size,
        store=config.store,
        max_pixels=config.max_pixels,
        max_caption=config.max_caption,
        detector=BY_HAND if config.edges == "drawn" else identify_detector(config.detector),
        edges=config.edges,
        device=config.device,
        limit=corpus.count,
        shard_rows=config.shard_rows,
        split=corpus.split,
        source=corpus.recipe(),
        hygiene=hygiene | {"exclude": [f"{other.name}@{other.identity}" for other in excluded]},
    )


def check_apart(config: BuildConfig, out: Path) -> None:
    """Refuse to write into the source folder: the written images would be read as part of it."""
    if isinstance(config.source, Folder) and out.resolve().is_relative_to(config.source.path.resolve()):
        raise LepbenchError(f"{out} lies inside the source {config.source.path}", "choose another --out")


def claim_folder(out: Path, recipe: BuildRecipe, mine: Collection[ShardSpec], retry: bool) -> Manifest:
    """The folder's manifest if it has this recipe, or a new one if the folder is empty.

    Raises:
        LepbenchError: the folder holds other things, or the triplets of another recipe.
    """
    manifest = existing_manifest(out, recipe, retry)
    if manifest is None:
        discard_build(out)
        return save_manifest(
            Manifest(recipe=recipe, recipe_sha256=recipe.sha256, software=list_software()), out
        )
    return renew_manifest(manifest, out, recipe, mine) if retry else manifest


def existing_manifest(out: Path, recipe: BuildRecipe, retry: bool) -> Manifest | None:
    """The manifest of a folder that may be written; None where there is none, or none with a triplet.

    Raises:
        LepbenchError: the folder holds other things, or the triplets of another recipe, or is none.
    """
    if not out.exists():
        return None
    if not out.is_dir():
        raise LepbenchError(f"{out} is no folder", "choose another --out")
    if not (out / MANIFEST).exists():
        if foreign := list_visible(out):
            raise LepbenchError(f"{out} holds {foreign[0].name!r} and no {MANIFEST}", "choose an empty --out")
        return None
    manifest = load_manifest(out)
    if differing := find_difference(manifest.recipe, recipe, apart=MENDED if retry else ()):
        if holds_no_triplet(out, manifest):
            return None
        mended = not find_difference(manifest.recipe, recipe, apart=MENDED)
        fix = "choose another --out" + (", or add --retry-failed to take it over" if mended else "")
        raise LepbenchError(f"{out} holds another recipe: {differing}", fix)
    return manifest


def holds_no_triplet(out: Path, manifest: Manifest) -> bool:
    """Whether a build came to an end without a single row, so that nothing is lost with it."""
    pieces = plan_shards(manifest.recipe)
    done = bool(pieces) and all((out / piece.record).exists() for piece in pieces)
    return done and not any(read_record(out, piece).shard.rows for piece in pieces)


def discard_build(out: Path) -> None:
    """Remove the shards of a build that is in a folder: another would take them for its own."""
    if (out / MANIFEST).exists():
        pieces = plan_shards(load_manifest(out).recipe)
        for piece in pieces:
            (out / piece.data).unlink(missing_ok=True)
        forget_records(out, pieces)


def renew_manifest(
    manifest: Manifest, out: Path, recipe: BuildRecipe, mine: Collection[ShardSpec]
) -> Manifest:
    """The manifest for a retry; the records of shards with retryable rejects are removed first.

    So are those of shards that lost rows to duplicates or excluded sets, which may return. They are removed
    first, so that after an interruption no row returns while others are rejected for one that it rules
    out.
    """
    reasons = {piece: read_reasons(out, piece) for piece in plan_shards(recipe)}
    failed = [piece for piece, found in reasons.items() if any(reason.may_pass for reason in found)]
    if not failed and manifest.recipe == recipe:
        return manifest
    save_manifest(manifest.unfinished(), out)
    forget_records(out, (piece for piece, found in reasons.items() if found & OF_THE_SET))
    manifest = Manifest(recipe=recipe, recipe_sha256=recipe.sha256, software=manifest.software)
    save_manifest(manifest, out)
    forget_records(out, (piece for piece in failed if piece in mine))
    return manifest


def read_reasons(out: Path, piece: ShardSpec) -> set[Reason]:
    """Why entries of a shard were left out, as far as its record can be read."""
    try:
        record = read_record(out, piece)
    except LepbenchError:
        return set()
    return {reject.reason for reject in record.rejects}


def forget_records(out: Path, some: Iterable[ShardSpec]) -> None:
    """Remove the records of some shards, so that these are rebuilt."""
    for piece in some:
        (out / piece.record).unlink(missing_ok=True)


def explain_refusal(out: Path, manifest: Manifest) -> str:
    """Why no shard may be added to the folder; empty if one may."""
    here = list_software()
    if manifest.software == here:
        return ""
    return f"{out} was begun with other packages: {manifest.software} there and {here} here"


def save_manifest(manifest: Manifest, out: Path) -> Manifest:
    """The manifest, written."""
    manifest.save(out)
    return manifest


def list_software() -> dict[str, str]:
    """Installed versions of the packages that affect the bytes."""
    return {name: version(name) for name in SHAPING}


def sweep_partials(out: Path) -> None:
    """Remove the partial files of a killed build; the lock guarantees that no other is running."""
    for partial_file in chain(*(out.glob(f"{place}.*.part") for place in ("", "data/", "shards/"))):
        partial_file.unlink(missing_ok=True)


def fill_shards(
    job: Job, mine: Sequence[ShardSpec], engine: Engine, progress: Progress, manifest: Manifest
) -> tuple[dict[ShardSpec, Shard], Manifest]:
    """Keep valid recorded shards and make the others; in order.

    Returns:
        The shards, and the manifest: unfinished from before the first shard is made.
    """
    total, done = sum(piece.entries for piece in mine), 0

    def count_entries(more: int) -> None:
        nonlocal done
        done += more
        progress("triplets", done, total)

    count_entries(0)
    shards: dict[ShardSpec, Shard] = {}
    recorded = [piece for piece in mine if (job.out / piece.record).exists()]
    for piece, shard in engine.run(keep_shard, job, recorded, ignore_entries) if recorded else ():
        if shard is not None:
            shards[piece] = shard
            count_entries(piece.entries)
    if missing := [piece for piece in mine if piece not in shards]:
        if manifest.sha256:
            manifest = save_manifest(manifest.unfinished(), job.out)
        terms = Terms(gpus=float(job.config.device == "cuda"))
        for piece, made in engine.run(make_shard, job, missing, count_entries, terms=terms):
            shards[piece] = require_shard(job.out, piece, made)
    return {piece: shards[piece] for piece in mine}, manifest


def require_shard(out: Path, piece: ShardSpec, made: Shard) -> Shard:
    """A shard that was made, perhaps by another machine.

    Raises:
        LepbenchError: its file is not visible on this machine.
    """
    if not (out / piece.data).exists():
        raise LepbenchError(
            f"{out / piece.data} was made and is not here", "let all machines write to one shared folder"
        )
    return made


def clean_shards(
    out: Path, shards: dict[ShardSpec, Shard], hygiene: Hygiene, excluded: Sequence[Excluded]
) -> None:
    """Remove the rows that are rejected in the context of the whole data set."""
    keys = read_keys(out / shard.file for shard in shards.values())
    found = deque(find_drops(keys, hygiene, excluded))
    start = 0
    for piece, shard in list(shards.items()):
        end, dropped = start + shard.rows, {}
        while found and found[0].row < end:
            drop = found.popleft()
            name = str(keys.ids[drop.row])
            dropped[drop.row - start] = Reject(id=name, reason=drop.reason, detail=drop.detail)
        if dropped:
            shards[piece] = drop_rows(out, piece, dropped)
        start = end


def finish_build(manifest: Manifest, out: Path, corpus: Corpus, shards: dict[ShardSpec, Shard]) -> Manifest:
    """Write the files derived from the shards: rejects, data card, manifest.

    Raises:
        LepbenchError: not one entry could become a triplet.
    """
    details: dict[str, str] = {}
    with atomic_path(out / REJECTED, lasting=True) as partial, partial.open("w", encoding="utf-8") as lines:
        for piece in shards:
            record = read_record(out, piece)
            for reject in record.rejects:
                lines.write(reject.model_dump_json() + "\n")
                details.setdefault(reject.reason, reject.detail)
    done = manifest.holding(list(shards.values()))
    if not done.written:
        raise explain_no_rows(done, corpus, details, out)
    write_card(out, done, corpus)
    return save_manifest(done, out)


def explain_no_rows(
    manifest: Manifest, corpus: Corpus, details: Mapping[str, str], out: Path
) -> LepbenchError:
    """The error for a build without a row: all reasons with their counts, and a detail of the commonest."""
    rejected = manifest.rejected
    reasons = ", ".join(f"{reason} ({count})" for reason, count in rejected.items())
    detail = details.get(max(rejected, key=lambda reason: rejected[reason], default=""))
    what = f"nothing in {corpus.label} can be a triplet: {reasons}" + (
        f", such as: {detail}" if detail else ""
    )
    note = explain_few_captions(corpus, rejected, 0)
    return LepbenchError(what, f"see {out / REJECTED}" + (f"; {note}" if note else ""))


def explain_few_captions(corpus: Corpus, rejected: Mapping[str, int], written: int) -> str:
    """Where captions may be that were not read, if more entries lack one than became rows, else empty."""
    return corpus.explain_no_captions() if rejected.get(Reason.NO_CAPTION, 0) > written else ""
