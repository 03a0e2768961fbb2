"""Leaderboards: one CSV per suite and protocol, one verified line per model, best first if a figure ranks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lepbench.errors import LepbenchError
from lepbench.evaluation.checks import verify_run
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.guard import GuardReport
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Identity, Record
from lepbench.evaluation.recount import Known
from lepbench.evaluation.verification_levels import LEVELS, SELF_REPORTED
from lepbench.files import make_folder, write_text
from lepbench.judges import JudgeConfig, Judges
from lepbench.progress import Progress, ignore_progress
from lepbench.publishing.board_cells import check_line, check_names
from lepbench.publishing.board_check import check_board, check_suites
from lepbench.publishing.board_guard import GUARD, SHOWN, write_guard
from lepbench.publishing.board_lines import (
    FIX,
    LATER,
    LEVEL,
    BoardLine,
    locate_terms,
    read_lines,
    read_terms,
    sort_lines,
)
from lepbench.publishing.flat_figures import format_lines, spread_figures
from lepbench.publishing.origin import describe_checked_origin, name_backbone
from lepbench.suites import Suite, list_shipped, load_suite

LOCK = ".lock"
WAIT_S = 60.0
"""Seconds to wait for another process that adds."""


def add_record(
    folder: Path,
    leaderboards: Path,
    suite: Suite,
    *,
    protocol: Protocol | None = None,
    judges: Judges | None = None,
    redraw: int = 0,
    device: str = "auto",
    replace: bool = False,
    known: Known | None = None,
    guard: JudgeConfig | None = None,
    progress: Progress = ignore_progress,
) -> tuple[Path, bool]:
    """Verify a run, its pictures too, and add its model to the leaderboard; the CSV, and whether it changed.

    A record that is there already, checked as far or further, changes nothing. Others wait while one adds.

    Args:
        folder: a finished run.
        leaderboards: holds `SUITE/PROTOCOL.csv`.
        protocol: the required protocol; the suite's own unless given.
        judges: those of the protocol; without them pictures are scored by the measures that need none, and
            the line is called self-reported.
        redraw: how many items are drawn anew.
        device: where they are drawn.
        replace: replace another record of the same model name.
        known: what was scored of runs that were added before; see `recount_samples`.
        guard: reads the pictures where judges do; the one that ships unless given.
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: the record fails verification, is not comparable with the board's lines, the model's
            name is taken, or the board is not as lepbench writes it.
    """
    _require_shipped_hash(suite)
    check_suites([suite.name])
    verified = verify_run(
        folder,
        suite,
        protocol,
        pictures=True,
        judges=judges,
        redraw=redraw,
        device=device,
        known=known,
        guard=guard,
        progress=progress,
    )
    record = verified.record
    require_items(folder, record, suite, "a leaderboard takes")
    path = leaderboards / suite.name / f"{record.protocol.name}.csv"
    with lock_boards(leaderboards):
        return path, _put_line(path, record, make_line(record, verified.level, verified.guarded), replace)


def require_items(folder: Path, record: Record, suite: Suite, taker: str) -> None:
    """Refuse a run of fewer items than a suite is scored on by default.

    Args:
        taker: what takes no fewer, for the error.

    Raises:
        LepbenchError: it has fewer.
    """
    items, least = map(suite.count_originals, (record.identity.items, suite.definition.default_items))
    if items < least:
        raise LepbenchError(
            f"{folder} has {items} {suite.unit} and {taker} {least} or more", "evaluate without --limit"
        )


def _put_line(path: Path, record: Record, line: BoardLine, replace: bool) -> bool:
    """Write a record's line into a board; whether that changed it."""
    _require_form(line)
    found, columns = read_lines(path)
    lines = [_complete(other, line) for other in found]
    known = [other for other in lines if other.get("record") == line["record"]]
    _require_same(path, known, record, line)
    if any(_says_as_much(other, line) for other in known):
        return False
    _check_comparable(path, lines, line, record)
    if columns and {*columns, *LATER} != set(line):
        raise LepbenchError(
            f"{path} has other columns than this version writes", "move it away and start anew"
        )
    if columns:
        check_board(path)
    kept = [other for other in lines if other["model"] != line["model"]]
    if len(kept) + len(known) < len(lines) and not replace:
        raise LepbenchError(
            f"{path} has another record of {line['model']!r}", "rename the model or pass --replace"
        )
    check_names(path, [other["model"] for other in (*kept, line)])
    ordered = sort_lines([*kept, line], record.protocol.rank_by)
    text = format_lines(list(line), ordered)
    write_text(locate_terms(path), json.dumps(describe_terms(record), indent=1) + "\n")
    write_text(path, text)
    return True


def _require_form(line: BoardLine) -> None:
    """Refuse a line that a check of the board would refuse."""
    try:
        check_line(f"the line of {line['model']!r}", line)
    except LepbenchError as error:
        said = str(error).removesuffix(f"; {FIX}")
        raise LepbenchError(said, "call it otherwise, and evaluate again") from error


def _require_same(path: Path, known: Sequence[BoardLine], record: Record, line: BoardLine) -> None:
    """Refuse a board whose line of a record was changed."""
    for other in known:
        word = line[GUARD] if line[GUARD] and other[GUARD] else other[GUARD]
        expected = {**make_line(record, other[LEVEL]), GUARD: word}
        shared = (name for name in expected if name in other and name not in (LEVEL, *SHOWN))
        if changed := next((name for name in shared if other[name] != expected[name]), None):
            raise LepbenchError(
                f"{path} has a line of this record with {changed} {other[changed][:80]!r}",
                "restore the board",
            )


def _says_as_much(line: BoardLine, other: BoardLine) -> bool:
    """Whether as much was checked for one line as for another of the record."""
    far = line[LEVEL] in LEVELS and LEVELS.index(line[LEVEL]) >= LEVELS.index(other[LEVEL])
    return far and bool(line[GUARD]) >= bool(other[GUARD])


def _complete(line: BoardLine, like: BoardLine) -> BoardLine:
    """A line of an earlier version, which has no level and no guard, in the order of columns of this one."""
    full = {**write_guard(None), LEVEL: SELF_REPORTED, **line}
    return {name: full[name] for name in like if name in full} | full


def _require_shipped_hash(suite: Suite) -> None:
    """Refuse another suite that is called like one that ships."""
    if suite.name in list_shipped() and load_suite(suite.name).sha256 != suite.sha256:
        raise LepbenchError(
            f"{suite.folder} is called like the suite {suite.name!r} that ships, and is another",
            "give it a name of its own",
        )


@contextmanager
def lock_boards(leaderboards: Path) -> Iterator[None]:
    """Hold a folder of leaderboards, so that of two runs that are added at once none is lost."""
    lock = FileLock(make_folder(leaderboards) / LOCK, timeout=WAIT_S)
    try:
        lock.acquire()
    except Timeout:
        raise LepbenchError(f"another process adds to {leaderboards}", "wait for it") from None
    except OSError as error:
        raise LepbenchError(
            f"cannot write {leaderboards}: {error.strerror}", "choose a writable folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


def make_line(record: Record, level: str = SELF_REPORTED, guarded: GuardReport | None = None) -> BoardLine:
    """A record as a line: who, how many samples, the model's figures with their intervals, provenance.

    Args:
        level: how far it was verified, one of `LEVELS`.
        guarded: what the guard says of its pictures.
    """
    identity = record.identity
    backbone, drawn = name_backbone(record), identity.model.reference
    return {
        "model": identity.model.name,
        "backbone": backbone,
        "method": describe_method(identity),
        "sampler": drawn.describe_sampler() if backbone and drawn else "",
        "items": str(identity.items),
        "samples": str(record.sample_count),
        **spread_figures(record.rows[MODEL.name]),
        "label": describe_checked_origin(record, level),
        LEVEL: level,
        **write_guard(guarded),
        "lepbench": identity.packages["lepbench"],
        "suite_sha256": identity.suite_sha256,
        "protocol_sha256": identity.protocol_sha256,
        "record": record.id,
    }


def describe_terms(record: Record) -> dict[str, Any]:
    """The common terms of a board's lines: the full protocol, and the suite by its hash."""
    return {"suite_sha256": record.identity.suite_sha256, **record.protocol.describe()}


def describe_method(identity: Identity) -> str:
    """A method and its settings, such as `lep(predictor=lep-mini@1, scale=1.6, stop=0.5)`.

    Options that are groups of settings are left out while they are off.
    """
    method = identity.model.method
    chosen = method.model_dump(mode="json", exclude_defaults=True)
    # What a method's pictures are compared with decides none of their figures.
    whole = method.model_dump(mode="json", exclude={"name", "compare_with"})
    settings = {
        k: v for k, v in sorted(whole.items()) if k in chosen or not (v is None or isinstance(v, dict))
    }
    name = method.name
    return f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})" if settings else name


def _check_comparable(path: Path, lines: list[BoardLine], line: BoardLine, record: Record) -> None:
    for key in ("suite_sha256", "protocol_sha256", "items", "samples"):
        for other in lines:
            if other.get(key) != line[key]:
                said = _term_that_differs(path, record) if key == "protocol_sha256" else None
                said = said or f"{key} {other.get(key)}, not {line[key]}"
                raise LepbenchError(
                    f"{path} holds scores with {said}: they do not compare",
                    "evaluate again under the same terms",
                )


def _term_that_differs(path: Path, record: Record) -> str | None:
    """The first term of the protocol in which a board and a record differ, if the board's are known."""
    try:
        kept = read_terms(path)
    except LepbenchError:
        return None
    for name, value in describe_terms(record).items():
        if kept.get(name) != value:
            return f"{name} {kept.get(name)}, not {value}"
    return None
