"""Shares of a run, drawn by the jobs of an array, and the run that they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.api.model import ModelLike
from lepbench.api.preparing import Asked, Doing, SuiteLike, prepare_evaluation
from lepbench.errors import LepbenchError
from lepbench.evaluation.merge import merge_shares, read_shares
from lepbench.evaluation.record import Record
from lepbench.evaluation.run import evaluate_share as draw_share
from lepbench.evaluation.share_state import ShareState
from lepbench.evaluation.terms import find_suite
from lepbench.publishing.publish import publish_run
from lepbench.shares import Share
from lepbench.suites import Suite


def evaluate_share(
    model: ModelLike,
    suite: SuiteLike,
    share: Share,
    out: str | Path | None,
    *,
    asked: Asked,
    doing: Doing,
) -> tuple[Path, ShareState]:
    """Draw and score a share of a run's batches, as `lepbench evaluate --shards` does.

    Args:
        out: `runs/NAME.NUMBER-of-OF` unless given.

    Returns:
        The folder, and what it holds.

    Raises:
        LepbenchError: as `evaluate`, or `out` holds another share.
    """
    with doing.begin() as means:
        config, chosen, arguments = prepare_evaluation(model, suite, asked)
        usual = Path("runs") / f"{config.name}.{share.number}-of-{share.of}"
        folder = usual if out is None else Path(out)
        state = draw_share(config, chosen, folder, share, **arguments, **means)
    return folder, state


def merge(
    runs: Sequence[str | Path], out: str | Path | None = None, suite: SuiteLike | None = None
) -> Record:
    """Make one run of its shares, as `lepbench merge` does.

    Args:
        runs: their folders.
        out: `runs/NAME` unless given.
        suite: the one of the record's name unless given.

    Raises:
        LepbenchError: the shares do not make a whole run, or `out` belongs to another.
    """
    if not runs:
        raise LepbenchError("nothing to merge", "give the folders of all shards")
    folders = [Path(run) for run in runs]
    name = read_shares(folders)[0].identity.model.name
    folder = Path("runs") / name if out is None else Path(out)
    record = merge_shares(folders, folder)
    chosen = suite if isinstance(suite, Suite) else find_suite(record, folder, suite)
    publish_run(record, chosen, folder)
    return record
