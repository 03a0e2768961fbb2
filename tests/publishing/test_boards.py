"""A leaderboard takes verified runs under the same terms, each once."""

from __future__ import annotations

import csv
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from forged_run import forge, reckon, replaced

from lepbench import make_suite
from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import is_of_sets
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.publishing import leaderboard
from lepbench.publishing.board_lines import sort_lines
from lepbench.publishing.leaderboard import add_record
from lepbench.suites import Suite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> Path:
    """Finished runs: `tiny`, `again` (the same name, other settings), `other`, and two under other terms."""
    folder = tmp_path_factory.mktemp("runs")
    one_step = tiny_model.sampler.model_copy(update={"steps": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(folder / "cache"))
        runs: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("tiny", {}, {}),
            ("again", {"sampler": one_step}, {}),
            ("other", {"name": "other"}, {}),
            ("few", {"name": "few"}, {"limit": 3}),
            ("many", {"name": "many"}, {"samples_per_item": 2}),
        ]
        for name, changes, terms in runs:
            model = tiny_model.model_copy(update=changes)
            evaluate(model, tiny_suite, folder / name, device="cpu", judges=tiny_judges, **terms)
    return folder


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_runs_are_added_once(runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    def put(name: str, replace: bool = False) -> tuple[Path, bool]:
        return add_record(runs / name, tmp_path / "boards", tiny_suite, replace=replace)

    path, changed = put("tiny")
    assert changed
    assert path == tmp_path / "boards" / "tiny-suite" / "lepbench-edges-v1.csv"
    before = path.read_bytes()
    assert put("tiny") == (path, False)
    assert path.read_bytes() == before
    path.write_bytes(before.replace(b",unguided,", b",guided,"))
    with pytest.raises(LepbenchError, match="a line of this record with method 'guided'; restore the board"):
        put("tiny")
    path.write_bytes(before)
    put("other")
    with pytest.raises(LepbenchError, match="another record of 'tiny'"):
        put("again")
    assert [line["model"] for line in lines_of(path)] == ["tiny", "other"]
    put("again", replace=True)
    assert [line["record"] for line in lines_of(path)] == [
        read_record(runs / n).id for n in ("other", "again")
    ]


def test_a_line_holds_the_models_figures(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    path, _ = add_record(runs / "tiny", tmp_path, tiny_suite)
    (line,) = lines_of(path)
    for metric, figure in read_record(runs / "tiny").rows["model"].items():
        name = f"{metric}_n10" if is_of_sets(metric) else metric
        for suffix, number in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
            assert line[name + suffix] == ("" if number is None else f"{number:.6g}")
    assert (line["method"], line["items"], line["samples"]) == ("unguided", "10", "10")


def test_runs_under_other_terms_are_refused(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    add_record(runs / "tiny", tmp_path, tiny_suite)
    with pytest.raises(LepbenchError, match="samples 10, not 20"):
        add_record(runs / "many", tmp_path, tiny_suite)
    with pytest.raises(LepbenchError, match="has 3 items and a leaderboard takes 10"):
        add_record(runs / "few", tmp_path, tiny_suite)


def test_the_lines_of_a_board_without_levels_are_self_reported(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    path, _ = add_record(runs / "tiny", tmp_path, tiny_suite, judges=tiny_judges)
    assert [line["level"] for line in lines_of(path)] == ["verified"]
    path.write_text(path.read_text().replace(",level,", ",").replace(",verified,", ","))
    assert "level" not in lines_of(path)[0]
    add_record(runs / "other", tmp_path, tiny_suite, judges=tiny_judges)
    assert {line["model"]: line["level"] for line in lines_of(path)} == {
        "tiny": "self-reported",
        "other": "verified",
    }
    add_record(runs / "tiny", tmp_path, tiny_suite, judges=tiny_judges)
    assert {line["level"] for line in lines_of(path)} == {"verified"}


def test_counts_that_the_pictures_do_not_give_are_refused(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    run = Path(shutil.copytree(runs / "tiny", tmp_path / "run"))

    def change(table: pa.Table) -> pa.Table:
        most = table["edge_predicted"][0].as_py()
        return replaced(table, "edge_matched_predicted_0px", most, 0)

    forge(run, change)
    reckon(run)
    with pytest.raises(LepbenchError, match=r"gives edge_matched_predicted_0px .* in row 'model', samples"):
        add_record(run, tmp_path / "boards", tiny_suite)
    assert not (tmp_path / "boards").exists()


def test_two_that_add_at_once_both_have_their_line(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads the board before the other writes it, unless one waits."""
    ready = threading.Barrier(2)

    def sort_late(*given: Any) -> Any:
        # Without a lock both are here at once; with it the first is alone until it is tired of waiting.
        with suppress(threading.BrokenBarrierError):
            ready.wait(1)
        return sort_lines(*given)

    monkeypatch.setattr(leaderboard, "sort_lines", sort_late)
    with ThreadPoolExecutor(2) as pool:
        put = [pool.submit(add_record, runs / name, tmp_path, tiny_suite) for name in ("tiny", "other")]
    assert {one.result()[1] for one in put} == {True}
    assert {line["model"] for line in lines_of(put[0].result()[0])} == {"tiny", "other"}


@pytest.mark.parametrize("key", ["suite_sha256", "protocol_sha256"])
def test_a_board_of_another_protocol_or_suite_is_refused(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges, key: str
) -> None:
    path, _ = add_record(runs / "tiny", tmp_path, tiny_suite)
    stated = read_record(runs / "tiny").identity.model_dump()[key]
    path.write_text(path.read_text().replace(stated, "0" * 64))
    with pytest.raises(LepbenchError, match=f"scores with {key} 0000"):
        add_record(runs / "other", tmp_path, tiny_suite)


def test_the_term_that_differs_is_named(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    path, _ = add_record(runs / "tiny", tmp_path, tiny_suite)
    stated = read_record(runs / "tiny").identity.protocol_sha256
    path.write_text(path.read_text().replace(stated, "0" * 64))
    terms = path.with_suffix(".json")
    terms.write_text(json.dumps({**json.loads(terms.read_text()), "contour_tolerance": 2}))
    with pytest.raises(LepbenchError, match="scores with contour_tolerance 2, not 1"):
        add_record(runs / "other", tmp_path, tiny_suite)


def test_a_board_of_other_columns_is_refused(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    path = tmp_path / "tiny-suite" / "lepbench-edges-v1.csv"
    add_record(runs / "tiny", tmp_path, tiny_suite)
    path.write_text(path.read_text().replace("mask_iou", "score"))
    before = path.read_text()
    with pytest.raises(LepbenchError, match="other columns"):
        add_record(runs / "other", tmp_path, tiny_suite)
    assert path.read_text() == before


def test_a_record_its_samples_do_not_bear_out_is_refused(
    runs: Path, tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    path = runs / "other" / "record.json"
    honest = path.read_text()
    document = json.loads(honest)
    document["rows"]["model"]["edge_f1_1px"]["value"] = 1.0
    path.write_text(json.dumps(document))
    try:
        with pytest.raises(LepbenchError, match="record says edge_f1_1px"):
            add_record(runs / "other", tmp_path / "boards", tiny_suite)
    finally:
        path.write_text(honest)
    assert not (tmp_path / "boards").exists()


def test_a_board_of_a_suite_of_variants_takes_whole_originals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = make_suite("completion", "sketchworld-freehand-v1", tmp_path / "s", items=3, progress=False)
    few = SimpleNamespace(identity=SimpleNamespace(items=len(suite.items(2))))
    monkeypatch.setattr(leaderboard, "verify_run", lambda *given, **settings: SimpleNamespace(record=few))
    said = "run has 2 items with all their variants and a leaderboard takes 3 or more; evaluate without"
    with pytest.raises(LepbenchError, match=said):
        add_record(Path("run"), tmp_path / "boards", suite)
