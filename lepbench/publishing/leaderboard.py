"""Leaderboards: one CSV a suite and protocol, a line a model, best first, each borne out by its samples."""

from __future__ import annotations

import csv
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import JudgeStatistics
from lepbench.evaluation.record import Identity, Record
from lepbench.evaluation.verify import verified_record
from lepbench.files import write_text
from lepbench.publishing.tables import HEADLINE, csv_text, spread
from lepbench.suites import Suite

Line = dict[str, str]


def add(
    folder: Path, leaderboards: Path, suite: Suite, statistics: JudgeStatistics, replace: bool = False
) -> tuple[Path, bool]:
    """Verify a run and put its model on the board; the CSV, and whether it changed.

    A record that is there already changes nothing.

    Args:
        folder: a finished run.
        leaderboards: holds `SUITE/PROTOCOL.csv`.
        replace: let the record take the place of another of the same model name.

    Raises:
        LepbenchError: the record does not bear out, does not compare with the board's lines, or the model's
            name is taken.
    """
    record = verified_record(folder, suite, statistics)
    items, least = record.identity.items, suite.definition.default_items
    if items < least:
        raise LepbenchError(
            f"{folder} has {items} items and a leaderboard takes {least} or more", "evaluate without --limit"
        )
    path = leaderboards / suite.name / f"{record.protocol.name}.csv"
    line = line_of(record)
    lines = read_lines(path, list(line))
    if any(other["record"] == line["record"] for other in lines):
        return path, False
    _check_comparable(path, lines, line)
    others = [other for other in lines if other["model"] != line["model"]]
    if len(others) < len(lines) and not replace:
        raise LepbenchError(
            f"{path} has another record of {line['model']!r}", "rename the model or pass --replace"
        )
    ranked = sorted([*others, line], key=_score, reverse=True)
    write_text(path, csv_text(list(line), ranked))
    return path, True


def line_of(record: Record) -> Line:
    """A record as a line: who, how many samples, the model's figures with their intervals, provenance."""
    identity = record.identity
    sampler, backbone = identity.model.sampler, identity.model.backbone
    drawn = f"{sampler.scheduler}, {sampler.steps} steps, guidance {sampler.guidance_scale:g}"
    return {
        "model": identity.model.name,
        "backbone": backbone or "",
        "method": method_text(identity),
        "sampler": drawn if backbone else "",
        "items": str(identity.items),
        "samples": str(record.samples),
        **spread(record.rows["model"]),
        "label": f"figures on {backbone}" if backbone else "pictures drawn elsewhere",
        "lepbench": identity.packages["lepbench"],
        "suite_sha256": identity.suite_sha256,
        "protocol_sha256": identity.protocol_sha256,
        "record": record.id,
    }


def _score(line: Line) -> float:
    """The figure a board is ranked by; a line without it comes last."""
    return float(line[HEADLINE] or "-inf")


def method_text(identity: Identity) -> str:
    """A method and its settings, such as `lep(predictor=lep-mini@1, scale=1.6, stop=0.5)`."""
    settings = identity.model.method.model_dump(mode="json")
    name = settings.pop("name")
    return f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})" if settings else name


def read_lines(path: Path, columns: list[str]) -> list[Line]:
    """The lines of a board; none where there is no file yet.

    Raises:
        LepbenchError: it cannot be read, or has other columns.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            lines = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LepbenchError(f"cannot read {path}: {error}", "restore the file") from error
    if reader.fieldnames != columns:
        raise LepbenchError(
            f"{path} has other columns than this version writes", "move it away and start anew"
        )
    return lines


def _check_comparable(path: Path, lines: list[Line], line: Line) -> None:
    for key in ("suite_sha256", "protocol_sha256", "items", "samples"):
        for other in lines:
            if other[key] != line[key]:
                raise LepbenchError(
                    f"{path} holds scores with {key} {other[key]}, not {line[key]}: they do not compare",
                    "evaluate again under the same terms",
                )
