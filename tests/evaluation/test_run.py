"""A whole evaluation: what it writes, that it can stop anywhere, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from forged_run import finished

from lepbench.errors import LepbenchError
from lepbench.evaluation import bench, condition_runner, conditions
from lepbench.evaluation.condition_runner import Failure
from lepbench.evaluation.conditions import CONDITIONS, Condition
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import list_metrics
from lepbench.files import sha256_file, write_bytes
from lepbench.images import open_rgb
from lepbench.judges import Judges
from lepbench.methods import Method, ModelConfig, Request
from lepbench.seeds import derive_seed
from lepbench.suites import Suite

__all__ = ["finished"]


def test_a_run_writes_samples_pictures_and_record(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    seen: list[tuple[str, int, int]] = []
    record = evaluate(
        tiny_model,
        tiny_suite,
        tmp_path / "out",
        samples_per_item=2,
        device="cpu",
        judges=tiny_judges,
        progress=lambda *told: seen.append(told),
    )
    assert read_record(tmp_path / "out") == record
    assert list(record.rows) == list(CONDITIONS)
    assert all(list(figures) == list_metrics(record.protocol) for figures in record.rows.values())
    assert (record.sample_count, record.identity.items) == (20, 10)
    assert {told[0] for told in seen if told[1] == told[2]} == set(CONDITIONS)
    frame = pq.read_table(tmp_path / "out" / "samples.parquet").to_pandas()
    assert frame["row"].value_counts().to_dict() == {
        row: 10 if row in ("real", "vae") else 20 for row in CONDITIONS
    }
    for sample in frame[frame["row"] == "model"].to_dict("records"):
        assert sample["seed"] == derive_seed("tiny-suite", sample["item_id"], sample["sample_index"])
        path = locate_picture(tmp_path / "out", "model", sample["item_id"], sample["sample_index"])
        assert sha256_file(path) == sample["png_sha256"]
    assert not list((tmp_path / "out").glob(".units*"))
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert (log[0]["event"], log[-1]["event"]) == ("begin", "end")
    assert {line["stage"] for line in log if line.get("done") == line.get("total", 0)} == set(CONDITIONS)


def test_references_are_what_they_say(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    record = evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    real, model = record.rows["real"], record.rows["model"]
    # The sketch is the detector's map of the true picture, and similarity is measured from that picture's.
    assert real["edge_f1_0px"].value == 1
    assert real["clip_skill@sketchworld-clip"].value == pytest.approx(1)
    # The model here is unguided too, and its noise the same.
    assert model == record.rows["unguided"]
    assert record.rows["wrong_sketch"]["kid@sketchworld-clip"] == model["kid@sketchworld-clip"]
    assert record.rows["wrong_sketch"]["edge_f1_1px"] != model["edge_f1_1px"]
    assert record.rows["overlay"]["edge_f1_2px"].value > model["edge_f1_2px"].value  # type: ignore[operator]
    item = tiny_suite.items()[0]
    stored = np.asarray(open_rgb(locate_picture(tmp_path / "out", "real", item.item_id)))
    assert item.image is not None
    assert np.array_equal(stored, item.image)


@pytest.mark.slow
@pytest.mark.parametrize("done", [0, 5, 9])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
    finished: Path,
    done: int,
) -> None:
    calls = 0

    def counted(*arguments: Any, **named: Any) -> object:
        nonlocal calls
        if calls == done and stopping:
            raise KeyboardInterrupt
        calls += 1
        return score_pictures(*arguments, **named)

    monkeypatch.setattr(condition_runner, "score_pictures", counted)
    stopping = True
    with pytest.raises(KeyboardInterrupt):
        evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    assert not (tmp_path / "out" / "samples.parquet").exists()
    stopping = False
    record = evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    assert calls == 2 * len(CONDITIONS)
    stopped, whole = (folder / "samples.parquet" for folder in (tmp_path / "out", finished))
    assert stopped.read_bytes() == whole.read_bytes()
    assert record.id == read_record(finished).id


def test_a_batch_that_cannot_be_written_stops_the_run(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path, table: object) -> None:
        raise LepbenchError(f"cannot write {path}: no space left")

    monkeypatch.setattr(condition_runner, "write_table", refuse)
    with pytest.raises(LepbenchError, match="no space left"):
        evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    assert not (tmp_path / "out" / "samples.parquet").exists()


def test_a_finished_run_is_read_back(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    monkeypatch.setattr(condition_runner, "draw_batch", None)
    left = tmp_path / "out" / ".units" / "model-00000.parquet"
    write_bytes(left, b"what a kill after the record left")
    assert evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges) == first
    assert not left.parent.exists()


@pytest.mark.slow
def test_references_are_computed_once_and_checked(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges, own_cache: Path
) -> None:
    def again(name: str, model: ModelConfig = tiny_model) -> list[str]:
        return evaluate(model, tiny_suite, tmp_path / name, device="cpu", judges=tiny_judges).reused

    assert again("first") == []
    assert again("second") == ["vae", "unguided"]
    first, second = ((tmp_path / n / "samples.parquet").read_bytes() for n in ("first", "second"))
    assert first == second
    other = tiny_model.model_copy(update={"sampler": tiny_model.sampler.model_copy(update={"steps": 1})})
    assert again("other-sampler", other) == ["vae"]
    for kept in own_cache.glob("references/*/*.parquet"):
        kept.write_bytes(kept.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="is not the table that was kept there: it is deleted, and drawn"):
        assert again("spoilt") == []
    assert again("mended") == ["vae", "unguided"]


@pytest.mark.slow
def test_a_poisoned_cache_changes_no_figure(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges, own_cache: Path
) -> None:
    first = evaluate(tiny_model, tiny_suite, tmp_path / "first", device="cpu", judges=tiny_judges)
    for kept in own_cache.glob("references/*/*.parquet"):
        with pq.ParquetFile(kept) as file:
            groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
        name = "clip_similarity@sketchworld-clip"
        with pq.ParquetWriter(kept, groups[0].schema) as writer:
            for group in groups:
                place = group.schema.get_field_index(name)
                flat = pa.array([0.9] * len(group), group.schema.types[place])
                writer.write_table(group.set_column(place, group.schema.field(place), flat))
    with pytest.warns(UserWarning, match="is not the table that was kept there"):
        second = evaluate(tiny_model, tiny_suite, tmp_path / "second", device="cpu", judges=tiny_judges)
    assert second.rows == first.rows


def test_a_batch_that_fails_is_let_go_before_its_samples_are_tried_alone(tiny_suite: Suite) -> None:
    held: list[weakref.ref[torch.Tensor]] = []
    alive: list[bool] = []

    def draw(batch: Batch) -> torch.Tensor:
        pictures = torch.zeros(len(batch), 3, 64, 64)
        if len(batch) > 1:
            held.append(weakref.ref(pictures))
            raise RuntimeError("no such thing")
        alive.append(held[0]() is not None)
        return pictures

    (batch, *_) = make_batches(tiny_suite, tiny_suite.items(3), 1, 3)
    drawn = condition_runner.draw_batch(Condition(CONDITIONS["model"], draw), batch)
    assert alive == [False] * 3
    assert [picture.shape for picture in drawn if not isinstance(picture, Failure)] == [(64, 64, 3)] * 3


@pytest.mark.slow
def test_references_depend_on_every_file_of_the_backbone_and_on_its_precision(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    tiny_pipeline_folder: Path,
) -> None:
    folder = Path(shutil.copytree(tiny_pipeline_folder, tmp_path / "model"))
    own = tiny_model.model_copy(update={"backbone": str(folder)})

    def again(name: str, model: ModelConfig = own) -> list[str]:
        return evaluate(model, tiny_suite, tmp_path / name, device="cpu", judges=tiny_judges, limit=1).reused

    assert again("first") == []
    assert again("second") == ["vae", "unguided"]
    assert again("halved", own.model_copy(update={"precision": "bfloat16"})) == []
    for number, (file, key, value) in enumerate(
        [
            ("scheduler/scheduler_config.json", "prediction_type", "v_prediction"),
            ("vae/config.json", "scaling_factor", 2.0),
            ("tokenizer/tokenizer_config.json", "model_max_length", 9),
        ]
    ):
        path = folder / file
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
        assert again(f"other-{number}") == [], file


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "file"))
    record = evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges, limit=1)
    assert record.sample_count == 1


class Flawed(Method):
    """A method that cannot draw one item, and draws nonsense for another."""

    def __init__(self, suite: Suite) -> None:
        self.raises, self.nonsense = (derive_seed(suite.name, i.item_id, 0) for i in suite.items()[2:4])

    def draw(self, requests: Sequence[Request]) -> torch.Tensor:
        seeds = [request.seed for request in requests]
        if self.raises in seeds:
            raise RuntimeError("no\nmemory")
        pictures = torch.rand(len(seeds), 3, 64, 64, generator=torch.Generator().manual_seed(0))
        for i, seed in enumerate(seeds):
            if seed == self.nonsense:
                pictures[i] = float("nan")
        return pictures


@pytest.mark.slow
def test_failures_are_kept_counted_and_tried_again(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    make_condition = conditions.make_model_condition
    with monkeypatch.context() as patch:
        patch.setattr(bench, "make_model_condition", lambda method: make_condition(Flawed(tiny_suite)))
        record = evaluate(tiny_model, tiny_suite, out, device="cpu", judges=tiny_judges)
    assert record.failed["model"] == record.failed["wrong_sketch"] == 2
    assert sum(record.failed.values()) == 4
    frame = pq.read_table(out / "samples.parquet").to_pandas()
    model = frame[frame["row"] == "model"]
    bad = model[model["status"] == "failed"]
    assert len(model) == 10
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    listed = [(line["stage"], line["samples"]) for line in log if line["event"] == "failed"]
    assert sum(samples for stage, samples in listed if stage == "model") == 2
    raised, drawn = bad["reason"].to_list()
    assert re.fullmatch(r"RuntimeError: no memory \(test_run\.py, line \d+\)", raised)
    assert drawn == "pixels that are not finite"
    assert bad["png_sha256"].isna().all()
    assert bad["edge_predicted"].isna().all()
    repaired = evaluate(tiny_model, tiny_suite, out, device="cpu", judges=tiny_judges)
    assert sum(repaired.failed.values()) == 0
    frame = pq.read_table(out / "samples.parquet").to_pandas().set_index(["row", "item_id"])
    for item_id in bad["item_id"]:
        drawn, expected = (frame.loc[(row, item_id), "png_sha256"] for row in ("model", "unguided"))
        assert drawn == expected


def test_a_model_that_draws_nothing_is_an_error(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(Flawed):
        def draw(self, requests: Sequence[Request]) -> torch.Tensor:
            raise RuntimeError("no device")

    make_condition = conditions.make_model_condition
    monkeypatch.setattr(bench, "make_model_condition", lambda method: make_condition(Broken(tiny_suite)))
    with pytest.raises(LepbenchError, match=r"none of 10 pictures.*no device"):
        evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)


def test_pictures_of_another_size_are_refused(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Large(Flawed):
        def draw(self, requests: Sequence[Request]) -> torch.Tensor:
            return torch.zeros(len(requests), 3, 128, 128)

    make_condition = conditions.make_model_condition
    monkeypatch.setattr(bench, "make_model_condition", lambda method: make_condition(Large(tiny_suite)))
    with pytest.raises(LepbenchError, match="128, 128"):
        evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)


def test_a_folder_of_another_run_is_refused(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    out = tmp_path / "out"
    evaluate(tiny_model, tiny_suite, out, device="cpu", judges=tiny_judges, limit=2)
    with pytest.raises(LepbenchError, match=r"another run \(differs in items"):
        evaluate(tiny_model, tiny_suite, out, device="cpu", judges=tiny_judges, limit=3)
    renamed = tiny_model.model_copy(update={"name": "other"})
    with pytest.raises(LepbenchError, match=r"another run \(differs in model"):
        evaluate(renamed, tiny_suite, out, device="cpu", judges=tiny_judges, limit=2)


def test_a_folder_of_other_files_is_refused(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("")
    with pytest.raises(LepbenchError, match=r"thesis\.tex"):
        evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)


@pytest.mark.slow
def test_more_samples_an_item_leave_the_first_as_they_were(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    one, two = (
        evaluate(
            tiny_model, tiny_suite, tmp_path / str(n), device="cpu", judges=tiny_judges, samples_per_item=n
        )
        for n in (1, 2)
    )
    tables = [pq.read_table(tmp_path / str(n) / "samples.parquet").to_pandas() for n in (1, 2)]
    first, both = (
        t[(t["row"] == "model") & (t["sample_index"] == 0)]["png_sha256"].to_list() for t in tables
    )
    assert first == both
    assert one.identity.suite_sha256 == two.identity.suite_sha256


def test_the_protocol_hash_moves_with_any_setting(tiny_suite: Suite) -> None:
    protocol = select_protocol(tiny_suite)
    changed = [
        protocol.model_copy(update={"batch_size": 4}),
        protocol.model_copy(update={"tolerances": (0, 1)}),
        protocol.model_copy(update={"detector": protocol.contour_detector}),
    ]
    assert len({protocol.sha256, *(other.sha256 for other in changed)}) == 4
    assert select_protocol(tiny_suite).sha256 == protocol.sha256
