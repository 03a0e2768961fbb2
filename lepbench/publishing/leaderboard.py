"""Leaderboards: one CSV per suite and protocol, one verified line per model, best first if a figure ranks."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.directions import SIGNS, find_direction
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Identity, Record
from lepbench.evaluation.verify import verify_record
from lepbench.files import write_text
from lepbench.publishing.board_file import BoardLine, locate_terms, read_lines
from lepbench.publishing.flat_figures import format_lines, parse_column, spread_figures
from lepbench.suites import Suite


def add_record(
    folder: Path,
    leaderboards: Path,
    suite: Suite,
    *,
    protocol: Protocol | None = None,
    replace: bool = False,
) -> tuple[Path, bool]:
    """Verify a run and add its model to the leaderboard; the CSV, and whether it changed.

    A record that is there already changes nothing.

    Args:
        folder: a finished run.
        leaderboards: holds `SUITE/PROTOCOL.csv`.
        protocol: the required protocol; the suite's own unless given.
        replace: replace another record of the same model name.

    Raises:
        LepbenchError: the record fails verification, is not comparable with the board's lines, or the model's
            name is taken.
    """
    record = verify_record(folder, suite, protocol)
    items, least = map(suite.count_originals, (record.identity.items, suite.definition.default_items))
    if items < least:
        raise LepbenchError(
            f"{folder} has {items} {suite.unit} and a leaderboard takes {least} or more",
            "evaluate without --limit",
        )
    path = leaderboards / suite.name / f"{record.protocol.name}.csv"
    line = make_line(record)
    lines, columns = read_lines(path)
    if any(other["record"] == line["record"] for other in lines):
        return path, False
    _check_comparable(path, lines, line, record)
    if columns not in ([], list(line)):
        raise LepbenchError(
            f"{path} has other columns than this version writes", "move it away and start anew"
        )
    others = [other for other in lines if other["model"] != line["model"]]
    if len(others) < len(lines) and not replace:
        raise LepbenchError(
            f"{path} has another record of {line['model']!r}", "rename the model or pass --replace"
        )
    ordered = sort_lines([*others, line], record.protocol.rank_by)
    write_text(locate_terms(path), json.dumps(describe_terms(record), indent=1) + "\n")
    write_text(path, format_lines(list(line), ordered))
    return path, True


def sort_lines(lines: Sequence[BoardLine], rank_by: str | None) -> list[BoardLine]:
    """The lines of a board, the best first; by the models' names where no figure ranks."""
    if rank_by is None:
        return sorted(lines, key=lambda line: line["model"])
    sign = -SIGNS[find_direction(rank_by)]
    column = next(name for name in lines[0] if parse_column(name)[0] == rank_by)
    return sorted(lines, key=lambda line: sign * float(line[column]) if line[column] else math.inf)


def make_line(record: Record) -> BoardLine:
    """A record as a line: who, how many samples, the model's figures with their intervals, provenance."""
    identity = record.identity
    backbone, drawn = identity.model.backbone, identity.model.reference
    return {
        "model": identity.model.name,
        "backbone": backbone or "",
        "method": describe_method(identity),
        "sampler": drawn.describe_sampler() if backbone and drawn else "",
        "items": str(identity.items),
        "samples": str(record.sample_count),
        **spread_figures(record.rows[MODEL.name]),
        "label": describe_origin(record),
        "lepbench": identity.packages["lepbench"],
        "suite_sha256": identity.suite_sha256,
        "protocol_sha256": identity.protocol_sha256,
        "record": record.id,
    }


def describe_origin(record: Record) -> str:
    """Label of the images' backbone, and of external code."""
    backbone, code = record.identity.model.backbone, record.submitted_code
    origin = f"figures on {backbone}" if backbone else "pictures drawn elsewhere"
    return f"{origin}; code of the submitter: {', '.join(code)}" if code else origin


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
        kept = json.loads(locate_terms(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    for name, value in describe_terms(record).items():
        if kept.get(name) != value:
            return f"{name} {kept.get(name)}, not {value}"
    return None
