from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
import torch
import yaml

from lepbench.errors import LepbenchError
from lepbench.predictors import MlpConfig, MlpPredictor, Predictor
from lepbench.predictors.card import render_card
from lepbench.predictors.train_config import TrainConfig
from lepbench.predictors.training_result import TrainingResult, describe_training


@pytest.fixture
def predictor() -> MlpPredictor:
    torch.manual_seed(0)
    return MlpPredictor(MlpConfig(taps={"a": 3, "b": 5}, out_channels=4, train_timesteps=1000, hidden=(8,)))


class FakeHub:
    """The two calls of `huggingface_hub.HfApi` that an upload makes, kept."""

    calls: list[tuple[str, dict[str, object]]]
    files: dict[str, bytes]

    def __init__(self, token: str | None = None) -> None:
        FakeHub.calls = [("token", {"token": token})]

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> None:
        self.calls.append(("create_repo", {"repo_id": repo_id, "private": private, "exist_ok": exist_ok}))

    def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str) -> object:
        self.calls.append(("upload_folder", {"repo_id": repo_id, "commit_message": commit_message}))
        FakeHub.files = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}
        return type("Commit", (), {"commit_url": f"https://hub/{repo_id}/commit/1"})


def header(text: str) -> dict[str, object]:
    return yaml.safe_load(text.split("---\n")[1])


def test_the_card_says_what_is_known_and_no_more(predictor: MlpPredictor, tmp_path: Path) -> None:
    predictor.save_pretrained(tmp_path)
    written = (tmp_path / "README.md").read_text()
    parameters = sum(p.numel() for p in predictor.parameters())
    assert f"Kind `mlp`, {parameters:,}" in written
    assert "| `a` | 3 |\n| `b` | 5 |\n" in written
    assert "not known" in written
    assert "Held-out" not in written
    assert set(header(written)) == {"library_name", "tags"}


def outcome_of(backbone: str, data: Path) -> TrainingResult:
    recipe = TrainConfig(backbone=backbone, data=data, validation=data / "other", cache=data)
    return TrainingResult(
        recipe=recipe.without_places(),
        backbone_sha256={"unet/x": "0"},
        data_sha256="1",
        training_triplets=1,
        held_out_triplets=1,
        training_loss=0.5,
        held_out_loss=0.5,
        target_variance=1.0,
    )


@pytest.mark.parametrize(
    ("backbone", "named"),
    [("stable-diffusion-v1-5/stable-diffusion-v1-5", True), ("mini@1", False), ("/models/mine", False)],
)
def test_a_card_names_no_place_and_only_a_base_model_that_the_hub_can_know(
    predictor: MlpPredictor, tmp_path: Path, backbone: str, named: bool
) -> None:
    told = outcome_of(backbone, tmp_path / "data")
    text = render_card(predictor.config, 1, describe_training(told, ()))
    assert ("base_model" in header(text)) == named
    assert str(tmp_path) not in text + told.model_dump_json()
    assert "/models" not in text + told.model_dump_json()
    assert told.recipe.data == Path("data")


def test_all_that_belongs_to_a_predictor_is_fetched_from_the_hub(
    predictor: MlpPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor.save_pretrained(str(tmp_path))
    for name in ("metrics.json", "curve.csv"):
        (tmp_path / name).write_text("figures")
    asked: list[str] = []

    def snapshot(name: str, allow_patterns: list[str]) -> str:
        asked.extend(allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    Predictor.from_pretrained("someone/lep")
    assert set(asked) >= {path.name for path in tmp_path.iterdir()}


def test_figures_go_with_the_weights_they_were_measured_on(predictor: MlpPredictor, tmp_path: Path) -> None:
    predictor.save_pretrained(tmp_path / "trained")
    for name in ("README.md", "metrics.json", "curve.csv"):
        (tmp_path / "trained" / name).write_text(f"figures in {name}")
    loaded = Predictor.from_pretrained(tmp_path / "trained")
    loaded.save_pretrained(tmp_path / "same")
    assert (tmp_path / "same" / "README.md").read_text() == "figures in README.md"
    assert (tmp_path / "same" / "curve.csv").read_text() == "figures in curve.csv"
    with torch.no_grad():
        next(loaded.parameters()).add_(1)
    loaded.save_pretrained(tmp_path / "changed")
    assert "not known" in (tmp_path / "changed" / "README.md").read_text()
    assert not (tmp_path / "changed" / "metrics.json").exists()


def test_a_push_is_one_commit_of_what_saving_writes(
    predictor: MlpPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    address = predictor.push_to_hub("someone/lep", token="secret", private=True)
    assert address == "https://hub/someone/lep/commit/1"
    assert [name for name, _ in FakeHub.calls] == ["token", "create_repo", "upload_folder"]
    assert FakeHub.calls[0][1] == {"token": "secret"}
    assert FakeHub.calls[1][1] == {"repo_id": "someone/lep", "private": True, "exist_ok": True}
    predictor.save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == FakeHub.files
    assert b"secret" not in b"".join(FakeHub.files.values())


def test_a_hub_that_refuses_is_one_line(predictor: MlpPredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(FakeHub):
        def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> None:
            raise ConnectionError("no route to the hub")

    monkeypatch.setattr(huggingface_hub, "HfApi", Refusing)
    with pytest.raises(LepbenchError, match="'a/b' could not be uploaded: ConnectionError; check the name"):
        predictor.push_to_hub("a/b")
