"""A model may be given in any way: the samples are those of the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import lepbench
from lepbench.api.model import read_model
from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.evaluation.layout import SAMPLES
from lepbench.evaluation.record import Record
from lepbench.guidance import SamplerSettings
from lepbench.methods import LepConfig, Method, ModelConfig, Request, UnguidedConfig
from lepbench.methods.unguided import Unguided

QUIET: dict[str, Any] = {"limit": 3, "device": "cpu", "progress": False}


def model_rows(record: Record) -> pd.DataFrame:
    frame = record.samples()
    return frame[frame["row"] == "model"].drop(columns="picture").reset_index(drop=True)


@pytest.fixture
def file(document: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.slow
def test_the_command_line_and_python_write_the_same_samples(
    run: Record, file: Path, tmp_path: Path, command: Callable[..., str]
) -> None:
    command("evaluate", file, "--limit", 3, "--device", "cpu", "--out", tmp_path / "cli")
    written = (tmp_path / "cli" / SAMPLES).read_bytes()
    assert written == (run.require_folder() / SAMPLES).read_bytes()
    assert lepbench.load_record(tmp_path / "cli").id == run.id
    names = {path.relative_to(tmp_path / "cli") for path in (tmp_path / "cli").rglob("*")}
    folder = run.require_folder()
    assert names == {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.mark.parametrize("kind", [str, Path, dict, ModelConfig])
def test_a_finished_run_is_read_back_for_the_model_in_any_form(
    kind: type, run: Record, file: Path, document: dict[str, Any]
) -> None:
    forms: dict[type, Any] = {
        str: str(file),
        Path: file,
        dict: document,
        ModelConfig: ModelConfig.model_validate(document),
    }
    given = forms[kind]
    folder = run.require_folder()
    stamp = (folder / SAMPLES).stat().st_mtime_ns
    for suite in ("sketchworld-edges-v1", lepbench.load_suite(), lepbench.load_suite().folder):
        assert lepbench.evaluate(given, suite, str(folder), **QUIET) == run
    assert (folder / SAMPLES).stat().st_mtime_ns == stamp


@pytest.mark.slow
def test_a_method_and_a_callable_at_hand_draw_what_the_file_draws(
    run: Record, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    method = Unguided(tiny_backbone, SamplerSettings(steps=2))

    def draw(prompts: Sequence[str], sketches: np.ndarray, seeds: Sequence[int], size: int) -> Any:
        assert sketches.shape == (len(prompts), size, size)
        assert sketches.dtype == bool
        requests = [
            Request("x.png", text, lines, seed)
            for text, lines, seed in zip(prompts, sketches, seeds, strict=True)
        ]
        return method.draw(requests)

    for given, name in ((method, "Unguided"), (draw, "draw")):
        record = lepbench.evaluate(given, out=tmp_path / name, **QUIET)
        pd.testing.assert_frame_equal(model_rows(record), model_rows(run))
        assert name.lower() in record.identity.model.name
    assert list(record.rows) == ["model", "real", "wrong_sketch"]
    assert record.submitted_code
    assert set(record.identity.weights) - set(run.identity.weights)
    # What a closure holds, no hash tells.
    with pytest.raises(LepbenchError, match="cannot be known; choose another out"):
        lepbench.evaluate(draw, out=tmp_path / "draw", **QUIET)
    own = lepbench.load_record(tmp_path / "Unguided").identity.model
    assert (own.backbone, own.sampler) == (tiny_backbone.name, SamplerSettings(steps=2))
    assert own.method == UnguidedConfig()


def test_two_callables_of_one_name_never_share_a_run(tmp_path: Path) -> None:
    def make(shade: float) -> Any:
        return lambda prompts, sketches, seeds, size: np.full((len(prompts), size, size, 3), shade)

    lepbench.evaluate(make(0.0), out=tmp_path / "run", **QUIET | {"limit": 1})
    with pytest.raises(LepbenchError, match="cannot be known"):
        lepbench.evaluate(make(0.9), out=tmp_path / "run", **QUIET | {"limit": 1})


def test_names_methods_and_configurations_are_models() -> None:
    assert read_model("unguided").config == ModelConfig(name="unguided", method=UnguidedConfig())
    assert read_model(LepConfig(scale=1.0), "mine").config.name == "mine"
    assert read_model({"method": "lep"}, "mine").config.name == "mine"
    assert read_model({"name": "theirs", "method": "lep"}, "mine").config.name == "mine"
    assert read_model(lambda prompts, sketches, seeds, size: None).config.name.endswith("lambda")


@pytest.mark.slow
def test_a_folder_is_named_after_the_model_unless_given(
    document: dict[str, Any], run: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record = lepbench.evaluate(document, name="other", **QUIET | {"limit": 1})
    assert record.require_folder() == Path("runs") / "other"
    assert record.identity.model.name == "other"


@pytest.mark.slow
def test_progress_is_told_to_a_callback(document: dict[str, Any], tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    lepbench.evaluate(
        document, out=tmp_path, limit=1, device="cpu", progress=lambda *stage: told.append(stage)
    )
    assert ("model", 1, 1) in told


class NoMethod(Method):
    def draw(self, requests: Sequence[Request]) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "int is no model; give a YAML file"),
        (NoMethod, "the class NoMethod is no model"),
        ("lpe", "did you mean 'lep'?"),
        ("absent.yaml", "cannot read absent.yaml: No such file or directory; check the path"),
        ("mini@1", "'mini@1' is a backbone, which a method draws with; write {\"name\""),
        ({"name": "a", "methd": "lep"}, "model: unknown key 'methd'; did you mean 'method'?"),
        ({"name": "a b", "method": "lep"}, "model: name"),
        ({"method": "lep"}, "model: the key 'name' is missing; add 'name: ...'"),
        (lambda prompt: None, "<lambda> cannot be called as (prompts, sketches, seeds, size)"),
    ],
)
def test_what_is_no_model_is_one_line(given: Any, message: str) -> None:
    with pytest.raises(LepbenchError) as caught:
        lepbench.evaluate(given, progress=False)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_a_backbone_and_a_pipeline_are_told_from_models(
    run: Record, tiny_pipeline_folder: Path
) -> None:
    with pytest.raises(LepbenchError, match="is a run that is done; write load_record"):
        lepbench.evaluate(run.require_folder())
    with pytest.raises(LepbenchError, match="is a backbone, which a method draws with"):
        lepbench.evaluate(tiny_pipeline_folder)
    with pytest.raises(LepbenchError, match="a StableDiffusionPipeline is not called as"):
        lepbench.evaluate(lepbench.load_mini("cpu"))


def test_another_limit_of_the_same_folder_is_refused(run: Record, document: dict[str, Any]) -> None:
    with pytest.raises(LepbenchError, match="holds the results of another run"):
        lepbench.evaluate(document, out=run.require_folder(), **QUIET | {"limit": 2})
    with pytest.raises(LepbenchError, match="give a limit of 1 to 512"):
        lepbench.evaluate(document, out=run.require_folder(), **QUIET | {"limit": 0})
