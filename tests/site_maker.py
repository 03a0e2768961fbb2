"""A board of many models, made of one record."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

from lepbench.evaluation.record import Record
from lepbench.publishing.board_lines import BoardLine, locate_terms, sort_lines
from lepbench.publishing.flat_figures import format_lines
from lepbench.publishing.leaderboard import describe_terms, make_line

LEVELS = ("verified", "redrawn", "self-reported")


def make_boards(folder: Path, record: Record, models: int) -> Path:
    """A folder of one board: the record's line, and others with figures moved by chance."""
    chance = random.Random(0)
    own = make_line(record, "verified")
    lines = [
        own,
        *(
            _vary(make_line(record, LEVELS[number % 3]), number, chance.uniform(0.3, 0.99))
            for number in range(1, models)
        ),
    ]
    path = folder / record.identity.suite / f"{record.protocol.name}.csv"
    path.parent.mkdir(parents=True)
    path.write_text(format_lines(list(own), sort_lines(lines, record.protocol.rank_by)))
    locate_terms(path).write_text(json.dumps(describe_terms(record)))
    return folder


def _vary(line: BoardLine, number: int, share: float) -> BoardLine:
    """A line with every figure shortened alike, so that those that follow from others still do."""
    varied = {**line, "model": f"model-{number:03d}"}
    varied["record"] = hashlib.sha256(str(number).encode()).hexdigest()
    varied["method"] = f"{'slow' if number % 2 else 'quick'}(note=&lt; \"q\" 'b' &b;)"
    for column in (name for name in line if line.get(f"{name}_low")):
        for suffix in ("", "_low", "_high"):
            varied[column + suffix] = f"{share * float(line[column + suffix]):.6g}"
    return varied
