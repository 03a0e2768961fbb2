"""Pipelines of every family with random weights, small enough for a test, in folders laid out as released."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SCALED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def clip_tokenizer() -> transformers.CLIPTokenizer:
    tokens = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=12)


def t5_tokenizer() -> transformers.T5Tokenizer:
    """A unigram tokenizer of single letters."""
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return transformers.T5Tokenizer(vocab=[*special, *((letter, -3.0) for letter in LETTERS)], extra_ids=0)


def clip(width: int, projected: bool, projection: int = 8) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=54,
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=12,
        projection_dim=projection,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return (transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel)(config)


def t5(width: int = 32) -> transformers.T5EncoderModel:
    return transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=40, d_model=width, d_ff=32, d_kv=8, num_layers=1, num_heads=2)
    )


def gemma_tokenizer() -> transformers.GemmaTokenizer:
    """Of single letters; unlike those of CLIP and T5 it marks a text's beginning, and pads there."""
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    return transformers.GemmaTokenizer(vocab=vocabulary, add_bos_token=True)


CHAT = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "<|im_start|>assistant\n{% if not enable_thinking %}think{% endif %}"
)


def qwen_tokenizer() -> transformers.Qwen2Tokenizer:
    """Of single letters, with a template of messages."""
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: place for place, token in enumerate([*marks, "Ġ", "Ċ", *LETTERS])}
    tokenizer = transformers.Qwen2Tokenizer(vocab=vocabulary, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": marks[1:]})
    tokenizer.chat_template = CHAT
    return tokenizer


def qwen3(kind: Any = transformers.Qwen3Model, layers: int = 2) -> Any:
    return kind(
        transformers.Qwen3Config(
            vocab_size=40,
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=layers,
            num_attention_heads=1,
            num_key_value_heads=1,
            head_dim=8,
        )
    )


def qwen_vl() -> transformers.Qwen2_5_VLForConditionalGeneration:
    """A language model that could also read pictures."""
    text = {
        "vocab_size": 40,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]},
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    return transformers.Qwen2_5_VLForConditionalGeneration(
        transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision)
    )


def gemma() -> transformers.Gemma2Model:
    return transformers.Gemma2Model(
        transformers.Gemma2Config(
            vocab_size=40,
            hidden_size=24,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
        )
    )


def vae(**settings: Any) -> diffusers.AutoencoderKL:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
        **settings,
    )


def small_vae() -> diffusers.AutoencoderTiny:
    """Of the kind of TAESD, whose latents have no posterior and need no scaling."""
    widths = (8, 8, 8)
    return diffusers.AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
    )


def lopsided_vae() -> diffusers.AsymmetricAutoencoderKL:
    """With a larger decoder than encoder."""
    return diffusers.AsymmetricAutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        down_block_out_channels=(8, 8, 8),
        up_block_types=("UpDecoderBlock2D",) * 3,
        up_block_out_channels=(8, 8, 16),
        layers_per_up_block=2,
        norm_num_groups=4,
        sample_size=64,
        scaling_factor=4.0,
    )


def sd(kind: Any = diffusers.StableDiffusionPipeline, **parts: Any) -> diffusers.DiffusionPipeline:
    """Of the layout of Stable Diffusion; `unet` adds to its U-Net's config, other parts replace its own."""
    unet = diffusers.UNet2DConditionModel(
        **{
            "sample_size": 16,
            "block_out_channels": (8, 16, 16, 16),
            "norm_num_groups": 4,
            "cross_attention_dim": 16,
            "attention_head_dim": (2, 4, 4, 4),
            "use_linear_projection": True,
            **parts.pop("unet", {}),
        }
    )
    return kind(
        **{
            "vae": vae(scaling_factor=4.0),
            "text_encoder": clip(16, projected=False),
            "tokenizer": clip_tokenizer(),
            "unet": unet,
            "scheduler": diffusers.DDIMScheduler(**SCALED, clip_sample=False, steps_offset=1),
            "safety_checker": None,
            "feature_extractor": None,
            "requires_safety_checker": False,
            **parts,
        }
    )


def sd_v() -> diffusers.DiffusionPipeline:
    """Of the layout of Stable Diffusion 2.1, predicting v."""
    return sd(
        scheduler=diffusers.DDIMScheduler(
            **SCALED, clip_sample=False, steps_offset=1, prediction_type="v_prediction"
        )
    )


def lcm(kind: Any = diffusers.StableDiffusionPipeline) -> diffusers.DiffusionPipeline:
    """A latent consistency model: the U-Net is told the guidance scale."""
    scheduler = diffusers.LCMScheduler(**SCALED, clip_sample=False, steps_offset=1)
    return sd(kind, unet={"time_cond_proj_dim": 24}, scheduler=scheduler)


def sdxl(**parts: Any) -> diffusers.DiffusionPipeline:
    """`unet` adds to the config of its U-Net, other parts replace its own."""
    unet = diffusers.UNet2DConditionModel(
        **{
            "sample_size": 16,
            "block_out_channels": (8, 16, 16),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 1, 2),
            "norm_num_groups": 4,
            "cross_attention_dim": 16 + 24,
            "attention_head_dim": (2, 4, 4),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 4,
            "projection_class_embeddings_input_dim": 8 + 6 * 4,
            **parts.pop("unet", {}),
        }
    )
    return diffusers.StableDiffusionXLPipeline(
        **{
            "vae": vae(scaling_factor=4.0),
            "text_encoder": clip(16, projected=False),
            "text_encoder_2": clip(24, projected=True),
            "tokenizer": clip_tokenizer(),
            "tokenizer_2": clip_tokenizer(),
            "unet": unet,
            "scheduler": diffusers.EulerDiscreteScheduler(**SCALED),
            **parts,
        }
    )


def sd3(with_t5: bool = True, **settings: Any) -> diffusers.DiffusionPipeline:
    """`settings` replace those of its transformer's config."""
    transformer = diffusers.SD3Transformer2DModel(
        **{
            "sample_size": 16,
            "patch_size": 2,
            "in_channels": 4,
            "out_channels": 4,
            "num_layers": 2,
            "attention_head_dim": 8,
            "num_attention_heads": 2,
            "joint_attention_dim": 32,
            "caption_projection_dim": 16,
            "pooled_projection_dim": 16,
            "pos_embed_max_size": 24,
            **settings,
        }
    )
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer,
        vae=vae(scaling_factor=3.0, shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip(12, projected=True),
        text_encoder_2=clip(16, projected=True),
        text_encoder_3=t5() if with_t5 else None,
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        tokenizer_3=t5_tokenizer() if with_t5 else None,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def sd35() -> diffusers.DiffusionPipeline:
    """Of the layout of SD3.5-medium: some blocks attend to the picture a second time, keys are normalised."""
    return sd3(dual_attention_layers=(0, 1), num_layers=3, qk_norm="rms_norm")


def flux(distilled: bool = True) -> diffusers.DiffusionPipeline:
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=16,
        guidance_embeds=distilled,
        axes_dims_rope=(4, 6, 6),
    )
    schedule = {"use_dynamic_shifting": True, "shift": 3.0} if distilled else {"shift": 1.0}
    return diffusers.FluxPipeline(
        transformer=transformer,
        vae=vae(scaling_factor=3.0, shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip(16, projected=False),
        text_encoder_2=t5(),
        tokenizer=clip_tokenizer(),
        tokenizer_2=t5_tokenizer(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(**schedule),
    )


def pixart(kind: Any = diffusers.PixArtSigmaPipeline) -> diffusers.DiffusionPipeline:
    """Alpha is told the picture's size, and its pipeline does so at 128 latent pixels only."""
    alpha = kind is diffusers.PixArtAlphaPipeline
    transformer = diffusers.PixArtTransformer2DModel(
        sample_size=128 if alpha else 16,
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        cross_attention_dim=24,
        caption_channels=32,
        use_additional_conditions=alpha,
    )
    return kind(
        transformer=transformer,
        vae=vae(scaling_factor=4.0),
        text_encoder=t5(),
        tokenizer=t5_tokenizer(),
        scheduler=diffusers.DPMSolverMultistepScheduler(beta_start=0.0001, beta_end=0.02),
    )


def deep_vae() -> diffusers.AutoencoderDC:
    """Of the kind of DC-AE, whose latents have no posterior."""
    blocks: dict[str, Any] = {
        "block_types": "ResBlock",
        "block_out_channels": (8, 8, 16),
        "layers_per_block": (1, 1, 1),
        "qkv_multiscales": ((), (), ()),
    }
    return diffusers.AutoencoderDC(
        latent_channels=4,
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        scaling_factor=2.0,
        **{f"{half}_{key}": value for half in ("encoder", "decoder") for key, value in blocks.items()},
    )


def sana() -> diffusers.DiffusionPipeline:
    transformer = diffusers.SanaTransformer2DModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_cross_attention_heads=2,
        cross_attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=24,
    )
    scheduler = diffusers.DPMSolverMultistepScheduler(
        flow_shift=3.0, use_flow_sigmas=True, prediction_type="flow_prediction"
    )
    return diffusers.SanaPipeline(
        transformer=transformer,
        vae=deep_vae(),
        text_encoder=gemma(),
        tokenizer=gemma_tokenizer(),
        scheduler=scheduler,
    )


def z_image() -> diffusers.DiffusionPipeline:
    transformer = diffusers.ZImageTransformer2DModel(
        in_channels=4,
        dim=16,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=8,
        axes_dims=[4, 2, 2],
        axes_lens=[600, 32, 32],
    )
    with torch.no_grad():
        for name in ("x_pad_token", "cap_pad_token"):
            getattr(transformer, name).normal_()
    return diffusers.ZImagePipeline(
        transformer=transformer,
        vae=vae(scaling_factor=3.0, shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=qwen3(),
        tokenizer=qwen_tokenizer(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=6.0),
    )


def video_vae() -> diffusers.AutoencoderKLQwenImage:
    """Of the kind of Qwen-Image's, whose pictures are videos of one frame."""
    return diffusers.AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.3, -0.2, 0.1, 0.0],
        latents_std=[0.2, 0.3, 0.4, 0.5],
    )


def qwen_image() -> diffusers.DiffusionPipeline:
    transformer = diffusers.QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(4, 2, 2),
    )
    return diffusers.QwenImagePipeline(
        transformer=transformer,
        vae=video_vae(),
        text_encoder=qwen_vl(),
        tokenizer=qwen_tokenizer(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, max_shift=0.9, max_image_seq_len=8192, shift_terminal=0.02
        ),
    )


def patch_vae() -> diffusers.AutoencoderKLFlux2:
    """Of the kind of FLUX.2's, with statistics of its latents' patches."""
    made = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=1,
        norm_num_groups=4,
        sample_size=64,
    )
    made.bn.running_mean.normal_()
    made.bn.running_var.uniform_(0.5, 2.0)
    return made


def flux2_klein(distilled: bool = False) -> diffusers.DiffusionPipeline:
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=4,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=3 * 8,
        timestep_guidance_channels=16,
        axes_dims_rope=(2, 2, 2, 2),
        guidance_embeds=False,
    )
    return diffusers.Flux2KleinPipeline(
        transformer=transformer,
        vae=patch_vae(),
        text_encoder=qwen3(transformers.Qwen3ForCausalLM, layers=27),
        tokenizer=qwen_tokenizer(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        is_distilled=distilled,
    )


def pack(latents: torch.Tensor) -> torch.Tensor:
    """Tokens of Flux and Qwen-Image, spelt out: 2 x 2 patches row by row, channels outermost in a patch."""
    rows = [
        torch.stack(
            [latents[:, :, y : y + 2, x : x + 2].flatten(1) for x in range(0, latents.shape[3], 2)], 1
        )
        for y in range(0, latents.shape[2], 2)
    ]
    return torch.cat(rows, dim=1)


def normalise(pipeline: Any, latents: torch.Tensor) -> torch.Tensor:
    """Drawn latents as the transformer reads them: FLUX.2's pipeline returns those that its VAE reads."""
    if not isinstance(pipeline, diffusers.Flux2KleinPipeline):
        return latents
    norm = pipeline.vae.bn
    mean, variance = (part[:, None, None] for part in (norm.running_mean, norm.running_var))
    normalised: torch.Tensor = (pipeline._patchify_latents(latents) - mean) / (variance + norm.eps).sqrt()
    return normalised


PACKED = ("FluxPipeline", "QwenImagePipeline")
"""Pipelines whose latents are tokens, outside as well."""

BUILDERS: dict[str, Callable[[], diffusers.DiffusionPipeline]] = {
    "sd-v": sd_v,
    "lcm": lcm,
    "sdxl": sdxl,
    "sd3": sd3,
    "sd3-without-t5": lambda: sd3(with_t5=False),
    "sd35": sd35,
    "flux-dev": flux,
    "flux-schnell": lambda: flux(distilled=False),
    "pixart-sigma": pixart,
    "pixart-alpha": lambda: pixart(diffusers.PixArtAlphaPipeline),
    "sana": sana,
    "z-image": z_image,
    "qwen-image": qwen_image,
    "flux2-klein": flux2_klein,
    "flux2-klein-distilled": lambda: flux2_klein(distilled=True),
}


def save_tiny(name: str, folder: Path, **options: Any) -> Path:
    """The pipeline called `name`, saved into `folder`."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipeline = BUILDERS[name]()
    pipeline.save_pretrained(folder, safe_serialization=True, **options)
    return folder
