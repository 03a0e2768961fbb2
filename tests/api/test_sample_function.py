"""`lepbench.sample` and the pipeline: pictures of the command line's, sketches of all kinds, seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import lepbench
from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance.pipeline import SketchGuidedPipeline
from lepbench.predictors import Predictor
from lepbench.seeds import make_generator

PROMPT = "a red fish"
SIZE = (64, 64)


@pytest.fixture(scope="module")
def drawing() -> Image.Image:
    """A black outline on white."""
    image = Image.new("L", SIZE, 255)
    ImageDraw.Draw(image).ellipse((8, 14, 55, 47), outline=0)
    return image


@pytest.fixture(scope="module")
def tiny(tiny_pipeline_folder: Path, predictor_folder: Path) -> dict[str, Any]:
    """Arguments of `sample` that choose the tiny models."""
    return {"backbone": tiny_pipeline_folder, "predictor": predictor_folder, "steps": 2, "device": "cpu"}


def draw(*arguments: Any, **options: Any) -> Any:
    return lepbench.sample(*arguments, progress=False, **options)


def equal(first: Any, second: Any) -> bool:
    return np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ((), {}),
        (("--seed", 3), {"seed": 3}),
        (("--preset", "paper", "--scale", 2, "--stop", 0.3), {"preset": "paper", "scale": 2, "stop": 0.3}),
        (("--scheduler", "ddim", "--cfg", 2), {"scheduler": "ddim", "guidance_scale": 2}),
        (("--height", 64, "--width", 96), {"height": 64, "width": 96}),
        (("--negative-prompt", "dull"), {"negative_prompt": "dull"}),
    ],
)
def test_the_picture_is_the_command_lines(
    options: tuple[Any, ...],
    settings: dict[str, Any],
    tiny: dict[str, Any],
    drawing: Image.Image,
    tmp_path: Path,
    command: Callable[..., str],
) -> None:
    drawing.save(tmp_path / "fish.png")
    models = ("--backbone", tiny["backbone"], "--predictor", tiny["predictor"], "--device", "cpu")
    where = ("--prompt", PROMPT, "--sketch", tmp_path / "fish.png", "--resize", "--out", tmp_path / "out.png")
    command("sample", *where, *models, "--steps", 2, *options)
    picture = draw(PROMPT, tmp_path / "fish.png", **tiny | settings)
    assert equal(picture, Image.open(tmp_path / "out.png"))


@pytest.mark.slow
def test_with_nothing_chosen_it_is_the_command_lines_too(
    drawing: Image.Image, tmp_path: Path, command: Callable[..., str]
) -> None:
    drawing.save(tmp_path / "fish.png")
    command("sample", "--prompt", PROMPT, "--sketch", tmp_path / "fish.png", "--out", tmp_path / "out.png")
    assert equal(draw(PROMPT, str(tmp_path / "fish.png")), Image.open(tmp_path / "out.png"))


def test_weights_are_the_command_lines_importance(
    tiny: dict[str, Any], drawing: Image.Image, tmp_path: Path, command: Callable[..., str]
) -> None:
    drawing.save(tmp_path / "fish.png")
    left = np.where(np.arange(64) < 32, 255, 51).astype(np.uint8)[None].repeat(64, 0)
    Image.fromarray(left).save(tmp_path / "left.png")
    models = ("--backbone", tiny["backbone"], "--predictor", tiny["predictor"], "--device", "cpu")
    where = ("--prompt", PROMPT, "--sketch", tmp_path / "fish.png", "--out", tmp_path / "out.png")
    command("sample", *where, *models, "--steps", 2, "--importance", tmp_path / "left.png")
    weights = left.astype(np.float32) / 255
    expected = Image.open(tmp_path / "out.png")
    assert equal(draw(PROMPT, drawing, weights=weights, **tiny), expected)
    assert equal(draw(PROMPT, drawing, weights=weights.tolist(), **tiny), expected)
    assert not equal(draw(PROMPT, drawing, **tiny), expected)
    with pytest.raises(LepbenchError, match=r"weights of shape \(3, 3\) for a picture of \(64, 64\)"):
        draw(PROMPT, drawing, weights=np.ones((3, 3)), **tiny)


@pytest.mark.slow
def test_a_sketch_may_be_a_path_a_picture_an_array_or_a_tensor(
    tiny: dict[str, Any], drawing: Image.Image, tmp_path: Path
) -> None:
    drawing.save(tmp_path / "fish.png")
    strokes = np.asarray(drawing) < 128
    lines = strokes.astype(np.float32)
    kinds = {
        "str": str(tmp_path / "fish.png"),
        "path": tmp_path / "fish.png",
        "grey": drawing,
        "rgb": drawing.convert("RGB"),
        "bilevel": drawing.convert("1"),
        "bytes": np.asarray(drawing),
        "inverted": 255 - np.asarray(drawing),
        "colours": np.asarray(drawing.convert("RGB")),
        "transparent": np.asarray(drawing.convert("RGBA")),
        "strokes": strokes,
        "zeros and ones": strokes.astype(np.uint8),
        "integers": strokes.astype(np.int64),
        "floats": lines,
        "doubles": 1 - lines.astype(np.float64),
        "tensor": torch.tensor(lines),
        "half": torch.tensor(lines).bfloat16(),
        "bool tensor": torch.tensor(strokes),
        "one channel": torch.tensor(lines)[None],
        "three channels": torch.tensor(lines).expand(3, -1, -1),
        "between -1 and 1": torch.tensor(lines) * 2 - 1,
    }
    expected = draw(PROMPT, strokes, **tiny)
    for kind, sketch in kinds.items():
        assert equal(draw(PROMPT, sketch, **tiny), expected), kind
        alone = draw([PROMPT], [sketch], **tiny)
        assert isinstance(alone, list)
        assert equal(alone[0], expected), kind


def test_prompts_and_sketches_are_one_or_as_many(tiny: dict[str, Any], drawing: Image.Image) -> None:
    prompts, flipped = [PROMPT, "two blue boats"], drawing.transpose(Image.Transpose.ROTATE_90)
    pictures = draw(prompts, drawing, seed=5, **tiny)
    assert [one.size for one in pictures] == [SIZE, SIZE]
    assert equal(pictures[0], draw(PROMPT, drawing, seed=5, **tiny))
    # Its seed is the next one, and it does not depend on the first.
    assert equal(pictures[1], draw(prompts[1], drawing, seed=6, **tiny))
    each = draw(prompts, (drawing, flipped), seed=5, **tiny)
    assert equal(each[0], pictures[0])
    assert equal(each[1], draw(prompts[1], flipped, seed=6, **tiny))
    with pytest.raises(LepbenchError, match="2 sketches for 1 prompt; give one, or one a prompt"):
        draw(PROMPT, [drawing, drawing], **tiny)
    with pytest.raises(LepbenchError, match="no prompt; give a text, or a list"):
        draw([], drawing, **tiny)


def test_a_path_is_one_sketch_and_not_its_letters(
    tiny: dict[str, Any], drawing: Image.Image, tmp_path: Path
) -> None:
    drawing.save(tmp_path / "fish.png")
    pipe = SketchGuidedPipeline.from_pretrained(tiny["backbone"], tiny["predictor"], device="cpu")
    for path in (tmp_path / "fish.png", str(tmp_path / "fish.png")):
        pictures = pipe([PROMPT] * 2, path, seed=0, num_inference_steps=2).images
        assert len(pictures) == 2
    with pytest.raises(LepbenchError, match=r"no such image: drawing-of-a-fish\.png; check the path"):
        pipe(PROMPT, "drawing-of-a-fish.png", seed=0)


def test_without_a_sketch_the_backbone_draws_alone(tiny: dict[str, Any], tiny_backbone: Backbone) -> None:
    plain = {key: value for key, value in tiny.items() if key != "predictor"}
    alone = draw(PROMPT, **plain)
    assert equal(alone, draw(PROMPT, **plain | {"backbone": tiny_backbone}))
    assert equal(alone, draw(PROMPT, None, **plain | {"backbone": str(tiny["backbone"])}))
    assert not equal(alone, draw(PROMPT, np.eye(64, dtype=bool), **tiny))


def test_models_may_be_loaded(tiny: dict[str, Any], tiny_backbone: Backbone, drawing: Image.Image) -> None:
    loaded = {"backbone": tiny_backbone, "predictor": lepbench.load_predictor(tiny["predictor"])}
    assert isinstance(loaded["predictor"], Predictor)
    assert equal(draw(PROMPT, drawing, **tiny | loaded), draw(PROMPT, drawing, **tiny))


@pytest.mark.parametrize(
    ("sketch", "message"),
    [
        ([[0, 1], [1, 0]], "2 sketches for 1 prompt"),
        ([[0, 1]], "list is no sketch; give a path, a PIL image, an array or a tensor"),
        (3, "int is no sketch"),
        (np.zeros(SIZE, bool), "holds no strokes: it is false everywhere; true is a stroke"),
        (np.full(SIZE, 255, np.uint8), "holds no strokes: all its pixels are alike"),
        (np.zeros(SIZE), "holds no strokes"),
        (np.full(SIZE, np.nan), "has no or no finite pixels"),
        (np.zeros((0, 0)), "has no or no finite pixels"),
        (np.zeros((2, *SIZE), bool), "a sketch of shape (2, 64, 64); give [H, W] or [H, W, 3]"),
        (torch.zeros(1, 1, *SIZE), "a sketch of shape (1, 1, 64, 64)"),
        ("absent.png", "no such image: absent.png; check the path"),
    ],
)
def test_what_is_no_sketch_is_one_line(sketch: Any, message: str, tiny: dict[str, Any]) -> None:
    with pytest.raises(LepbenchError) as caught:
        draw(PROMPT, sketch, **tiny)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "fsat"}, "did you mean 'fast'?"),
        ({"scheduler": "dim"}, "did you mean 'ddim'?"),
        ({"width": 65}, "cannot draw 65x64 px; choose sides that are multiples of"),
        ({"backbone": "mini@99"}, "no embedded model 'mini@99'"),
        ({"backbone": "sd15"}, "'sd15' is the short name of a released model"),
        ({"predictor": "lep@99"}, "no embedded model 'lep@99'"),
        ({"stop": 3}, "stop"),
        ({"steps": 0}, "steps"),
        ({"seed": "x"}, "seed='x' is no integer; give one such as 0"),
        ({"seed": None}, "seed=None is no integer"),
        ({"seed": 2**64}, "has more than 64 bits"),
        ({"precision": "fp16"}, "unknown precision 'fp16'; choose one of: bfloat16, float16"),
        ({"guidance_scale": 0}, "guidance_scale"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_line(
    options: dict[str, Any], message: str, tiny: dict[str, Any], drawing: Image.Image
) -> None:
    with pytest.raises(LepbenchError) as caught:
        draw(PROMPT, drawing, **tiny | options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pipeline_is_seeded_picture_by_picture(tiny: dict[str, Any], drawing: Image.Image) -> None:
    pipe = SketchGuidedPipeline.from_pretrained(str(tiny["backbone"]), tiny["predictor"], device="cpu")
    options: dict[str, Any] = {"num_inference_steps": 2, "output_type": "np"}
    prompts = [PROMPT, "two blue boats", "a house"]
    batch = pipe(prompts, drawing, seed=7, **options).images
    for number, prompt in enumerate(prompts):
        seeds: list[Any] = [7 + number, np.int64(7 + number), [7 + number]]
        for seed in seeds:
            alone = pipe(prompt, drawing, seed=seed, **options).images[0]
            assert np.abs(alone - batch[number]).max() < 1e-5
    again = pipe(prompts, drawing, seed=(7, 8, 9), **options).images
    assert np.array_equal(again, batch)
    sources = [make_generator(seed) for seed in (7, 8, 9)]
    assert np.array_equal(pipe(prompts, drawing, generator=sources, **options).images, batch)
    several = pipe(PROMPT, drawing, seed=7, num_images_per_prompt=2, **options).images
    assert np.abs(several[0] - batch[0]).max() < 1e-5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"generator": 0}, "generator=0 is a number; write seed=0"),
        ({"generator": np.int64(3)}, "is a number; write seed="),
        ({"generator": [0, 1]}, "generator=[0, 1] is a number; write seed=[0, 1]"),
        ({"generator": "cpu"}, "generator is a str; give a torch.Generator, or seed="),
        ({"generator": make_generator(0), "seed": 0}, "both seed and generator are given; give one of them"),
        ({"seed": 0.5}, "seed=0.5 is no integer"),
        ({"seed": [0, 1]}, "2 seeds for 1 pictures; give one, or one a picture"),
    ],
)
def test_a_mistaken_seed_is_said_plainly(given: dict[str, Any], message: str, tiny: dict[str, Any]) -> None:
    pipe = SketchGuidedPipeline.from_pretrained(tiny["backbone"], tiny["predictor"], device="cpu")
    with pytest.raises(LepbenchError) as caught:
        pipe(PROMPT, num_inference_steps=2, **given)
    assert message in str(caught.value)


def test_a_pipeline_is_loaded_by_name_and_says_what_it_cannot_load(
    tiny: dict[str, Any], tmp_path: Path, drawing: Image.Image
) -> None:
    loaded = SketchGuidedPipeline.from_pretrained("mini@1", "lep-mini@1", device="cpu")
    assert type(loaded.pipe).__name__ == "StableDiffusionPipeline"
    wrapped = SketchGuidedPipeline.from_pipe(lepbench.load_mini("cpu"), "lep-mini@1")
    options: dict[str, Any] = {"seed": 1, "num_inference_steps": 2, "output_type": "np"}
    assert np.array_equal(
        loaded(PROMPT, drawing, **options).images, wrapped(PROMPT, drawing, **options).images
    )
    assert loaded.to("cpu") is loaded
    with pytest.raises(LepbenchError, match="'mini@1' is no loaded pipeline; write SketchGuided"):
        SketchGuidedPipeline.from_pipe("mini@1", "lep-mini@1")
    with pytest.raises(LepbenchError, match="no embedded model 'mini@9'"):
        SketchGuidedPipeline.from_pretrained("mini@9", "lep-mini@1")
    with pytest.raises(LepbenchError, match="no model folder 'nowhere'"):
        SketchGuidedPipeline.from_pretrained("nowhere", "lep-mini@1")
    with pytest.raises(LepbenchError, match="'nobody/nothing' cannot be loaded"):
        SketchGuidedPipeline.from_pretrained("nobody/nothing", "lep-mini@1")


def test_the_embedded_pipeline_draws_what_the_embedded_backbone_draws() -> None:
    pipe = lepbench.load_mini(device="cpu")
    assert type(pipe).__name__ == "StableDiffusionPipeline"
    options = {"num_inference_steps": 4, "guidance_scale": 4.0}
    picture = pipe(PROMPT, generator=make_generator(3), **options).images[0]
    expected = draw(PROMPT, steps=4, scheduler="ddim", seed=3, device="cpu")
    # Batches of classifier-free guidance round differently.
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).max() <= 1


def test_progress_of_samples_is_told(tiny: dict[str, Any], drawing: Image.Image) -> None:
    told: list[tuple[str, int, int]] = []
    lepbench.sample([PROMPT] * 2, drawing, progress=lambda *stage: told.append(stage), **tiny)
    assert told == [("pictures", 1, 2), ("pictures", 2, 2)]


def test_a_prompt_that_is_cut_warns_with_what_is_not_read() -> None:
    prompt = "a red fish " * 20 + "above a boat"
    with pytest.warns(
        UserWarning, match=r"the prompt is cut at the model's \d+ tokens, .* read from: a red fish"
    ):
        lepbench.sample(prompt, steps=1, scheduler="ddim", progress=False, device="cpu")


def test_a_consistency_model_is_sampled_by_its_own_scheduler(tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = lepbench.load_backbone(tiny_folder_of("lcm"), device="cpu")
    passes: list[float] = []
    backbone.denoiser.register_forward_pre_hook(lambda _, inputs: passes.append(float(inputs[1][0])))
    lepbench.sample("a", backbone=backbone, height=32, width=32, progress=False)
    assert passes == [999, 759, 499, 259]


def test_candidates_are_the_pictures_of_their_seeds(tiny: dict[str, Any], drawing: Image.Image) -> None:
    pictures = draw(PROMPT, drawing, seed=2, count=3, **tiny)
    assert len(pictures) == 3
    assert equal(pictures[2], draw(PROMPT, drawing, seed=4, **tiny))
    several = draw([PROMPT, "two blue boats"], drawing, seed=2, count=2, **tiny)
    assert [equal(a, b) for a, b in zip(several, pictures, strict=False)] == [True, True, False]
    assert equal(several[3], draw("two blue boats", drawing, seed=5, **tiny))
    assert len(draw(PROMPT, drawing, count=1, **tiny)) == 1
    for count in (0, 1.5, "2"):
        with pytest.raises(LepbenchError, match="is no number of pictures; give a whole number from 1 up"):
            draw(PROMPT, drawing, count=count, **tiny)


def test_what_is_doubtful_is_a_warning(tiny: dict[str, Any], drawing: Image.Image) -> None:
    thick = np.zeros(SIZE, bool)
    thick[10:16, 5:60] = thick[10:60, 20:26] = True
    with pytest.warns(UserWarning, match="thick strokes were redrawn as thin lines; thin=False keeps them"):
        thinned = draw(PROMPT, thick, **tiny)
    with pytest.warns(UserWarning, match="the weights are the same everywhere"):
        kept = draw(PROMPT, thick, thin=False, weights=np.ones(SIZE), **tiny)
    assert not equal(thinned, kept)
    with pytest.warns(UserWarning, match="was trained at 64x64 px: at 128x64 px expect worse pictures"):
        draw(PROMPT, drawing, width=128, **tiny)
    pipe = SketchGuidedPipeline.from_pretrained(tiny["backbone"], tiny["predictor"], device="cpu")
    with pytest.warns(UserWarning, match="thick strokes were redrawn"):
        strokes = pipe(PROMPT, thick, seed=0, num_inference_steps=2).sketches
    with pytest.warns(UserWarning, match="at 128x64 px expect worse pictures"):
        pipe(PROMPT, seed=0, num_inference_steps=1, width=128)
    assert strokes is not None
    assert 0 < strokes.sum() < thick.sum() / 2
    thick_strokes = pipe(PROMPT, thick, seed=0, num_inference_steps=2, thin=False).sketches
    assert thick_strokes is not None
    assert np.array_equal(thick_strokes[0], thick)


def test_words_that_mini_does_not_know_are_named() -> None:
    with pytest.warns(
        UserWarning, match=r"mini@1 was trained without these words: dog, sofa; 'lepbench list"
    ):
        lepbench.sample("a dog on a red sofa", steps=1, progress=False, device="cpu")
