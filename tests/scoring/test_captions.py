"""Pictures against captions: the figures of transformers' own whole model, whatever names the pictures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from tiny_clip import save_clip
from transformers import CLIPModel, CLIPProcessor

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.judges import ClipJudgeConfig, SketchworldSegmenterConfig
from lepbench.progress import ignore_progress
from lepbench.scoring.captions import CaptionScores, find_captions, score_captions

CAPTIONS = ["a red cat", "two blue fish", "a green house by a tree", "an old boat"]
Layout = Callable[[Path, Path], Path]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip") / "model")


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """Two pictures a caption, of two sizes."""
    folder, random = tmp_path / "generated", np.random.default_rng(0)
    folder.mkdir()
    for number in range(len(CAPTIONS)):
        for sample in range(2):
            noise = gaussian_filter(random.random((40, 36 + 8 * (number == 2), 3)), (3, 3, 0))
            pixels = (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"item{number}-{sample}.png")
    return folder


def list_names() -> list[tuple[str, str]]:
    return [(f"item{n}-{s}.png", text) for n, text in enumerate(CAPTIONS) for s in range(2)]


def write_csv(root: Path, _: Path) -> Path:
    path = root / "prompts.csv"
    path.write_text("file,caption\n" + "".join(f'{name},"{text}"\n' for name, text in list_names()))
    return path


def write_tsv(root: Path, _: Path) -> Path:
    path = root / "prompts.tsv"
    path.write_text("file\tcaption\n" + "".join(f"{name}\t{text}\n" for name, text in list_names()))
    return path


def write_lines(root: Path, _: Path) -> Path:
    path = root / "prompts.jsonl"
    path.write_text("".join(json.dumps({"file": n, "caption": text}) + "\n" for n, text in list_names()))
    return path


def write_sidecars(root: Path, generated: Path) -> Path:
    for number, text in enumerate(CAPTIONS):
        (generated / f"item{number}.txt").write_text(text + "\n")
    return generated


def score(generated: Path, captions: Path, clip: Path) -> CaptionScores:
    pairs = find_captions(generated, captions)
    judge = ClipJudgeConfig(label="tiny", model=str(clip))
    return score_captions(pairs, [judge], device="cpu", progress=ignore_progress)


@pytest.mark.parametrize("layout", [write_csv, write_tsv, write_lines, write_sidecars])
def test_figures_are_those_of_the_whole_model(
    layout: Layout, generated: Path, clip: Path, tmp_path: Path
) -> None:
    scores = score(generated, layout(tmp_path, generated), clip)
    model, processor = CLIPModel.from_pretrained(clip).eval(), CLIPProcessor.from_pretrained(clip)
    cosines = []
    for name, text in list_names():
        batch = processor(text=[text], images=Image.open(generated / name), return_tensors="pt")
        with torch.no_grad():
            cosines.append(float(model(**batch).logits_per_image / model.logit_scale.exp()))
    assert np.std(cosines) > 0.01
    assert min(cosines) < 0
    found = scores.figures
    assert found["clip_similarity@tiny"].value == pytest.approx(np.mean(cosines), abs=1e-6)
    # Clamped a pair, as defined, not in the mean.
    assert found["clip_score@tiny"].value == pytest.approx(
        np.maximum(100 * np.array(cosines), 0).mean(), abs=1e-4
    )
    assert found["clip_similarity@tiny"].low < found["clip_similarity@tiny"].value
    assert (scores.pictures, scores.captions, scores.cut) == (8, 4, {"tiny": 0})


def test_captions_that_are_cut_are_counted(generated: Path, clip: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path, generated)
    path.write_text(path.read_text().replace("an old boat", "an old boat " + "in the water " * 9))
    assert score(generated, path, clip).cut == {"tiny": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,caption\nitem9.png,a cat\n", "names item9.png, and there is no"),
        ("file,caption\nitem0-0.png,a cat\nitem0-0.png,a dog\n", "names a picture twice"),
        ("file,caption\nitem0-0.png,\n", "has an empty caption for"),
        ("file,other\nitem0-0.png,a cat\n", "has no column 'caption'; name one so; it has file, other"),
        ("file,caption\n,a cat\n", "row 1: no string 'file'"),
        ("file,caption\n", "holds no captions"),
        ("", "holds no captions; give a table"),
        ("file,caption\nitem0-0.png,caf\udce9\n", r"the caption of \S+item0-0\.png is not UTF-8"),
    ],
    ids=["missing", "twice", "empty", "no column", "no file", "nothing", "no header", "latin-1"],
)
def test_a_table_that_cannot_be_used_is_one_line(
    content: str, message: str, generated: Path, tmp_path: Path
) -> None:
    (tmp_path / "prompts.csv").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(LepbenchError, match=message) as caught:
        find_captions(generated, tmp_path / "prompts.csv")
    assert "\n" not in str(caught.value)


def test_a_judge_of_captions_is_needed(generated: Path, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"prompts\.docx is no table; known suffixes"):
        find_captions(generated, tmp_path / "prompts.docx")
    pairs = find_captions(generated, write_csv(tmp_path, generated))
    with pytest.raises(LepbenchError, match="no judge compares captions"):
        score_captions(pairs, [SketchworldSegmenterConfig()], device="cpu", progress=ignore_progress)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "captions", *(str(one) for one in arguments)])
    main()


@pytest.mark.slow
def test_the_default_judge_is_of_sketchworld_for_its_size_alone(
    generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Both are read from the environment once.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    table = write_csv(tmp_path, generated)
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, "--generated", generated, "--captions", table)
    said = capsys.readouterr().err.splitlines()[-1]
    assert caught.value.code == 2
    assert "'openai/clip-vit-base-patch16' is neither here nor could it be fetched" in said
    for path in generated.iterdir():
        Image.open(path).resize((64, 64)).save(path)
    run(monkeypatch, "--generated", generated, "--captions", table, "--json")
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert sorted(found["figures"]) == ["clip_score@sketchworld-clip", "clip_similarity@sketchworld-clip"]
    assert (found["pictures"], found["captions"]) == (8, 4)
    assert "sketchworld-clip learnt sketchworld alone" in err
    run(monkeypatch, "--generated", generated, "--captions", table)
    assert capsys.readouterr().out.splitlines()[-1] == "8 pictures of 4 captions"
