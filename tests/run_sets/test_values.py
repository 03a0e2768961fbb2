"""Names of figures, with and without a judge."""

from __future__ import annotations

import pytest

from lepbench.errors import LepbenchError
from lepbench.run_sets.values import find_metric, is_metric

KNOWN = ["edge_f1_1px", "kid@a", "clip_skill@a", "clip_skill@b"]


def test_a_figure_has_a_name_with_or_without_its_judge() -> None:
    assert find_metric("edge_f1_1px", KNOWN) == "edge_f1_1px"
    assert find_metric("kid", KNOWN) == find_metric("kid@a", KNOWN) == "kid@a"
    assert [is_metric(name, KNOWN) for name in ("kid", "clip_skill", "method.scale")] == [True, True, False]


def test_a_figure_of_several_judges_names_one() -> None:
    assert find_metric("clip_skill@b", KNOWN) == "clip_skill@b"
    with pytest.raises(LepbenchError, match="several judges; write one of: clip_skill@a, clip_skill@b"):
        find_metric("clip_skill", KNOWN)
