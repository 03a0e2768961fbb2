"""What a record says of the backbone beside the figures; earlier records are without, and still read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from lepbench.backbones import Backbone, load_backbone
from lepbench.errors import LepbenchError
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.guidance import SamplerSettings
from lepbench.judges import Judges
from lepbench.methods import ModelConfig, describe_drawing
from lepbench.suites import Suite


def test_cut_captions_and_notes_are_in_the_record(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Backbone, "notes", ("the VAE is an AutoencoderTiny",))
    out = tmp_path / "out"
    record = evaluate(tiny_model, tiny_suite, out, device="cpu", judges=tiny_judges, limit=3)
    tokenizer = CLIPTokenizer.from_pretrained(Path(str(tiny_model.backbone)) / "tokenizer")
    items = tiny_suite.items(3)
    long = [item.item_id for item in items if len(tokenizer(item.prompt).input_ids) > 32]
    assert long
    assert record.cut_captions == tuple(long)
    assert record.notes == ("the VAE is an AutoencoderTiny",)
    assert read_record(out) == record
    # As written by earlier versions.
    document = json.loads((out / "record.json").read_text())
    assert document.pop("cut_captions") == long
    assert document.pop("notes") == ["the VAE is an AutoencoderTiny"]
    (out / "record.json").write_text(json.dumps(document))
    earlier = read_record(out)
    assert (earlier.cut_captions, earlier.notes, earlier.id) == ((), (), record.id)
    assert earlier.model_dump(mode="json") == document


def test_what_cannot_be_drawn_is_refused_before_the_folder_is_claimed(
    tmp_path: Path, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> None:
    faults: dict[str, dict[str, object]] = {
        "guidance_scale 0.5 is below 1": {"guidance_scale": 0.5},
        "scheduler 'flow_euler' does not fit": {"scheduler": "flow_euler"},
        "LCMScheduler takes no 60 steps": {"scheduler": "lcm", "steps": 60},
    }
    for message, sampler in faults.items():
        document = tiny_model.model_dump() | {"sampler": sampler}
        model = ModelConfig.model_validate(document)
        with pytest.raises(LepbenchError, match=message):
            evaluate(model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
        assert not list((tmp_path / "out").glob("*.json"))


def test_another_sampler_than_the_backbone_was_trained_for_is_noted(
    tiny_folder_of: Callable[[str], Path],
) -> None:
    backbone = load_backbone(tiny_folder_of("lcm"), "cpu")
    noted = describe_drawing(backbone, SamplerSettings(steps=9), (64, 64))
    assert noted[-1] == "sampled by ddim in 9 steps, though it was trained for lcm"
    consistent = SamplerSettings(scheduler="lcm", steps=4)
    assert describe_drawing(backbone, consistent, (64, 64)) == backbone.notes
    assert describe_drawing(backbone, consistent, (512, 64)) == (
        *backbone.notes,
        f"{backbone.name} was trained at 64x64 px: at 64x512 px expect worse pictures",
    )
