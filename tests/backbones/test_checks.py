"""A pipeline that asks for what is not given is refused on loading, from a folder and as an object alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import transformers
from tiny_pipelines import BUILDERS, clip, lcm, lopsided_vae, sd, sdxl, small_vae, t5, vae

from lepbench.backbones import load_backbone
from lepbench.backbones.known import load_known
from lepbench.errors import LepbenchError
from lepbench.guidance.diffusers_backbone import wrap_pipeline
from lepbench.guidance.pipeline import SketchGuidedPipeline

KEYS = [
    ("sd-v", "unet", {"class_embed_type": "timestep"}, "class_embed_type timestep: it asks for class labels"),
    ("sd-v", "unet", {"class_embed_type": "projection"}, "class_embed_type"),
    ("sd-v", "unet", {"num_class_embeds": 10}, "num_class_embeds 10: it asks for class labels"),
    ("sd-v", "unet", {"addition_embed_type": "text_time"}, "addition_embed_type text_time"),
    ("sd-v", "unet", {"addition_embed_type": "image"}, "addition_embed_type image"),
    ("sd-v", "unet", {"addition_embed_type": "image_hint"}, "addition_embed_type image_hint"),
    ("sd-v", "unet", {"addition_embed_type": "text_image"}, "addition_embed_type text_image"),
    ("sd-v", "unet", {"encoder_hid_dim_type": "ip_image_proj"}, "encoder_hid_dim_type .* unload_ip_adapter"),
    ("sd-v", "unet", {"encoder_hid_dim_type": "image_proj"}, "encoder_hid_dim_type image_proj"),
    ("sd-v", "unet", {"encoder_hid_dim_type": "text_image_proj"}, "encoder_hid_dim_type text_image_proj"),
    ("sd-v", "unet", {"dual_cross_attention": True}, "dual_cross_attention"),
    (
        "sd-v",
        "unet",
        {"in_channels": 9},
        "in_channels 9, and latents of the VAE have 4 channels; .*inpainting",
    ),
    ("sd-v", "unet", {"in_channels": 8}, "in_channels 8"),
    ("sd-v", "unet", {"out_channels": 8}, "out_channels 8 for latents of 4 channels"),
    ("sd-v", "unet", {"cross_attention_dim": 20}, "reads embeddings of width 20, its text encoders give 16"),
    ("sd-v", "unet", {"in_channels": 5}, "in_channels 5, and latents of the VAE have 4"),
    ("sd-v", "vae", {"latents_mean": [0.1] * 4}, "latents_mean"),
    ("sdxl", "vae", {"latents_std": [0.1] * 4}, "latents_std: .*; use a model of the same class without it"),
    ("sd3", "vae", {"latents_mean": [0.1] * 4}, "latents_mean"),
    ("flux-dev", "vae", {"latents_mean": [0.1] * 4}, "latents_mean"),
    ("pixart-sigma", "vae", {"latents_mean": [0.1] * 4}, "latents_mean"),
    ("sd-v", "scheduler", {"prediction_type": "flow_prediction"}, "prediction_type flow_prediction"),
    ("sd-v", "scheduler", {"variance_type": "learned_range"}, "variance_type learned_range"),
    ("sdxl", "unet", {"addition_embed_type": None}, "addition_embed_type: it does not take the inputs"),
    # What the refiner of SDXL has: an aesthetic score in place of a size.
    ("sdxl", "unet", {"projection_class_embeddings_input_dim": 28}, "reads pooled of width 4"),
    ("sd3", "transformer", {"patch_size": 1}, "patch_size 1"),
    (
        "sd3",
        "transformer",
        {"pooled_projection_dim": 10},
        "reads pooled of width 10, its text encoders give 16",
    ),
    # As in Flux Fill and Flux Control.
    ("flux-dev", "transformer", {"in_channels": 32}, "in_channels 32, and latents of the VAE have 4"),
    ("flux-dev", "transformer", {"joint_attention_dim": 24}, "reads embeddings of width 24"),
    ("pixart-sigma", "transformer", {"caption_channels": 24}, "reads embeddings of width 24"),
    ("pixart-sigma", "transformer", {"patch_size": 1}, "patch_size 1"),
    ("sana", "transformer", {"guidance_embeds": True}, "guidance_embeds True: .*Sana-Sprint"),
    ("sana", "transformer", {"patch_size": 2}, "patch_size 2"),
    ("flux2-klein", "transformer", {"guidance_embeds": True}, "guidance_embeds True: .*dev"),
    ("flux2-klein", "transformer", {"patch_size": 2}, "patch_size 2"),
    ("flux2-klein", "transformer", {"in_channels": 8}, "in_channels 8, and latents of the VAE have 4"),
    ("flux2-klein", "transformer", {"joint_attention_dim": 8}, "reads embeddings of width 8, .* give 24"),
    ("flux2-klein", "vae", {"patch_size": [4, 4]}, "patch_size: only patches of 2 x 2"),
    ("qwen-image", "transformer", {"zero_cond_t": True}, "zero_cond_t True: .*Edit"),
    ("qwen-image", "transformer", {"use_additional_t_cond": True}, "use_additional_t_cond True: .*Layered"),
    ("qwen-image", "transformer", {"use_layer3d_rope": True}, "use_layer3d_rope True: .*Layered"),
    ("qwen-image", "transformer", {"guidance_embeds": True}, "guidance_embeds True"),
    ("qwen-image", "transformer", {"in_channels": 32}, "in_channels 32, and latents of the VAE have 4"),
    ("qwen-image", "transformer", {"joint_attention_dim": 8}, "reads embeddings of width 8, .* give 16"),
    ("qwen-image", "vae", {"input_channels": 4}, "input_channels 4: .*Layered"),
    ("z-image", "transformer", {"all_patch_size": [4]}, "all_patch_size: only patches of 2 x 2"),
    ("z-image", "transformer", {"all_f_patch_size": [2]}, "all_f_patch_size: only patches of one frame"),
    ("z-image", "transformer", {"siglip_feat_dim": 8}, "siglip_feat_dim 8: it asks for pictures"),
    ("z-image", "transformer", {"cap_feat_dim": 4}, "reads embeddings of width 4, .* give 8"),
    ("z-image", "vae", {"latents_mean": [0.1] * 4}, "latents_mean"),
    ("sana", "transformer", {"in_channels": 8}, "in_channels 8, and latents of the VAE have 4"),
    ("sana", "transformer", {"caption_channels": 16}, "reads embeddings of width 16, .* give 24"),
]


@pytest.mark.parametrize(("name", "part", "keys", "message"), KEYS)
def test_a_key_that_asks_for_more_is_named_at_both_doors(
    name: str,
    part: str,
    keys: dict[str, Any],
    message: str,
    tiny_folder_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of(name), tmp_path / name))
    file = folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))
    with pytest.raises(LepbenchError, match=rf"{part}/\w*config.json (has )?{message}") as caught:
        load_backbone(folder)
    assert "\n" not in str(caught.value)
    pipe = BUILDERS[name]()
    getattr(pipe, part).register_to_config(**keys)
    with pytest.raises(LepbenchError, match=rf"the pipeline's {part} (has )?{message}"):
        wrap_pipeline(pipe)


@pytest.mark.parametrize("name", list(load_known()))
def test_released_models_ask_for_nothing_more(name: str) -> None:
    from lepbench.backbones.checks import NEEDS
    from lepbench.backbones.known import find_denoiser

    family, config = find_denoiser(name)
    needs = [need for need in NEEDS[family.name] if need.part == family.denoiser]
    assert needs
    assert all(config.get(need.key) in need.met for need in needs)


def consistency_decoder() -> diffusers.ConsistencyDecoderVAE:
    with torch.device("meta"):
        return diffusers.ConsistencyDecoderVAE()


PARTS = [
    ({"vae": consistency_decoder}, "has a ConsistencyDecoderVAE as its vae, .* AutoencoderTiny"),
    ({"text_encoder": t5}, "has a T5EncoderModel as its text_encoder"),
    ({"text_encoder": lambda: clip(16, projected=True)}, "has a CLIPTextModelWithProjection as its text_enc"),
    ({"unet": lambda: diffusers.UNet2DModel(block_out_channels=(32,), down_block_types=("DownBlock2D",),
                                            up_block_types=("UpBlock2D",))}, "has a UNet2DModel as its unet"),
    ({"vae": None}, "the pipeline has no vae; load it with all its components"),
    ({"text_encoder": None}, "the pipeline has no text_encoder"),
    ({"tokenizer": None}, "the pipeline has no tokenizer"),
    ({"scheduler": None}, "the pipeline has no scheduler"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "message"), PARTS)
def test_a_component_of_another_class_is_one_line(parts: dict[str, Any], message: str) -> None:
    pipe = sd()
    for part, make in parts.items():
        setattr(pipe, part, None if make is None else make())
    with pytest.raises(LepbenchError, match=message):
        wrap_pipeline(pipe)


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("vae", "ConsistencyDecoderVAE"),
        ("unet", "UNetMotionModel"),
        ("text_encoder", "BertModel"),
        ("vae", "AutoencoderKLTemporalDecoder"),
    ],
)
def test_a_class_in_the_index_of_a_folder_is_read(
    part: str, named: str, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sd-v"), tmp_path / "sd"))
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {part: ["diffusers", named]}))
    with pytest.raises(
        LepbenchError, match=f"the pipeline has a {named} as its {part}, which is not read here"
    ):
        load_backbone(folder)


@pytest.mark.parametrize(("make", "kind"), [(small_vae, "Tiny"), (lopsided_vae, "Asymmetric"), (vae, "KL")])
def test_other_autoencoders_are_read_and_noted(make: Any, kind: str, tmp_path: Path) -> None:
    pipe = sd(vae=make())
    pipe.save_pretrained(tmp_path / "sd")
    loaded, wrapped = load_backbone(tmp_path / "sd"), wrap_pipeline(pipe)
    for backbone in (loaded, wrapped):
        assert kind in type(backbone.vae).__name__
        assert [kind in note for note in backbone.notes] == ([] if kind == "KL" else [True])
    assert loaded.latent_shape(64) == (4, 16, 16)
    assert loaded.encode_images(torch.rand(1, 3, 64, 64)).shape == (1, 4, 16, 16)


def test_a_pipeline_that_skips_passes_is_refused() -> None:
    pipe = BUILDERS["flux-dev"]()
    pipe.transformer.enable_cache(diffusers.PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2, current_timestep_callback=lambda: 500))  # fmt: skip
    with pytest.raises(LepbenchError, match="skips passes by a cache; call its disable_cache"):
        wrap_pipeline(pipe)


FLOW = {"num_train_timesteps": 1000, "shift": 3.0}
SCHEDULES = [
    ("sd-v", FLOW, "is a schedule of flow matching, and the network was trained on one of noise variances"),
    ("sd-v", {**FLOW, "_class_name": "FlowMatchHeunDiscreteScheduler"}, "is a schedule of flow matching"),
    ("sd3", {"num_train_timesteps": 1000, "beta_start": 1e-4}, "is a schedule of noise variances"),
    ("flux-dev", {"num_train_timesteps": 1000}, "is a schedule of noise variances"),
    ("sd-v", {"beta_start": 1e-4}, "has no num_train_timesteps"),
    ("sd-v", {"sigma_data": 0.5, "num_train_timesteps": 1000}, "is a schedule of EDM"),
]


@pytest.mark.parametrize(("name", "config", "message"), SCHEDULES)
def test_a_schedule_of_another_kind_is_refused(
    name: str,
    config: dict[str, Any],
    message: str,
    tiny_folder_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of(name), tmp_path / name))
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(config))
    with pytest.raises(LepbenchError, match=message):
        load_backbone(folder)


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("sd-v", diffusers.FlowMatchEulerDiscreteScheduler, {}),
        ("sd3", diffusers.DDIMScheduler, {}),
        ("flux-dev", diffusers.EulerDiscreteScheduler, {}),
    ],
)
def test_a_scheduler_of_another_kind_is_refused(name: str, kind: Any, options: dict[str, Any]) -> None:
    pipe = BUILDERS[name]()
    pipe.scheduler = kind(**options)
    with pytest.raises(LepbenchError, match="the pipeline's scheduler is a schedule of"):
        wrap_pipeline(pipe)


def test_a_solver_that_steps_along_a_flow_fits_a_flow() -> None:
    pipe = BUILDERS["sd3"]()
    pipe.scheduler = diffusers.UniPCMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction"
    )
    assert wrap_pipeline(pipe).family.flow


def test_a_vae_of_other_latents_is_named() -> None:
    with pytest.raises(LepbenchError, match="of the VAE have 16 channels; use the VAE it was trained with"):
        wrap_pipeline(sd(vae=diffusers.AutoencoderTiny(latent_channels=16)))


@pytest.mark.parametrize("entry", [3, [], "UNet2DConditionModel", [None, None]])
def test_an_index_without_a_class_leaves_the_familys(
    entry: object, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sd-v"), tmp_path / "sd"))
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"unet": entry}))
    assert type(load_backbone(folder).denoiser) is diffusers.UNet2DConditionModel


def test_a_tap_that_does_not_exist_is_found_on_loading() -> None:
    pipe = sd(unet={"mid_block_type": None})
    with pytest.raises(LepbenchError, match=r"no tap 'mid_block.resnets\[0\]'"):
        wrap_pipeline(pipe)


@pytest.mark.parametrize("method", ["bitsandbytes", "torchao", "quanto", None])
def test_quantised_weights_whose_package_is_missing_are_one_line(
    method: str | None, tiny_folder_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    present = importlib.util.find_spec
    missing = ("bitsandbytes", "torchao", "optimum.quanto")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in missing else present(name, *rest)
    )
    folder = Path(shutil.copytree(tiny_folder_of("flux-dev"), tmp_path / "flux"))
    for part in ("transformer", "text_encoder_2"):
        file = folder / part / "config.json"
        whole = file.read_text()
        stated = {"load_in_4bit": True} | ({} if method is None else {"quant_method": method})
        file.write_text(json.dumps(json.loads(whole) | {"quantization_config": stated}))
        with pytest.raises(
            LepbenchError, match=rf"{part} is quantised by {method or 'bitsandbytes'}, which is not"
        ):
            load_backbone(folder)
        with pytest.raises(LepbenchError, match=rf"{part} is quantised by .*, which is not installed"):
            SketchGuidedPipeline.from_pretrained(folder)
        file.write_text(whole)


def test_sizes_of_pictures_come_from_the_config_if_it_has_any() -> None:
    sized = {None: None, 16: (64, 64), (12, 20): (48, 80)}
    for sample_size, expected in sized.items():
        backbone = wrap_pipeline(sd(unet={"sample_size": sample_size}))
        assert backbone.choose_size(32, 96) == (32, 96)
        assert len(backbone.tap_channels) == len(backbone.taps)
        if expected is None:
            with pytest.raises(LepbenchError, match=r"has no sample_size.*; give height and width"):
                backbone.choose_size(None, None)
        else:
            assert backbone.choose_size(None, None) == expected
            assert backbone.image_size == min(expected)


def test_sdxl_may_have_its_second_text_encoder_alone(tmp_path: Path) -> None:
    pipe = sdxl(unet={"cross_attention_dim": 24}, text_encoder=None, tokenizer=None)
    pipe.save_pretrained(tmp_path / "sdxl")
    expected = pipe.encode_prompt("a red fish", device="cpu")
    for backbone in (load_backbone(tmp_path / "sdxl"), wrap_pipeline(pipe)):
        found = backbone.encode_prompts(["a red fish"])
        assert torch.allclose(found["embeddings"], expected[0], atol=1e-6)
        assert torch.allclose(found["pooled"], expected[2], atol=1e-6)
    pipe = sdxl(text_encoder_2=None)
    with pytest.raises(LepbenchError, match="the pipeline has no text_encoder_2"):
        wrap_pipeline(pipe)


def test_notes_tell_of_what_was_not_run_and_of_distilled_guidance(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    assert load_backbone("mini@1").notes == ()
    folder = Path(shutil.copytree(tiny_folder_of("lcm"), tmp_path / "lcm"))
    index = json.loads((folder / "model_index.json").read_text())
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (folder / "model_index.json").write_text(json.dumps(index | {"safety_checker": checker}))
    distilled = "guidance is distilled: its scale is an input of the U-Net"
    assert load_backbone(folder).notes == (distilled, "the safety checker of the pipeline was not run")
    assert wrap_pipeline(lcm()).notes == (distilled,)


def test_a_mask_goes_to_an_encoder_that_asks_for_it() -> None:
    pipe = sd()
    pipe.text_encoder.config.use_attention_mask = True
    expected, empty = pipe.encode_prompt(["a red fish", "b"], "cpu", 1, True)
    conditioning, blank = wrap_pipeline(pipe).conditions(["a red fish", "b"], 4.0)
    assert blank is not None
    assert torch.allclose(conditioning["embeddings"], expected, atol=1e-6)
    assert torch.allclose(blank["embeddings"], empty, atol=1e-6)


def test_transformers_of_clip_are_read_whole() -> None:
    # The defaults of a config that a folder leaves out are those of its class.
    from lepbench.backbones.load import fill_defaults

    filled = fill_defaults("transformers.CLIPTextModel", {"hidden_size": 16})
    assert filled["hidden_size"] == 16
    assert filled["projection_dim"] == transformers.CLIPTextConfig().projection_dim


@pytest.mark.parametrize("keys", [{"steps_offset": 0}, {"clip_sample": True}])
def test_an_early_schedule_is_amended_as_in_the_pipeline(
    keys: dict[str, Any], tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sd-v"), tmp_path / "sd"))
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))
    with pytest.warns(FutureWarning):
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder)
    amended = load_backbone(folder).scheduler
    assert {key: amended[key] for key in keys} == {key: pipe.scheduler.config[key] for key in keys}
    assert amended["steps_offset"] == 1


def test_an_early_u_net_draws_at_the_pipelines_size(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sd-v"), tmp_path / "sd"))
    file = folder / "unet" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"_diffusers_version": "0.6.0"}))
    with pytest.warns(FutureWarning):
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder)
    side = pipe.unet.config.sample_size * pipe.vae_scale_factor
    assert load_backbone(folder).choose_size(None, None) == (side, side) == (256, 256)
