"""What is said of candidates that were left out."""

from __future__ import annotations

import json
from pathlib import Path

from lepbench.sketches import Fault
from lepbench.suite_sources.rejects import (
    RejectedCandidate,
    UnsupportedParts,
    count_parts,
    count_reasons,
    describe_rejects,
    write_lines,
)

REJECTS = [
    RejectedCandidate(id="cat/1", reason=Fault.EMPTY, detail=""),
    RejectedCandidate(id="cat/3", reason=Fault.DAMAGED, detail="not well-formed XML: line 4"),
    RejectedCandidate(id="dog/2", reason=Fault.DAMAGED, detail="a canvas of 0 x 0"),
]


def test_the_commonest_reason_comes_first_with_an_example() -> None:
    text = "2 malformed drawing (such as cat/3: not well-formed XML: line 4), 1 no strokes"
    assert describe_rejects(REJECTS) == text
    assert describe_rejects(REJECTS[:1]) == "1 no strokes (such as cat/1)"
    assert describe_rejects([]) == ""
    assert count_reasons(REJECTS) == {"malformed drawing": 2, "no strokes": 1}


def test_a_long_detail_is_cut_in_the_message_and_whole_in_the_file(tmp_path: Path) -> None:
    reject = RejectedCandidate(id="x", reason=Fault.DAMAGED, detail="long " * 100)
    assert len(describe_rejects([reject])) < 200
    write_lines(tmp_path / "rejected.jsonl", [reject])
    assert json.loads((tmp_path / "rejected.jsonl").read_text()) == {
        "id": "x",
        "reason": "malformed drawing",
        "detail": reject.detail,
    }
    write_lines(tmp_path / "none.jsonl", [])
    assert not (tmp_path / "none.jsonl").exists()


def test_parts_are_counted_by_drawing() -> None:
    parts = [
        UnsupportedParts(id="a", unsupported={"<text>": 5}),
        UnsupportedParts(id="b", unsupported={"<text>": 1, "filter": 2}),
    ]
    assert count_parts(parts) == {"<text>": 2, "filter": 1}
