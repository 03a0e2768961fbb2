"""A pipeline draws its own pictures here, whether it is loaded from a folder or wrapped as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_pipelines import BUILDERS, clip, lcm, lopsided_vae, save_tiny, sd, sdxl, small_vae, vae
from torch import Tensor
from transformers import CLIPTokenizer

from lepbench.api.sampling import sample as draw_sample
from lepbench.backbones import Backbone, load_backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.diffusers_backbone import wrap_pipeline
from lepbench.guidance.pipeline import SketchGuidedPipeline
from lepbench.guidance.schedulers import imply_sampler, set_timesteps
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise, make_generator

PROMPTS = ["a red fish", "two blue boats"]
SIZE = (32, 64)
STEPS = 2


def reader(backbone: Backbone) -> MlpPredictor:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
        return MlpPredictor(config).requires_grad_(False).eval()


def made(make: Callable[[], Any]) -> Any:
    """A pipeline in eval mode, as a loaded one is."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipe = make()
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def generators() -> list[torch.Generator]:
    return [make_generator(i) for i in range(len(PROMPTS))]


def start_of(backbone: Backbone) -> Tensor:
    shape = backbone.latent_shape(SIZE)
    return torch.stack([draw_noise(i, shape) for i in range(len(PROMPTS))])


def drawn_by_folder(folder: Path, pipe: Any, start: Tensor, cfg: float, prompts: list[str]) -> Tensor:
    """What the saved pipeline draws, by the scheduler of the loaded one."""
    backbone = load_backbone(folder)
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    set_timesteps(scheduler, backbone, STEPS, (start.shape[2], start.shape[3]))
    scale = cfg if backbone.takes_scale else max(cfg, 1.0)
    settings = SamplerSettings(steps=STEPS, guidance_scale=scale)
    latents = sample(backbone, prompts, start, settings, scheduler=scheduler, generators=generators()).latents
    return backbone.decode_latents(latents)


def learnt_words() -> Any:
    """A pipeline with a learnt word of three vectors, as `load_textual_inversion` leaves it."""
    pipe = sd()
    pipe.tokenizer.add_tokens(["<cat>", "<cat>_1", "<cat>_2"])
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer))
    return pipe


MAKERS: dict[str, Callable[[], Any]] = {
    "LCM in its own pipeline": lambda: lcm(diffusers.LatentConsistencyModelPipeline),
    "LCM": lcm,
    "LCM of SDXL": lambda: sdxl(unet={"time_cond_proj_dim": 25}),
    "learnt word": learnt_words,
    "TAESD": lambda: sd(vae=small_vae()),
    "asymmetric VAE": lambda: sd(vae=lopsided_vae()),
    "shift factor that this pipeline ignores": lambda: sd(vae=vae(scaling_factor=4.0, shift_factor=0.4)),
    "rectangular": lambda: sd(unet={"sample_size": (8, 12)}),
    "no size": lambda: sd(unet={"sample_size": None}),
    "projected text": lambda: sd(unet={"encoder_hid_dim": 16, "cross_attention_dim": 20}),
    "pooled text": lambda: sd(unet={"addition_embed_type": "text", "addition_embed_type_num_heads": 2}),
    "GLIGEN": lambda: sd(unet={"attention_type": "gated"}),
    "Fourier times": lambda: sd(unet={"time_embedding_type": "fourier"}),
    "list of layers": lambda: sd(unet={"layers_per_block": [2, 2, 2, 2]}),
    "one text encoder": lambda: sdxl(unet={"cross_attention_dim": 24}, text_encoder=None, tokenizer=None),
    "zero SNR": lambda: sd(
        scheduler=diffusers.DDIMScheduler(
            rescale_betas_zero_snr=True, timestep_spacing="trailing", prediction_type="v_prediction",
            steps_offset=1, clip_sample=False,
        )
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("cfg", [0.6, 5.3])
@pytest.mark.parametrize("name", list(MAKERS))
def test_unguided_is_the_pipelines_own_at_both_doors(name: str, cfg: float, tmp_path: Path) -> None:
    pipe = made(MAKERS[name])
    prompts = ["a <cat> on a <cat>", "x <cat>"] if name == "learnt word" else PROMPTS
    backbone = wrap_pipeline(pipe)
    start = start_of(backbone)
    height, width = SIZE
    options: dict[str, Any] = {"num_inference_steps": STEPS, "height": height, "width": width}
    options |= {"guidance_scale": cfg, "output_type": "pt"}
    expected = pipe(prompts, latents=start, generator=generators(), **options).images
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(backbone))
    ours = guided(prompts, latents=start, generator=generators(), **options).images
    assert (ours - expected).abs().max() < 1e-5
    pipe.save_pretrained(tmp_path / "saved")
    found = drawn_by_folder(tmp_path / "saved", pipe, start, cfg, prompts)
    assert (found - expected).abs().max() < 1e-5


def shifted_by_hand() -> Any:
    pipe = BUILDERS["sd3"]()
    pipe.scheduler.set_shift(7.0)
    return pipe


def spread_by_hand() -> Any:
    pipe = sd()
    pipe.scheduler.alphas_cumprod = pipe.scheduler.alphas_cumprod**1.3
    return pipe


SET = {
    "shift": shifted_by_hand,
    "variances": spread_by_hand,
    # The pipeline replaces the defaults of clip_sample and steps_offset.
    "defaults": lambda: sd(scheduler=diffusers.DDIMScheduler()),
    "eta": lambda: sd(scheduler=diffusers.TCDScheduler()),
}


@pytest.mark.filterwarnings("ignore:The configuration file")
@pytest.mark.parametrize("name", list(SET))
def test_what_was_set_on_a_scheduler_counts(name: str) -> None:
    pipe = made(SET[name])
    backbone = wrap_pipeline(pipe)
    start = start_of(backbone)
    height, width = SIZE
    options: dict[str, Any] = {"num_inference_steps": STEPS, "height": height, "width": width}
    options |= {"output_type": "pt", "latents": start}
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(backbone))
    ours = guided(PROMPTS, generator=generators(), **options).images
    assert getattr(pipe.scheduler, "num_inference_steps", None) is None
    expected = pipe(PROMPTS, generator=generators(), **options).images
    assert (ours - expected).abs().max() < 1e-5


def test_a_folder_in_half_precision_alone_is_read_at_both_doors(tmp_path: Path) -> None:
    folder = save_tiny("sd-v", tmp_path / "half", variant="fp16")
    predictor = reader(load_backbone(folder))
    pipe = SketchGuidedPipeline.from_pretrained(folder, predictor, device="cpu").pipe
    assert pipe.unet.dtype == torch.float32


def test_a_folder_that_lacks_a_weight_is_one_line(tmp_path: Path) -> None:
    folder = save_tiny("sd-v", tmp_path / "whole")
    predictor = reader(load_backbone(folder))
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    del weights["conv_in.bias"]
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(LepbenchError, match=r"unet has no values for its weight 'conv_in\.bias'"):
        SketchGuidedPipeline.from_pretrained(folder, predictor, device="cpu")


@pytest.mark.parametrize("name", ["sd-v", "sdxl", "sd3", "flux-dev"])
def test_a_tokenizer_without_a_length_has_that_of_its_encoder(name: str) -> None:
    pipe = made(BUILDERS[name])
    for part in ("tokenizer", "tokenizer_2"):
        if isinstance(getattr(pipe, part, None), CLIPTokenizer):
            getattr(pipe, part).model_max_length = int(1e30)
    assert wrap_pipeline(pipe).encode_prompts(["a b"]).tensors["embeddings"].shape[1] >= 12


@pytest.mark.parametrize("prompt", [None, 5, [], ["a", 1]])
def test_what_is_no_prompt_is_one_line(prompt: Any) -> None:
    pipe = made(sd)
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    with pytest.raises(LepbenchError, match="is no prompt; give a text, or a list of texts"):
        guided(prompt, height=32, width=64)


def test_a_loaded_pipeline_is_sent_to_its_own_door() -> None:
    with pytest.raises(LepbenchError, match=r"a StableDiffusionPipeline is no backbone; .*from_pipe"):
        draw_sample("a", backbone=made(sd), progress=False)


def test_a_learnt_word_counts_with_all_its_vectors() -> None:
    pipe = made(learnt_words)
    words = ["<cat>", "<cat>_1", "<cat>_2"]
    (ids,) = wrap_pipeline(pipe).text.tokens("tokenizer", ["<cat>"], 5).input_ids.tolist()
    assert ids[1:4] == pipe.tokenizer.convert_tokens_to_ids(words)


@pytest.mark.parametrize("distilled", [True, False])
@pytest.mark.parametrize("cfg", [0.0, 0.5, 1.0])
def test_flux_is_told_a_scale_under_one(distilled: bool, cfg: float) -> None:
    pipe = made(BUILDERS["flux-dev" if distilled else "flux-schnell"])
    options: dict[str, Any] = {"num_inference_steps": STEPS, "height": 32, "width": 64, "guidance_scale": cfg}
    options |= {"output_type": "pt"}
    expected = pipe(PROMPTS, generator=generators(), **options).images
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    assert (guided(PROMPTS, generator=generators(), **options).images - expected).abs().max() < 1e-5
    with pytest.raises(LepbenchError, match="guidance_scale"):
        guided(PROMPTS, **options | {"guidance_scale": -1.0})
    with pytest.raises(LepbenchError, match="steps"):
        guided(PROMPTS, **options | {"num_inference_steps": 0})


def sketch() -> np.ndarray[Any, Any]:
    strokes = np.zeros(SIZE, np.bool_)
    strokes[8:24, 12] = strokes[8, 12:56] = True
    return strokes


def test_a_consistency_model_is_steered_in_four_steps() -> None:
    pipe = made(lambda: lcm(diffusers.LatentConsistencyModelPipeline))
    backbone = wrap_pipeline(pipe)
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(backbone))
    drawings = [
        guided("a red fish", lines, seed=3, height=32, width=64, output_type="pt", stop=0.0).images
        for lines in (None, sketch(), sketch(), sketch()[::-1].copy())
    ]
    plain, one, again, other = drawings
    assert torch.equal(one, again)
    assert (one - plain).abs().max() > 1e-3
    assert (one - other).abs().max() > 1e-3
    # The guidance scale is an input here, too.
    stronger = guided(
        "a red fish", sketch(), seed=3, height=32, width=64, output_type="pt", guidance_scale=2.0
    )
    assert (one - stronger.images).abs().max() > 1e-3


def test_the_gradient_of_a_consistency_model_is_that_of_autograd() -> None:
    backbone = wrap_pipeline(made(lcm))
    predictor = reader(backbone)
    conditioning, empty = backbone.conditions(PROMPTS, 5.3)
    assert empty is None
    z, when = start_of(backbone), torch.tensor(499)
    target = torch.stack([draw_noise(9 + i, tuple(z.shape[1:])) for i in range(2)])
    step = SketchGuidance(predictor, target).step(backbone, z, when, conditioning)
    leaf = z.clone().requires_grad_()
    told = diffusers.StableDiffusionPipeline.get_guidance_scale_embedding(
        None, torch.tensor([5.3 - 1.0]).repeat(2), embedding_dim=24
    )
    taken: dict[str, Tensor] = {}
    handles = [
        backbone.denoiser.get_submodule(tap.replace("[", ".").replace("]", "")).register_forward_hook(
            lambda module, inputs, output, tap=tap: taken.update(
                {tap: output[0] if isinstance(output, tuple) else output}
            )
        )
        for tap in backbone.taps
    ]
    output = backbone.denoiser(leaf, when, conditioning["embeddings"], timestep_cond=told).sample
    for handle in handles:
        handle.remove()
    loss = (predictor(taken, when.expand(2), (leaf.shape[2], leaf.shape[3])) - target).square().sum()
    (expected,) = torch.autograd.grad(loss, leaf)
    assert expected.abs().max() > 0
    assert torch.allclose(step.gradient, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    assert step.output is not None
    assert torch.allclose(step.output, output, atol=1e-5)


def test_what_a_consistency_model_cannot_do_is_one_line() -> None:
    pipe = made(lambda: lcm(diffusers.LatentConsistencyModelPipeline))
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    with pytest.raises(LepbenchError, match="LCMScheduler takes no 60 steps"):
        guided("a", num_inference_steps=60, height=32, width=64)
    with pytest.raises(LepbenchError, match="takes no negative prompt"):
        guided("a", negative_prompt="dull", height=32, width=64)


def test_the_sampler_is_that_of_the_model(tiny_folder_of: Callable[[str], Path]) -> None:
    assert imply_sampler(load_backbone(tiny_folder_of("lcm"))) == {"scheduler": "lcm", "steps": 4}
    assert imply_sampler(load_backbone(tiny_folder_of("sd3"))) == {"scheduler": "flow_euler"}
    assert imply_sampler(load_backbone(tiny_folder_of("sana"))) == {"scheduler": "flow_dpmpp"}
    assert imply_sampler(load_backbone(tiny_folder_of("sd-v"))) == {}


def test_guidance_through_a_small_autoencoder() -> None:
    pipe = made(MAKERS["TAESD"])
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    options: dict[str, Any] = {"seed": 1, "height": 32, "width": 64, "num_inference_steps": 2, "stop": 0.0}
    plain, steered = (guided("a", lines, output_type="pt", **options) for lines in (None, sketch()))
    assert (plain.images - steered.images).abs().max() > 1e-4
    assert steered.notes == ("the VAE is an AutoencoderTiny",)


def test_a_prompt_that_is_cut_is_told_with_what_is_not_read() -> None:
    pipe = made(sd)
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    options: dict[str, Any] = {"seed": 1, "height": 32, "width": 64, "num_inference_steps": 1}
    assert guided("abc def", **options).notes == ()
    (note,) = guided(["a", "abcdefghij klmno"], **options).notes
    assert note == "the prompt is cut at the model's 12 tokens, and not read from: klmno"


def test_a_checker_that_is_not_run_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = made(sd)
    pipe.register_to_config(safety_checker=("stable_diffusion", "StableDiffusionSafetyChecker"))
    assert wrap_pipeline(pipe).notes == ("the safety checker of the pipeline was not run",)


def test_text_encoders_may_read_unequal_lengths() -> None:
    pipe = made(BUILDERS["sd3"])
    backbone = wrap_pipeline(pipe)
    # CLIP reads 12 tokens, T5 256.
    assert backbone.find_cut(["a b c d e f g h i j k l m n o p"]) == [""]
    assert clip(8, projected=False).config.max_position_embeddings == 12
