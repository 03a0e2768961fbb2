"""Finished runs are compared and verified, whether by folder or by record."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import lepbench
from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import Comparison
from lepbench.evaluation.record import Record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def other(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The same model in three steps, under a name that HTML must not take for a tag."""
    out = tmp_path_factory.mktemp("runs") / "other"
    longer = document | {"name": "three-steps", "sampler": {"steps": 3}}
    return lepbench.evaluate(longer, out=out, limit=3, device="cpu", progress=False)


@pytest.fixture(scope="module")
def comparison(run: Record, other: Record) -> Comparison:
    return lepbench.compare(run, other)


def test_runs_are_given_as_records_folders_files_or_a_list(
    run: Record, other: Record, comparison: Comparison
) -> None:
    folder = other.require_folder()
    for given in (
        (run, folder),
        ([str(run.require_folder()), other],),
        ((run, folder / "record.json"),),
    ):
        again = lepbench.compare(*given)
        # NaN is not NaN, but one table's is another's.
        for part in ("standings", "differences"):
            pd.testing.assert_frame_equal(again.to_frame(part), comparison.to_frame(part))


def test_standings_and_differences_are_those_of_the_command_line(
    run: Record, other: Record, comparison: Comparison, command: Callable[..., str]
) -> None:
    printed = json.loads(command("compare", run.require_folder(), other.require_folder(), "--json"))
    standings, differences = comparison.to_frame(), comparison.to_frame("differences")
    assert len(standings) == len(printed["standings"])
    for line in printed["standings"]:
        found = standings.loc[(line["metric"], line["run"])]
        assert found["value"] == line["value"]
        assert [found["best_rank"], found["worst_rank"]] == line["ranks"]
        for end in ("low", "high", "skill"):
            assert found[end] == line[end] if line[end] is not None else math.isnan(found[end])
    assert len(differences) == len(printed["differences"])
    for line in printed["differences"]:
        pair: Any = differences.xs((line["metric"], line["first"], line["second"]))
        assert pair["p_value"] == line["p_value"]
        assert pair["significant"] == (line["p_value"] < 0.05)
        values = [
            comparison.to_frame().loc[(line["metric"], line[one]), "value"] for one in ("first", "second")
        ]
        assert pair["value"] == pytest.approx(values[0] - values[1], abs=1e-9)


def test_every_metric_is_more(run: Record, other: Record, comparison: Comparison) -> None:
    everything = lepbench.compare(run, other, every_metric=True).to_frame()
    assert set(comparison.to_frame().index) < set(everything.index)
    assert ("chamfer_px", "tiny") in everything.index


def test_a_comparison_is_shown_in_one_line_and_in_notebooks(comparison: Comparison) -> None:
    assert repr(comparison) == "Comparison(tiny, three-steps, 3 samples; to_frame() has the figures)"
    text = comparison._repr_html_()
    assert text.count("<table") == 2
    assert "Standings on 3 samples" in text
    with pytest.raises(LepbenchError, match='write "standings" or "differences"'):
        comparison.to_frame("ranks")  # type: ignore[arg-type]


def test_what_does_not_compare_is_one_line(run: Record, document: dict[str, Any], tmp_path: Path) -> None:
    folder = run.require_folder()
    with pytest.raises(LepbenchError, match="needs two runs or more; give their folders or records"):
        lepbench.compare(str(folder))
    with pytest.raises(LepbenchError, match="needs two runs or more"):
        lepbench.compare()
    with pytest.raises(LepbenchError, match="two runs are both called 'tiny'"):
        lepbench.compare(folder, run)
    with pytest.raises(LepbenchError, match="absent"):
        lepbench.compare(run, "absent")
    fewer = lepbench.evaluate(
        document | {"name": "fewer"}, out=tmp_path, limit=2, device="cpu", progress=False
    )
    with pytest.raises(LepbenchError, match=r"items 2 and .* 3: they do not compare"):
        lepbench.compare(run, fewer)


def test_a_true_run_is_verified_and_a_false_one_is_not(run: Record, tmp_path: Path) -> None:
    folder = run.require_folder()
    for given in (run, folder, str(folder), folder / "record.json"):
        assert lepbench.verify(given, progress=False) == run
    suite = lepbench.load_suite()
    assert lepbench.verify(run, suite=suite, protocol=run.protocol, progress=False) == run
    assert lepbench.verify(run, images=True, device="cpu", progress=False) == run
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "samples.parquet").write_bytes(b"")
    with pytest.raises(LepbenchError, match="is not the file"):
        lepbench.verify(tmp_path / "copy", progress=False)
    with pytest.raises(LepbenchError, match="absent"):
        lepbench.verify("absent", progress=False)
    with pytest.raises(LepbenchError, match="and suite 'sketchworld-freehand-v1' has none"):
        lepbench.verify(run, suite="sketchworld-freehand-v1", progress=False)
