"""Runs side by side: differences, corrected p values, ranks with ties."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest
from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.evaluation import compare as room
from lepbench.evaluation.compare import Comparison, compare, select_samples
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.record import Record, read_record, write_record
from lepbench.evaluation.run import evaluate
from lepbench.guidance import SamplerSettings
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]


def renamed(folder: Path, name: str) -> None:
    record = read_record(folder)
    model = record.identity.model.model_copy(update={"name": name})
    identity = record.identity.model_copy(update={"model": model})
    write_record(folder, Record.model_validate({**record.model_dump(), "identity": identity.model_dump()}))


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> Path:
    """A run, the same run under another name, and one whose pictures are almost noise."""
    root = tmp_path_factory.mktemp("finished")
    noisy = tiny_model.model_copy(update={"sampler": SamplerSettings(steps=1)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(root / "cache"))
        for name, model in (("one", tiny_model), ("twin", tiny_model), ("noisy", noisy)):
            evaluate(model, tiny_suite, root / name, device="cpu", judges=tiny_judges)
            renamed(root / name, name)
    return root


@pytest.fixture
def runs(tmp_path: Path, finished: Path) -> dict[str, Path]:
    """Copies of the finished runs, to be changed."""
    return {name: Path(copytree(finished / name, tmp_path / name)) for name in ("one", "twin", "noisy")}


@pytest.fixture(scope="module")
def found(finished: Path, tiny_judges: Judges) -> Comparison:
    names = ("one", "twin", "noisy")
    return compare([finished / name for name in names], every_metric=True)


def test_metrics_that_others_sum_up_are_shown_when_asked_for(
    runs: dict[str, Path], tiny_judges: Judges, found: Comparison
) -> None:
    plain = compare(list(runs.values()))
    less, more = ({one.metric for one in each.standings} for each in (plain, found))
    assert less < more
    assert {metric for metric in more - less if "precision" in metric or "recall" in metric}


def test_differences_are_those_of_the_records_figures(found: Comparison, runs: dict[str, Path]) -> None:
    figures = {name: read_record(folder).rows["model"] for name, folder in runs.items()}
    assert {(d.first, d.second) for d in found.differences} == {
        ("one", "twin"),
        ("one", "noisy"),
        ("twin", "noisy"),
    }
    for one in found.differences:
        first, second = (figures[name][one.metric].value for name in (one.first, one.second))
        assert first is not None
        assert second is not None
        assert one.interval.value == pytest.approx(first - second, abs=1e-9)
        assert one.interval.low <= one.interval.value <= one.interval.high
    for standing in found.standings:
        figure = figures[standing.run][standing.metric]
        assert standing.interval == pytest.approx((figure.value, figure.low, figure.high), nan_ok=True)


def test_equal_runs_tie_and_have_no_difference(found: Comparison) -> None:
    for one in found.differences:
        if (one.first, one.second) == ("one", "twin"):
            assert tuple(one.interval) == (0, 0, 0)
            assert one.p_value == 1
    # Every main figure of the tiny suite has a better side.
    by_run = {(one.metric, one.run): one.ranks or (0, 0) for one in found.standings}
    for metric, run in by_run:
        assert by_run[metric, "one"] == by_run[metric, "twin"]
        low, high = by_run[metric, run]
        assert 1 <= low <= high <= 3


def test_ranks_follow_from_significant_differences(found: Comparison) -> None:
    parted = [one for one in found.differences if one.significant]
    assert parted, "two steps and one draw other pictures"
    for one in parted:
        ranks = {s.run: s.ranks or (0, 0) for s in found.standings if s.metric == one.metric}
        ahead = (one.interval.value > 0) != (find_direction(one.metric) == "lower")
        better, worse = (one.first, one.second) if ahead else (one.second, one.first)
        assert ranks[better][0] < ranks[worse][0]
        assert ranks[better][1] < ranks[worse][1]


def test_skill_is_0_for_the_backbone_alone(found: Comparison) -> None:
    for one in found.standings:
        if one.run == "one" and one.skill is not None:
            assert one.skill == pytest.approx(0, abs=1e-9)


def test_command_prints_tables_or_json(
    runs: dict[str, Path],
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = compare(list(runs.values()))
    monkeypatch.setattr(room, "compare", lambda folders, every_metric: shown)
    for extra in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["lepbench", "compare", *map(str, runs.values()), *extra])
        main()
        out = capsys.readouterr().out
        if extra:
            printed = json.loads(out)
            assert printed["samples"] == shown.samples
            assert len(printed["differences"]) == len(shown.differences)
        else:
            assert "Paired differences" in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol_sha256": "0" * 64}, "was scored by another protocol than the present lepbench-edges-v1"),
        ({"items": 3}, "has items 3 and .*do not compare"),
    ],
)
def test_runs_on_other_terms_are_refused(
    runs: dict[str, Path], tiny_judges: Judges, change: dict[str, object], message: str
) -> None:
    record = read_record(runs["noisy"])
    identity = {**record.identity.model_dump(), **change}
    write_record(runs["noisy"], Record.model_validate({**record.model_dump(), "identity": identity}))
    with pytest.raises(LepbenchError, match=message):
        compare(list(runs.values()))


def test_two_runs_of_one_name_are_refused(runs: dict[str, Path], tiny_judges: Judges) -> None:
    renamed(runs["twin"], "one")
    with pytest.raises(LepbenchError, match="two runs are both called 'one'"):
        compare(list(runs.values()))


def test_runs_by_other_settings_of_a_judge_are_refused(runs: dict[str, Path]) -> None:
    path = runs["twin"] / "record.json"
    path.write_text(
        path.read_text().replace(f'model.safetensors": "{"0" * 64}"', f'model.safetensors": "{"1" * 64}"')
    )
    with pytest.raises(
        LepbenchError, match=r"was scored by another sketchworld-clip/model\.safetensors than"
    ):
        compare([runs["one"], runs["twin"]])


def test_a_real_picture_stays_where_the_first_sample_of_its_item_failed() -> None:
    rows = [("model", "a", 0), ("model", "a", 1), ("model", "b", 1), ("real", "a", 0), ("real", "b", 0)]
    rows += [("real", "c", 0), ("unguided", "b", 0), ("unguided", "b", 1)]
    table = pd.DataFrame(rows, columns=["row", "item_id", "sample_index"])
    kept = select_samples(table, {"a-0", "a-1", "b-1"})
    assert list(kept.itertuples(index=False, name=None)) == [*rows[:5], rows[7]]
