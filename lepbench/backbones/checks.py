"""What a family's networks are fed, as a table: a pipeline that asks for more is refused on loading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lepbench.backbones.family import ComponentConfig, Family
from lepbench.errors import LepbenchError

OTHER_MODEL = "use a model of the same class without it"

OTHER_VAE = "use the VAE it was trained with"

OTHER_TASK = "a network that also reads a mask or a picture (inpainting, editing) is no text-to-image model"

SCHEDULER = "scheduler"

Where = Callable[[str], str]
"""From a component to where its config is, for messages."""


class Rule(NamedTuple):
    """A key of a component's config that asks for something.

    Attributes:
        part: folder of the component.
        key: of its config.
        met: the values under which everything asked for is given here.
        asked: what other values ask for.
        fix: what to do about them.
    """

    part: str
    key: str
    met: tuple[Any, ...]
    asked: str
    fix: str = OTHER_MODEL


NORMALISED = "latents of normalised channels are not read"
VAE = (
    Rule("vae", "latents_mean", (None,), NORMALISED),
    Rule("vae", "latents_std", (None,), NORMALISED),
)
CLASSES = "it asks for class labels, which nothing here gives"
UNET = (
    Rule("unet", "class_embed_type", (None,), CLASSES),
    Rule("unet", "num_class_embeds", (None,), CLASSES),
    Rule("unet", "dual_cross_attention", (None, False), "it asks for a second prompt beside the first"),
    Rule(
        "unet",
        "encoder_hid_dim_type",
        (None, "text_proj"),
        "it asks for an image beside the prompt (IP-Adapter, Kandinsky)",
        fix="of a loaded pipeline with an IP-Adapter, call unload_ip_adapter() first; or " + OTHER_MODEL,
    ),
    Rule(
        SCHEDULER,
        "prediction_type",
        (None, "epsilon", "v_prediction", "sample"),
        "it predicts something else",
    ),
    Rule(
        SCHEDULER,
        "variance_type",
        (None, "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"),
        "it asks for a variance, which the U-Net does not predict",
    ),
)
PATCHES = "only patches of 2 x 2 are read"
NEEDS: Mapping[str, tuple[Rule, ...]] = {
    "sd": (
        *VAE,
        *UNET,
        Rule(
            "unet", "addition_embed_type", (None, "text"), "it asks for inputs that this pipeline has none of"
        ),
    ),
    "sdxl": (
        *VAE,
        *UNET,
        Rule("unet", "addition_embed_type", ("text_time",), "it does not take the inputs of this pipeline"),
    ),
    "sd3": (*VAE, Rule("transformer", "patch_size", (2,), PATCHES)),
    "flux": (
        *VAE,
        Rule("transformer", "patch_size", (1,), "its latents are not packed 2 x 2 beforehand"),
    ),
    "pixart": (*VAE, Rule("transformer", "patch_size", (2,), PATCHES)),
    "flux2-klein": (
        Rule("transformer", "patch_size", (1,), "its latents are not made of patches beforehand"),
        Rule("transformer", "guidance_embeds", (False,), "it asks for a guidance scale (FLUX.2 dev)"),
        Rule("vae", "patch_size", ((2, 2), [2, 2]), PATCHES),
    ),
    "qwen-image": (
        Rule("vae", "input_channels", (3,), "it encodes pictures of other channels (Layered)"),
        Rule("transformer", "patch_size", (2,), PATCHES),
        Rule("transformer", "guidance_embeds", (None, False), "no released model has this input"),
        Rule("transformer", "zero_cond_t", (None, False), "it asks for a picture beside the prompt (Edit)"),
        Rule("transformer", "use_additional_t_cond", (None, False), "it asks for layers (Layered)"),
        Rule("transformer", "use_layer3d_rope", (None, False), "it asks for layers (Layered)"),
    ),
    "z-image": (
        *VAE,
        Rule("transformer", "all_patch_size", ((2,), [2]), PATCHES),
        Rule("transformer", "all_f_patch_size", ((1,), [1]), "only patches of one frame are read"),
        Rule("transformer", "siglip_feat_dim", (None,), "it asks for pictures beside the prompt (Omni)"),
    ),
    "sana": (
        *VAE,
        Rule("transformer", "patch_size", (1,), "only patches of one latent pixel are read"),
        Rule("transformer", "guidance_embeds", (None, False), "it asks for a guidance scale (Sana-Sprint)"),
    ),
}
"""Per family, the keys that ask for inputs or for another reading of latents.

Keys that ask for an input which is fed need no line: `time_cond_proj_dim` and `guidance_embeds` (the guidance
scale), `addition_embed_type: text_time` (pooled text and size), `use_additional_conditions` (size and aspect
ratio), `encoder_hid_dim_type: text_proj`, `use_attention_mask` of a text encoder. GLIGEN's `attention_type`
and an IP-Adapter in a transformer draw without their input as in diffusers.
"""


def check_pipeline(family: Family, configs: Mapping[str, ComponentConfig], where: Where) -> None:
    """Check that a pipeline asks for nothing but what its family feeds, and that its components fit together.

    Args:
        configs: of every component and of the scheduler, by folder, with the defaults of their classes.

    Raises:
        LepbenchError: it does not; the message names the config and the key.
    """
    for need in NEEDS.get(family.name, ()):
        value = configs[need.part].get(need.key)
        if value not in need.met:
            shown = f" {value}" if isinstance(value, str | int) else ""
            raise LepbenchError(f"{where(need.part)} has {need.key}{shown}: {need.asked}", need.fix)
    _check_schedule(family, configs[SCHEDULER], where(SCHEDULER))
    _check_channels(family, configs, where)
    _check_text(family, configs, where)


def _check_schedule(family: Family, config: ComponentConfig, where: str) -> None:
    """Refuse a schedule of another kind of diffusion than the family's."""
    # DDPM models are also saved with an EDM sampler as their default: they still have betas.
    if "sigma_data" in config and "beta_start" not in config:
        raise LepbenchError(f"{where} is a schedule of EDM, by which nothing here samples", OTHER_MODEL)
    if "num_train_timesteps" not in config:
        raise LepbenchError(f"{where} has no num_train_timesteps", "use the scheduler it was saved with")
    if _is_flow(config) != family.flow:
        kinds = ("of noise variances", "of flow matching")
        raise LepbenchError(
            f"{where} is a schedule {kinds[not family.flow]}, and the network was trained on one "
            f"{kinds[family.flow]}",
            "use the scheduler it was saved with",
        )


def _is_flow(config: ComponentConfig) -> bool:
    """Whether a scheduler's config is one of flow matching, by its class, its prediction or its keys."""
    named = str(config.get("_class_name", "")).startswith("FlowMatch")
    shifted = "shift" in config and "beta_start" not in config
    return named or shifted or config.get("prediction_type") == "flow_prediction"


def _check_channels(family: Family, configs: Mapping[str, ComponentConfig], where: Where) -> None:
    """Refuse a denoiser that reads or writes other channels than the VAE's latents have."""
    denoiser = configs[family.denoiser]
    present, latent = family.latent_channels(denoiser), family.autoencoder.channels(configs["vae"])
    if present != latent:
        raise LepbenchError(
            f"{where(family.denoiser)} has in_channels {denoiser['in_channels']}, and latents of the VAE "
            f"have {latent} channels",
            OTHER_VAE if present < latent else OTHER_TASK,
        )
    made = denoiser.get("out_channels")
    if family.denoiser == "unet" and made not in (None, latent):
        raise LepbenchError(
            f"{where(family.denoiser)} has out_channels {made} for latents of {latent} channels",
            "use a text-to-image model",
        )


def _check_text(family: Family, configs: Mapping[str, ComponentConfig], where: Where) -> None:
    """Refuse text encoders of another width than the denoiser reads."""
    blank = family.blank(configs[family.denoiser])
    for name, width in family.text_widths(configs).items():
        wanted = blank[name].shape[-1]
        if width != wanted:
            raise LepbenchError(
                f"{where(family.denoiser)} reads {name} of width {wanted}, its text encoders give {width}",
                "use the text encoders it was trained with",
            )
