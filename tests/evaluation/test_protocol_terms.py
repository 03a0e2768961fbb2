"""Terms of a protocol file: values that no evaluation could be made with are refused when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.suites import load_suite

TERMS = {
    "confidence: 2": "confidence must be less than 1, not 2",
    "confidence: 0": "confidence must be more than 0, not 0",
    "resamples: 0": "resamples must be 1 or more, not 0",
    "kid_fraction: 1.0": "kid_fraction must be less than 1, not 1.0",
    "tolerances: [-1]": "tolerances entry 1 must be 0 or more, not -1",
    "relative_tolerances: [1.5]": "relative_tolerances entry 1 must be less than 1, not 1.5",
    "stroke_tolerance: -2": "stroke_tolerance must be 0 or more, not -2",
    "unit: 0": "unit must be 1 or more, not 0",
    "frechet_from: 1": "frechet_from must be 2 or more, not 1",
    "size: 128": "scores at 128 px, suite 'sketchworld-edges-v1' has 64; make the suite at --size 128",
}


@pytest.mark.parametrize("term", TERMS)
def test_a_term_that_cannot_be_is_one_line(term: str, tmp_path: Path) -> None:
    path = tmp_path / "terms.yaml"
    path.write_text(f"name: mine\n{term}\n")
    with pytest.raises(LepbenchError) as caught:
        select_protocol(load_suite("sketchworld-edges-v1"), path)
    assert str(path) in str(caught.value)
    assert TERMS[term] in str(caught.value)
    assert "\n" not in str(caught.value)
