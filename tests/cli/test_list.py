"""`lepbench list` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lepbench.cli.list import REGISTRIES, command
from lepbench.errors import LepbenchError


def said(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_taps_of_stable_diffusion() -> None:
    taps = json.loads(said("taps", "--backbone", "sd15", "--latent", "64x64", "--json"))
    assert len(taps) == 9
    assert taps[0] == {"name": "down_blocks[0].attentions[1]", "channels": 320, "height": 64, "width": 64}
    assert sum(tap["channels"] for tap in taps) == 9280
    assert said("taps", "--backbone", "mini@1").splitlines()[0].split() == [
        "down_blocks[0].resnets[-1]", "64", "16", "16",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("latent", "message"), [("64", "no size"), ("64x60", "multiples of 8"), ("0x8", "multiples of 8")]
)
def test_a_latent_that_cannot_be_is_one_line(latent: str, message: str) -> None:
    with pytest.raises(LepbenchError, match=message):
        said("taps", "--backbone", "sd15", "--latent", latent)


@pytest.mark.parametrize(
    "subject",
    [*REGISTRIES, "backbones", "controls", "detectors", "judges", "presets", "protocols", "suites"],
)
def test_names_are_listed_with_what_they_stand_for(subject: str) -> None:
    rows = json.loads(said(subject, "--json"))
    assert rows
    assert all(all(row.values()) for row in rows)
    # Numbers stand under what they count.
    lines = said(subject).splitlines()[1 if subject == "presets" else 0 :]
    assert [line.split()[0] for line in lines] == [row["name"] for row in rows]


def test_presets_are_numbers_under_what_they_count() -> None:
    rows = {row["name"]: row for row in json.loads(said("presets", "--json"))}
    assert (rows["fast"]["passes"], rows["fast"]["times_less"]) == (40, 13.3)
    head, *lines = said("presets").splitlines()
    assert head.split() == ["preset", "passes", "gradients", "TFLOP", "times", "less", "settings"]
    fast = next(line for line in lines if line.startswith("fast"))
    assert fast.index("13.3") + 4 == head.index("times less") + 10


def test_judges_are_listed_with_what_they_can_and_need() -> None:
    rows = {row["name"]: row for row in json.loads(said("judges", "--json"))}
    assert rows["clip"]["abilities"] == "captions, features, sketches, classes"
    assert (rows["clip"]["needs"], rows["inception"]["needs"]) == ("model", "weights")
    assert rows["sketchworld-clip"]["needs"] == "nothing"


def test_control_checkpoints_are_listed_with_their_settings() -> None:
    rows = {row["name"]: row for row in json.loads(said("controls", "--json"))}
    union = rows["xinsir/controlnet-union-sdxl-1.0"]
    assert (union["family"], union["polarity"], union["range"]) == ("sdxl", "white-on-black", [0, 1])
    assert union["settings"]["mode"] == 3
    assert rows["InstantX/SD3-Controlnet-Canny"]["licence"] == "not stated"


def test_protocols_are_listed_with_their_judges() -> None:
    rows = {row["name"]: row for row in json.loads(said("protocols", "--json"))}
    assert rows["controlnetpp-canny-v1"]["judges"] == "openai-b16, inception"
    assert rows["lepbench-openmoji-v1"]["judges"] == "none"
    assert rows["lepbench-openmoji-v1"]["what"].startswith("Line drawings of OpenMoji")


def test_detectors_are_listed_with_their_settings_and_what_they_lack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(said("detectors", "--json"))}
    assert rows["canny"]["settings"] == {"low": 0.1, "high": 0.2}
    assert (rows["canny"]["kind"], rows["canny"]["state"]) == ("binary", "ready")
    assert (rows["dexined"]["kind"], rows["dexined"]["state"]) == ("soft", "needs weights")
    assert rows["hed"]["state"] in ("needs weights", "needs package controlnet_aux")
    assert "low=0.1 high=0.2" in said("detectors").splitlines()[0]
    assert rows["canny"]["checked"] == "kornia.filters.canny, equal in every pixel"
    assert "no published map could be compared" in rows["hed"]["checked"]
    assert rows["pidinet"]["settings"]["as"] == "published"


def test_words_of_the_embedded_backbone_are_listed_with_their_kinds() -> None:
    rows = json.loads(said("words", "--json"))
    kinds = {row["phrase"]: row["kind"] for row in rows}
    assert kinds["fish"] == "shape"
    assert kinds["in the deep teal sea"] == "background"
    assert (kinds["red"], kinds["with stripes"], kinds["above"]) == ("colour", "texture", "relation")
    assert said("words").splitlines()[0].split() == ["house", "shape"]
    with pytest.raises(
        LepbenchError, match="'sd15' was trained on is not known; choose one of: mini-live@1, mini@1"
    ):
        said("words", "--backbone", "sd15")
