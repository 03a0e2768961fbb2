"""From the shares of a run, each drawn into a folder of its own, to the run; nothing is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import has_picture
from lepbench.evaluation.condition_table import locate_batch
from lepbench.evaluation.conditions import CONDITIONS, MODEL
from lepbench.evaluation.finish import Effort, finish_run, locate_tables
from lepbench.evaluation.folder import OWNER, claim_folder, list_differences, prepare_folder, read_owner
from lepbench.evaluation.layout import locate_edges, locate_picture
from lepbench.evaluation.record import Identity, Record
from lepbench.evaluation.sample import OK
from lepbench.evaluation.share_state import DoneShare, read_share
from lepbench.files import link_file
from lepbench.locks import lock_results
from lepbench.shares import Share

NAMED = ("row", "item_id", "sample_index", "status")


class MergedShare(NamedTuple):
    """A share to be merged, and where it lies."""

    folder: Path
    identity: Identity
    share: Share
    done: DoneShare


def merge_shares(folders: Sequence[Path], out: Path) -> Record:
    """Finish a run in `out` from the folders of all its shares; pictures are links if the disk can.

    Raises:
        LepbenchError: shares are missing, twice, not done or of different runs, or `out` is not free.
    """
    shares = read_shares(folders)
    identity, done = shares[0].identity, shares[0].done
    prepare_folder(out)
    with lock_results(out):
        claim_folder(out, identity)
        for one in shares:
            _take_batches(one, out)
        tables = locate_tables(out, done.protocol, done.batches)
        return finish_run(
            out, identity, done.protocol, tables=tables, effort=add_efforts([s.done.effort for s in shares])
        )


def read_shares(folders: Sequence[Path]) -> list[MergedShare]:
    """The shares that lie in folders, in order, once they make one whole run.

    Raises:
        LepbenchError: they do not.
    """
    shares = sorted(map(_read, folders), key=lambda one: one.share)
    first = shares[0]
    for other in shares[1:]:
        differing = list_differences(first.identity, other.identity)
        if differing or other.done.protocol != first.done.protocol:
            raise LepbenchError(
                f"{first.folder} and {other.folder} are of different runs "
                f"(differ in {', '.join(differing) or 'protocol'})",
                "merge the shards of one run",
            )
        if other.share.of != first.share.of:
            raise LepbenchError(
                f"{first.folder} is shard {first.share} and {other.folder} shard {other.share}",
                "merge the shards of one division",
            )
    numbers = [one.share.number for one in shares]
    twice = next((one for one in shares if numbers.count(one.share.number) > 1), None)
    if twice is not None:
        raise LepbenchError(f"shard {twice.share} comes twice", "give each folder once")
    missing = sorted(set(range(1, first.share.of + 1)) - set(numbers))
    if missing:
        named = ", ".join(f"{number}/{first.share.of}" for number in missing)
        raise LepbenchError(f"shards are missing: {named}", "draw them, and give all folders")
    return shares


def _read(folder: Path) -> MergedShare:
    state = read_share(folder)
    if state is None:
        raise LepbenchError(f"{folder} holds no shard of a run", "give folders of 'evaluate --shards'")
    if state.done is None:
        raise LepbenchError(f"shard {state.share} in {folder} is not done", "run its command again")
    return MergedShare(folder, read_owner(folder / OWNER), state.share, state.done)


def _take_batches(one: MergedShare, out: Path) -> None:
    """Give the batches of a share, and their pictures, a place in the run's folder.

    Raises:
        LepbenchError: a file of the share is missing.
    """
    for name, count in one.done.batches.items():
        for number in filter(one.share.takes, range(count)):
            path = locate_batch(one.folder, name, number)
            if not path.is_file():
                raise LepbenchError(f"{one.folder} lacks batch {number} of {name}", "run its command again")
            _link_pictures(path, one.folder, out)
            link_file(path, locate_batch(out, name, number))


def _link_pictures(path: Path, folder: Path, out: Path) -> None:
    with pq.ParquetFile(path) as file:
        lines = file.read(columns=list(NAMED)).to_pylist()
    for line in lines:
        if line["status"] != OK or CONDITIONS[line["row"]].borrows is not None:
            continue
        if not has_picture(folder, line):
            raise LepbenchError(f"{folder} lacks pictures of batch {path.stem}", "run its command again")
        place = (line["row"], line["item_id"], line["sample_index"])
        link_file(locate_picture(folder, *place), locate_picture(out, *place))
        if line["row"] == MODEL.name and (edges := locate_edges(folder, line["item_id"])).is_file():
            link_file(edges, locate_edges(out, line["item_id"]))


def add_efforts(efforts: Sequence[Effort]) -> Effort:
    """What all shares took together; the facts and the machine are those of the first."""
    first = efforts[0]
    return first.model_copy(
        update={
            "reused": [name for name in first.reused if all(name in e.reused for e in efforts)],
            "seconds": sum(effort.seconds for effort in efforts),
            "peak_memory_bytes": max(e.peak_memory_bytes or 0 for e in efforts) or None,
            "peak_accelerator_bytes": max(e.peak_accelerator_bytes or 0 for e in efforts) or None,
        }
    )
