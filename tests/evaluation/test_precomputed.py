"""Other people's pictures: exported, drawn elsewhere, scored as if drawn here."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from tiny_evaluation import ITEMS, own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.cli.app import main
from lepbench.config import dump_config, parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.opening import load_reference_backbone
from lepbench.evaluation.record import Record
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.verify import verify_record
from lepbench.guidance import SamplerSettings
from lepbench.images import read_pixels
from lepbench.judges import Judges
from lepbench.methods import ModelConfig, PrecomputedConfig, UnguidedConfig
from lepbench.methods.reference import ReferenceModel
from lepbench.progress import ignore_progress
from lepbench.publishing.leaderboard import add_record, make_line
from lepbench.publishing.sheet import write_sheet
from lepbench.publishing.tables import write_csv, write_headline
from lepbench.suites import Suite
from lepbench.suites.export import export_suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]


def elsewhere(folder: Path) -> ModelConfig:
    return ModelConfig(name="elsewhere", method=PrecomputedConfig(folder=folder))


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> tuple[Path, Record]:
    """A run drawn here, two pictures an item."""
    out = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(out.parent / "cache"))
        record = evaluate(
            tiny_model, tiny_suite, out / "run", samples_per_item=2, device="cpu", judges=tiny_judges
        )
    return out / "run", record


@pytest.fixture
def pictures(tmp_path: Path, here: tuple[Path, Record]) -> Path:
    """The pictures of that run, as if they had come from elsewhere."""
    return Path(copytree(here[0] / "samples" / "model", tmp_path / "pictures"))


def scored(pictures: Path, suite: Suite, judges: Judges, out: Path, **settings: Any) -> Record:
    return evaluate(elsewhere(pictures), suite, out, **{"samples_per_item": 2, "judges": judges, **settings})


def test_pictures_score_as_they_did_where_they_were_drawn(
    pictures: Path, here: tuple[Path, Record], tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    record = scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")
    assert list(record.rows) == ["model", "real", "wrong_sketch"]
    assert record.identity.model.backbone is None
    for row in record.rows:
        assert record.rows[row] == here[1].rows[row]


@pytest.mark.slow
def test_a_run_of_them_is_published_like_any_other(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    record = scored(pictures, tiny_suite, tiny_judges, out)
    assert verify_record(out, tiny_suite) == record
    write_csv(out, record)
    write_sheet(out, record, write_headline(record), tiny_suite.items())
    assert Image.open(out / "sheet.png").width > 3 * 192
    path, changed = add_record(out, tmp_path / "boards", tiny_suite)
    assert changed
    assert next(csv.DictReader(path.open()))["label"] == "pictures drawn elsewhere"


def test_missing_and_extra_files_are_named(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    gone = sorted(pictures.iterdir())[3]
    gone.rename(pictures / "misnamed.png")
    with pytest.raises(
        LepbenchError, match=rf"1 missing, first '{gone.name}'; 1 not asked for, first 'misnamed.png'"
    ):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")


def test_fewer_samples_and_items_than_were_drawn_are_scored(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    few = {"samples_per_item": 1, "limit": ITEMS - 1}
    among_others = scored(pictures, tiny_suite, tiny_judges, tmp_path / "all", **few)
    asked = {f"{item.item_id}-0.png" for item in tiny_suite.items(ITEMS - 1)}
    for path in pictures.iterdir():
        if path.name not in asked:
            path.unlink()
    alone = scored(pictures, tiny_suite, tiny_judges, tmp_path / "few", **few)
    assert alone.identity == among_others.identity
    assert alone.rows == among_others.rows
    assert alone.sample_count == ITEMS - 1
    stored = tmp_path / "all" / "samples" / "model"
    assert {path.name for path in stored.iterdir()} == asked


def test_a_refused_run_leaves_its_folder_to_the_next(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    first = tiny_suite.items()[0].item_id
    for path in pictures.iterdir():
        if path.name != f"{first}-0.png":
            path.unlink()
    out = tmp_path / "out"
    with pytest.raises(
        LepbenchError, match=r"missing.*--limit and --samples-per-item of 'lepbench suite export'"
    ):
        scored(pictures, tiny_suite, tiny_judges, out, samples_per_item=1)
    record = scored(pictures, tiny_suite, tiny_judges, out, samples_per_item=1, limit=1)
    assert record.sample_count == 1


def test_pictures_of_a_wrong_size_can_be_mended_in_place(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    first = pictures / f"{tiny_suite.items()[0].item_id}-0.png"
    right = first.read_bytes()
    Image.new("RGB", (32, 64)).save(first)
    with pytest.raises(LepbenchError, match="draw all at the suite's size"):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")
    first.write_bytes(right)
    assert scored(pictures, tiny_suite, tiny_judges, tmp_path / "out").sample_count == 2 * ITEMS


def test_no_sampler_is_stated_of_what_was_drawn_elsewhere(tmp_path: Path) -> None:
    config = elsewhere(tmp_path)
    assert "sampler" not in config.model_dump(mode="json")
    old = config.model_dump(mode="json") | {"sampler": SamplerSettings().model_dump(mode="json")}
    assert ModelConfig.model_validate(old) == config
    for extra in ({"sampler": {"steps": 7}}, {"preset": "paper"}):
        with pytest.raises(ValidationError, match="has no sampler: remove the key 'sampler' or 'preset'"):
            ModelConfig.model_validate(config.model_dump(mode="json") | extra)


def test_a_changed_picture_is_another_run(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")
    Image.new("RGB", (64, 64)).save(min(pictures.iterdir()))
    with pytest.raises(LepbenchError, match="holds the results of another run"):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")


def test_a_picture_of_another_size_is_named(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    first = pictures / f"{tiny_suite.items()[0].item_id}-0.png"
    Image.new("RGB", (32, 64)).save(first)
    with pytest.raises(LepbenchError, match=rf"{first.name} is 32x64 px and the other pictures 64x64"):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")
    for path in pictures.iterdir():
        Image.new("RGB", (32, 64)).save(path)
    with pytest.raises(LepbenchError, match=r"is 32x64 px and the suite 64x64"):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")


@pytest.mark.parametrize("fault", ["size", "bytes"])
def test_a_bad_picture_of_any_batch_stops_a_run_before_it_begins(
    fault: str, pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    last = pictures / f"{tiny_suite.items()[-1].item_id}-1.png"
    right = last.read_bytes()
    last.write_bytes(right[:-40])
    if fault == "size":
        Image.new("RGB", (32, 64)).save(last)
    with pytest.raises(LepbenchError, match=last.name):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()
    last.write_bytes(right)
    assert scored(pictures, tiny_suite, tiny_judges, tmp_path / "out").sample_count == 2 * ITEMS


def test_a_folder_among_the_pictures_is_named(
    pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    (pictures / "sketches").mkdir()
    with pytest.raises(LepbenchError, match=r"1 not asked for, first 'sketches'; move .* elsewhere"):
        scored(pictures, tiny_suite, tiny_judges, tmp_path / "out")


def test_no_folder_and_a_backbone_are_refused(tmp_path: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    with pytest.raises(LepbenchError, match="no such folder of pictures"):
        scored(tmp_path / "none", tiny_suite, tiny_judges, tmp_path / "out")
    with pytest.raises(ValidationError, match="remove the key 'backbone'"):
        ModelConfig(name="x", backbone="mini@1", method=PrecomputedConfig(folder=tmp_path))
    assert ModelConfig(name="x", method=UnguidedConfig()).backbone == "mini@1"


def test_export_asks_for_exactly_what_is_scored(tmp_path: Path, tiny_suite: Suite, pictures: Path) -> None:
    table = export_suite(tiny_suite, tmp_path / "to-draw", ignore_progress, samples_per_item=2)
    lines = list(csv.DictReader(table.open()))
    assert {line["file"] for line in lines} == {path.name for path in pictures.iterdir()}
    assert len({line["seed"] for line in lines}) == 2 * ITEMS
    for line, item in zip(lines, tiny_suite.items(), strict=False):
        sketch = read_pixels((table.parent / line["sketch"]).read_bytes())
        assert np.array_equal(sketch, item.sketch)
        assert (line["prompt"], int(line["seed"])) == (item.prompt, tiny_suite.seed(item, 0))
    assert "--samples-per-item 2`" in (table.parent / "README.md").read_text()
    with pytest.raises(LepbenchError, match="is not empty"):
        export_suite(tiny_suite, tmp_path / "to-draw", ignore_progress)


def test_command_lists_and_exports(
    tmp_path: Path, tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lepbench", "suite", "list"])
    main()
    assert "sketchworld-edges-v1  64 of 512 items, 64 px" in capsys.readouterr().out
    command = [
        "lepbench",
        "suite",
        "export",
        str(tiny_suite.folder),
        "--out",
        str(tmp_path / "to-draw"),
    ]
    monkeypatch.setattr(sys, "argv", [*command, "--limit", "2"])
    main()
    assert capsys.readouterr().out == f"{tmp_path / 'to-draw' / 'prompts.csv'}\n"
    assert len(list((tmp_path / "to-draw" / "sketches").iterdir())) == 2
    assert " --limit 2`" in (tmp_path / "to-draw" / "README.md").read_text()


@pytest.fixture(scope="module")
def tiny_yaml(tmp_path_factory: pytest.TempPathFactory, tiny_model: ModelConfig) -> Path:
    """The model of the run drawn here, as a MODEL.yaml."""
    path = tmp_path_factory.mktemp("models") / "tiny.yaml"
    path.write_text(dump_config(tiny_model))
    return path


@pytest.fixture
def compared(pictures: Path, tiny_yaml: Path) -> ModelConfig:
    """The pictures, with the rows of that model beside them."""
    return parse_config(
        {
            "name": "elsewhere",
            "method": {"name": "precomputed", "folder": str(pictures), "compare_with": str(tiny_yaml)},
        },
        ModelConfig,
        "model",
    )


def test_rows_of_a_model_to_compare_with_are_those_of_its_own_run(
    compared: ModelConfig,
    here: tuple[Path, Record],
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(here[0].parent.parent / "cache"))
    out = tmp_path / "out"
    record = evaluate(compared, tiny_suite, out, samples_per_item=2, device="cpu", judges=tiny_judges)
    assert list(record.rows) == list(here[1].rows)
    assert record.rows == here[1].rows
    assert set(record.reused) == {"vae", "unguided"}
    for condition in ("unguided", "vae", "overlay"):
        drawn = {path.name: path.read_bytes() for path in (here[0] / "samples" / condition).iterdir()}
        assert drawn == {path.name: path.read_bytes() for path in (out / "samples" / condition).iterdir()}
    assert verify_record(out, tiny_suite) == record


def test_reference_rows_leave_the_pictures_own_figures_as_they_are(
    compared: ModelConfig, pictures: Path, tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path
) -> None:
    plain = scored(pictures, tiny_suite, tiny_judges, tmp_path / "plain", samples_per_item=1, limit=3)
    beside = evaluate(compared, tiny_suite, tmp_path / "beside", limit=3, judges=tiny_judges)
    assert {row: beside.rows[row] for row in plain.rows} == plain.rows
    assert beside.id != plain.id
    assert any(name.startswith("backbone/") for name in beside.identity.weights)
    assert "precomputed(folder=" in make_line(beside)["method"]
    assert "compare_with" not in make_line(beside)["method"]
    assert make_line(beside)["label"] == "pictures drawn elsewhere"


def test_a_record_states_what_is_compared_with_and_no_path(
    compared: ModelConfig, tiny_yaml: Path, tiny_model: ModelConfig
) -> None:
    stated = compared.model_dump(mode="json")["method"]["compare_with"]
    assert stated["backbone"] == tiny_model.backbone
    assert stated["sampler"]["steps"] == 2
    assert str(tiny_yaml) not in json.dumps(compared.model_dump(mode="json"))
    assert ModelConfig.model_validate(compared.model_dump(mode="json")) == compared
    assert compared.reference == tiny_model.reference


def test_models_without_one_state_none(tmp_path: Path) -> None:
    assert "compare_with" not in elsewhere(tmp_path).model_dump(mode="json")["method"]


@pytest.mark.parametrize("given", ["mini.yaml", {"backbone": "mini@1", "sampler": {"steps": 3}}])
def test_a_model_to_compare_with_is_a_file_or_a_mapping(
    given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mini.yaml").write_text("name: mini\nsampler: {steps: 3}\nmethod: {name: unguided}\n")
    config = PrecomputedConfig.model_validate({"folder": "pictures", "compare_with": given})
    assert config.compare_with is not None
    assert (config.compare_with.backbone, config.compare_with.sampler.steps) == ("mini@1", 3)


@pytest.mark.parametrize(
    ("written", "given", "message"),
    [
        (
            "name: x\nmethod: {name: precomputed, folder: there}\n",
            "m.yaml",
            "m.yaml has no backbone to compare",
        ),
        ("name: x\nmethod: {name: unguide}\n", "m.yaml", "m.yaml: unknown method 'unguide'"),
        ("", "none.yaml", "cannot read none.yaml"),
        ("", {"sampler": {"steps": 3}}, "method.compare_with.backbone"),
        ("", {"backbone": "mini@1", "smapler": {}}, "did you mean 'sampler'"),
    ],
)
def test_what_cannot_be_compared_with_is_one_line(
    written: str, given: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(written)
    model = {"name": "x", "method": {"name": "precomputed", "folder": "there", "compare_with": given}}
    with pytest.raises(LepbenchError, match=re.escape(message)):
        parse_config(model, ModelConfig, "model")


def test_a_size_that_the_compared_model_does_not_draw_is_refused(
    tmp_path: Path, tiny_model: ModelConfig
) -> None:
    sampler = tiny_model.sampler
    size = ReferenceModel(backbone=str(tiny_model.backbone), sampler=sampler)
    model = ModelConfig(name="x", method=PrecomputedConfig(folder=tmp_path, compare_with=size))
    assert load_reference_backbone(model, "cpu", (64, 64)) is not None
    with pytest.raises(LepbenchError, match="30"):
        load_reference_backbone(model, "cpu", (30, 30))
    many = size.model_copy(update={"sampler": sampler.model_copy(update={"steps": 5000})})
    model = ModelConfig(name="x", method=PrecomputedConfig(folder=tmp_path, compare_with=many))
    with pytest.raises(LepbenchError, match="steps"):
        load_reference_backbone(model, "cpu", (64, 64))


def test_an_export_that_was_interrupted_goes_on(tiny_suite: Suite, tmp_path: Path) -> None:
    table = export_suite(tiny_suite, tmp_path / "out", ignore_progress)
    content = table.read_bytes()
    table.unlink()
    assert export_suite(tiny_suite, tmp_path / "out", ignore_progress).read_bytes() == content
    table.unlink()
    (tmp_path / "out" / "sketches" / "mine.png").write_bytes(b"")
    with pytest.raises(LepbenchError, match="out is not empty"):
        export_suite(tiny_suite, tmp_path / "out", ignore_progress)
