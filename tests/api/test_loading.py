"""What is loaded or built by name, `str` or `Path`: suites, data, backbones, predictors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import lepbench
from lepbench.data.read import Triplets
from lepbench.errors import LepbenchError

BUILD: dict[str, Any] = {"limit": 24, "progress": False}


@pytest.fixture(scope="module")
def triplets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Triplets]:
    folder = tmp_path_factory.mktemp("data") / "triplets"
    return folder, lepbench.build_data("sketchworld", str(folder), **BUILD)


def test_a_built_set_is_a_sequence_of_triplets(triplets: tuple[Path, Triplets]) -> None:
    folder, built = triplets
    assert len(built) == 24
    for kind in (str, Path):
        read = lepbench.load_triplets(kind(folder))
        assert read.identity == built.identity
        assert read[0].text == built[0].text
        assert np.array_equal(read[-1].image, built[-1].image)
    # The same call again finds everything done.
    assert lepbench.build_data({"name": "sketchworld"}, folder, **BUILD).identity == built.identity


def test_a_set_is_that_of_the_command_line(
    triplets: tuple[Path, Triplets], tmp_path: Path, command: Callable[..., str]
) -> None:
    command("build-data", "sketchworld", "--out", tmp_path / "cli", "--limit", 24)
    assert lepbench.load_triplets(tmp_path / "cli").identity == triplets[1].identity


def test_what_cannot_be_built_or_read_is_one_line(triplets: tuple[Path, Triplets], tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="'sketchwrld' is no corpus, folder or YAML file; did you mean"):
        lepbench.build_data("sketchwrld", tmp_path, **BUILD)
    with pytest.raises(LepbenchError, match="unknown key 'limt'; did you mean 'limit'"):
        lepbench.build_data("sketchworld", tmp_path, limt=3, progress=False)
    with pytest.raises(LepbenchError, match="absent"):
        lepbench.load_triplets("absent")


@pytest.mark.slow
def test_a_predictor_is_trained_from_a_file_keys_or_both(
    triplets: tuple[Path, Triplets], tiny_pipeline_folder: Path, tmp_path: Path
) -> None:
    keys = {
        "backbone": str(tiny_pipeline_folder),
        "data": str(triplets[0]),
        "steps": 2,
        "batch": 4,
        "predictor": {"name": "mlp", "hidden": [8]},
    }
    (tmp_path / "lep.yaml").write_text(yaml.safe_dump(keys | {"steps": 1}))
    weights = []
    forms: list[tuple[Any, dict[str, Any]]] = [
        (tmp_path / "lep.yaml", {"steps": 2}),
        (str(tmp_path / "lep.yaml"), {"steps": 2}),
        (keys, {}),
        (None, keys),
    ]
    for number, (config, settings) in enumerate(forms):
        trained = lepbench.train_lep(config, tmp_path / str(number), progress=False, **settings)
        weights.append(trained.state_dict())
        again = lepbench.load_predictor(
            str(tmp_path / str(number)), lepbench.load_backbone(tiny_pipeline_folder)
        )
        assert not again.training
    for state in weights[1:]:
        assert all(state[name].equal(weights[0][name]) for name in weights[0])


def test_training_without_data_says_what_to_give() -> None:
    with pytest.raises(
        LepbenchError, match="train_lep: the key 'data' is missing; give data=, the folder of a data set"
    ):
        lepbench.train_lep(progress=False)
    with pytest.raises(LepbenchError, match="unknown key 'stpes'; did you mean 'steps'"):
        lepbench.train_lep(data="d", stpes=2, progress=False)
    with pytest.raises(LepbenchError, match="cannot read absent"):
        lepbench.train_lep("absent.yaml")


def test_suites_and_records_are_found_by_name_or_folder(run: Any) -> None:
    suite = lepbench.load_suite()
    for given in (suite.name, suite.folder, str(suite.folder)):
        assert lepbench.load_suite(given).sha256 == suite.sha256
    folder = run.require_folder()
    for given in (folder, str(folder), folder / "record.json", str(folder / "record.json")):
        assert lepbench.load_record(given) == run
    with pytest.raises(LepbenchError, match="did you mean 'sketchworld-edges-v1'"):
        lepbench.load_suite("sketchworld-edges")
    with pytest.raises(LepbenchError, match="run 'lepbench evaluate' to the end first"):
        lepbench.load_record("absent")


def test_backbones_and_predictors_are_found_by_name_or_folder(
    tiny_pipeline_folder: Path, predictor_folder: Path
) -> None:
    for kind in (str, Path):
        backbone = lepbench.load_backbone(kind(tiny_pipeline_folder), device="cpu")
        predictor = lepbench.load_predictor(kind(predictor_folder), backbone)
        assert not predictor.training
    with pytest.raises(
        LepbenchError, match="'sd15' is the short name of a released model, whose weights do not"
    ):
        lepbench.load_backbone("sd15")
    with pytest.raises(LepbenchError, match="the predictor reads"):
        lepbench.load_predictor("lep-mini@1", backbone)
