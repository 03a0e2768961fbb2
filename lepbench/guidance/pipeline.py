"""Sketch guidance for a loaded diffusers pipeline, which is left unchanged."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.family import choose_classes
from lepbench.backbones.identify import choose_family, find_pipeline, read_index
from lepbench.backbones.load import choose_device, find_weight_files, require_quantiser
from lepbench.backbones.resolve import is_local
from lepbench.config import parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance.diffusers_backbone import (
    DiffusersBackbone,
    freeze_networks,
    has_hooks,
    place_predictor,
    require_weights,
    run_in_full,
    wrap_pipeline,
)
from lepbench.guidance.execution import Execution
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.guidance.importance import pool_weights
from lepbench.guidance.negatives import read_negatives
from lepbench.guidance.notes import describe_cut
from lepbench.guidance.picture_size import describe_far_size
from lepbench.guidance.sampler import Generators, sample
from lepbench.guidance.schedulers import require_steerable, set_timesteps
from lepbench.guidance.settings import SamplerSettings
from lepbench.guidance.sketch_like import SketchLike, read_strokes
from lepbench.guidance.steering import SketchGuidance
from lepbench.images import to_pixels
from lepbench.predictors.base import Predictor
from lepbench.quiet import silence_libraries
from lepbench.seeds import make_generator, read_seed


@dataclass(frozen=True)
class SketchGuidedOutput:
    """Output of `SketchGuidedPipeline`.

    Attributes:
        images: in the format `output_type`.
        sketches: the detected strokes, bool [B, H, W]; None without a sketch.
        notes: what a reader of the images should know, a line each: the pipeline's safety checker is not run,
            a prompt is cut at the text encoders' limit, the VAE is a smaller one.
    """

    images: Any
    sketches: NDArray[np.bool_] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SketchGuidedPipeline:
    """Text-to-image pipeline guided by a sketch; built by `from_pipe` or `from_pretrained`.

    Attributes:
        pipe: the pipeline of diffusers whose components are used.
        predictor: predicts edges from the denoiser's activations.
        prepared: the components prepared by `execution`; None without options.
    """

    pipe: Any
    predictor: Predictor
    prepared: Backbone | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.predictor, Predictor):
            raise LepbenchError(
                f"{self.predictor!r} is no loaded predictor",
                "write SketchGuidedPipeline.from_pipe(pipe, predictor)",
            )

    @staticmethod
    def from_pipe(
        pipe: Any, predictor: str | Path | Predictor, execution: Execution | None = None
    ) -> SketchGuidedPipeline:
        """Wrap a loaded pipeline.

        Args:
            pipe: a `StableDiffusionPipeline`, or another of a family that `Backbone` knows.
            predictor: an embedded name, a folder, a hub id, or a loaded one, trained on this denoiser; a
                loaded one on another device is copied.
            execution: options that save time or memory.

        Raises:
            LepbenchError: pipeline or denoiser is not supported, the predictor does not fit, or a denoiser
                to be prepared is offloaded.
        """
        backbone = wrap_pipeline(pipe)
        require_weights(backbone)
        if isinstance(predictor, Predictor):
            predictor.require_fit(backbone)
        else:
            predictor = Predictor.from_pretrained(predictor, backbone)
        return SketchGuidedPipeline(
            pipe, place_predictor(predictor, backbone.device), _prepared(backbone, execution or Execution())
        )

    @staticmethod
    def from_pretrained(
        id_or_path: str | Path = "mini@1",
        predictor: str | Path | Predictor = "lep-mini@1",
        *,
        device: str | torch.device = "auto",
        execution: Execution | None = None,
        **options: Any,
    ) -> SketchGuidedPipeline:
        """Load a pipeline of diffusers and wrap it; `pipe` of the result is the pipeline itself.

        Args:
            id_or_path: an embedded name (`mini@1`), a folder, or a hub id.
            predictor, execution: as in `from_pipe`.
            device: a torch device, or "auto" for a GPU if there is one.
            options: of `DiffusionPipeline.from_pretrained`: `torch_dtype`, `variant` ...

        Raises:
            LepbenchError: it cannot be found or loaded, or see `from_pipe`.
        """
        from diffusers import DiffusionPipeline

        found, given = str(id_or_path), {"use_safetensors": True, **options}
        if is_local(id_or_path):
            folder, variant = _find_readable(id_or_path, options)
            found, given = str(folder), {"variant": variant, **given}
        try:
            with silence_libraries():
                pipe = DiffusionPipeline.from_pretrained(found, **given)
        except (
            AttributeError,
            ImportError,
            LookupError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise LepbenchError(
                f"the pipeline {str(id_or_path)!r} cannot be loaded: {error}",
                "check its name and the options",
            ) from error
        pipe.set_progress_bar_config(disable=True)
        require_weights(wrap_pipeline(pipe))  # What has no values cannot be moved.
        return SketchGuidedPipeline.from_pipe(pipe.to(choose_device(device)), predictor, execution)

    def to(self, *where: Any, **options: Any) -> SketchGuidedPipeline:
        """Move the pipeline, as its own `to` does; the predictor follows at the next call."""
        self.pipe.to(*where, **options)
        return self

    @property
    def backbone(self) -> DiffusersBackbone:
        """The components as a backbone, on their present device; no weight is copied.

        Raises:
            LepbenchError: the pipeline was moved after `execution` prepared it.
        """
        backbone = wrap_pipeline(self.pipe)
        if self.prepared is None:
            return backbone
        if backbone.device != self.prepared.device:
            raise LepbenchError(
                f"the pipeline was wrapped on {self.prepared.device} and is on {backbone.device} now",
                "call from_pipe again",
            )
        denoiser = self.prepared.denoiser
        return dataclasses.replace(backbone, denoiser=denoiser, dtype=denoiser.dtype)

    @torch.inference_mode(False)
    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str],
        sketch: SketchLike | Sequence[SketchLike] | None = None,
        *,
        negative_prompt: str | Sequence[str] | None = None,
        num_images_per_prompt: int = 1,
        guidance_scale: float | None = None,
        sketch_scale: float = 1.6,
        stop: float = 0.5,
        guidance_schedule: GuidanceSchedule | None = None,
        weights: NDArray[np.floating] | Tensor | None = None,
        num_inference_steps: int | None = None,
        height: int | None = None,
        width: int | None = None,
        generator: Generators = None,
        seed: int | Sequence[int] | None = None,
        latents: Tensor | None = None,
        thin: bool = True,
        output_type: Literal["pil", "np", "pt", "latent"] = "pil",
    ) -> SketchGuidedOutput:
        """Generate images with the pipeline's own scheduler.

        Without a sketch, or with `sketch_scale` 0, the images are those of the pipeline itself. Its safety
        checker and watermark are not run.

        Args:
            sketch: one for all prompts, or one each; black on white or white on black. At another size than
                the image's it is fitted without losing a stroke.
            negative_prompt: one for all prompts or one each, as in diffusers: an empty text is encoded, where
                None stands for the family's unconditional embeddings. Needs classifier-free guidance.
            num_images_per_prompt: images per prompt; those of a prompt are consecutive.
            guidance_scale: classifier-free guidance scale (Qwen-Image: `true_cfg_scale`); the pipeline's own
                default unless given. Where guidance is distilled (Flux dev, latent consistency models), the
                scale the network is given.
            sketch_scale: sketch guidance scale, the paper's beta.
            stop: guide while t > stop x T_train.
            guidance_schedule: schedule of the guidance updates over the steps.
            weights: float [H, W], or [P, H, W] for P prompts, from 0 up, how much the sketch matters at each
                pixel.
            num_inference_steps: the pipeline's own default unless given.
            height, width: of the images in pixels; the training size unless given.
            generator: one, or one per image; the device's global one unless given, as in diffusers.
            seed: of the first picture's noise, the next one's being one more, or one a picture; no picture
                then depends on the others.
            latents: noise `[B, C, h, w]`, sampled unless given.
            thin: redraw strokes as wide as a latent pixel as thin lines; False keeps their width.
            output_type: "pil" images, "np" [B, H, W, 3] or "pt" [B, 3, H, W] in [0, 1], or "latent".

        Raises:
            LepbenchError: an unsupported size, a sketch without strokes, counts that disagree, a
                scheduler that may lose a guidance update (`require_steerable`), images that are not finite.
        """
        backbone = self.backbone
        require_weights(backbone)
        predictor = place_predictor(self.predictor, backbone.device)
        prompts = _read_prompts(prompt)
        size = backbone.choose_size(height, width)
        latent = backbone.latent_shape(size)
        for note in describe_far_size(backbone, size):
            warnings.warn(note, stacklevel=3)
        source = choose_generators(generator, seed, len(prompts) * num_images_per_prompt, backbone.device)
        each = num_images_per_prompt
        negatives = None if negative_prompt is None else read_negatives(negative_prompt, len(prompts))
        settings = self._settings(backbone, num_inference_steps, guidance_scale, negatives is not None)
        with self._at_rest_after(backbone, predictor):
            strokes, guidance = None, None
            if sketch is not None and sketch_scale > 0:
                require_steerable(self.pipe.scheduler)
                strokes = read_strokes(sketch, len(prompts), size, backbone.vae_factor if thin else None)
                target, mattering = _encoded(backbone, strokes, weights, each)
                guidance = SketchGuidance(
                    predictor,
                    target,
                    scale=sketch_scale,
                    stop=stop,
                    weights=mattering,
                    schedule=guidance_schedule or GuidanceSchedule(),
                )
                strokes = np.repeat(strokes, each, axis=0)
            captions = _repeated(prompts, each)
            noise = (
                draw_noise(source, (len(captions), *latent), backbone.device) if latents is None else latents
            )
            scheduler = self._scheduler(backbone, settings.steps, latent[1:])
            drawn = sample(
                backbone,
                captions,
                noise,
                settings,
                guidance=guidance,
                generators=source,
                scheduler=scheduler,
                negatives=None if negatives is None else _repeated(negatives, each),
            ).latents
            with run_in_full(backbone.vae):
                images = drawn if output_type == "latent" else backbone.decode_latents(drawn)
        cut = describe_cut(backbone, prompts) + describe_cut(backbone, negatives or (), "negative prompt")
        notes = (*backbone.notes, *cut)
        return SketchGuidedOutput(_as(images, output_type), strokes, notes)

    def _settings(
        self, backbone: Backbone, steps: int | None, scale: float | None, negative: bool
    ) -> SamplerSettings:
        """Sampler settings; None selects what the pipeline's own call does.

        Args:
            negative: whether there is a negative prompt.
        """
        usual, family = inspect.signature(type(self.pipe).__call__).parameters, backbone.family
        steps = usual["num_inference_steps"].default if steps is None else steps
        if scale is None and family.needs_negative and not negative:
            scale = family.unguided
        scale = usual[family.scale_name].default if scale is None else scale
        scale = scale if backbone.takes_scale else max(scale, family.unguided)
        return parse_config({"steps": steps, "guidance_scale": scale}, SamplerSettings, "")

    @contextmanager
    def _at_rest_after(self, backbone: Backbone, predictor: Predictor) -> Iterator[None]:
        """Context with all networks frozen; at its end offloaded ones are offloaded again."""
        networks = [backbone.denoiser, backbone.vae, predictor, *backbone.text.encoders.values()]
        try:
            with freeze_networks(networks):
                yield
        finally:
            self.pipe.maybe_free_model_hooks()

    def _scheduler(self, backbone: Backbone, steps: int, latent: tuple[int, int]) -> Any:
        """A copy of the pipeline's scheduler, its timesteps set.

        A new one of its config would lose what was set on it later, as by `set_shift` or by the pipeline.
        """
        scheduler = copy.deepcopy(self.pipe.scheduler)
        set_timesteps(scheduler, backbone, steps, latent)
        return scheduler


def _find_readable(name: str | Path, options: Mapping[str, Any]) -> tuple[Path, str | None]:
    """The folder of a local pipeline, and the variant of its weights: half precision if some have no other.

    Raises:
        LepbenchError: it is none, of no family, or its weights are of a kind that is neither read nor asked
            for, or quantised by a package that is not installed.
    """
    folder = find_pipeline(name, [])
    index = read_index(folder)
    parts = choose_classes(choose_family(index.get("_class_name")), index)
    if {"variant", "use_safetensors"} & set(options):
        return folder, None
    variants = set()
    for part, kind in parts.items():
        if part not in options:
            variants.add(find_weight_files(folder / part, kind)[0])
            require_quantiser(folder / part)
    return folder, max(variants, default="").lstrip(".") or None


def _prepared(backbone: Backbone, execution: Execution) -> Backbone | None:
    """The backbone prepared by `execution`; None without options."""
    if execution == Execution():
        return None
    if backbone.denoiser.device != backbone.device:
        raise LepbenchError(
            f"the denoiser is on {backbone.denoiser.device} and runs on {backbone.device}",
            "prepare no execution for a pipeline that is offloaded",
        )
    if has_hooks(backbone.denoiser):
        raise LepbenchError(
            "hooks cast or move the denoiser's weights", "prepare no execution for such a pipeline"
        )
    return execution.prepare(backbone)


def choose_generators(
    generator: Any, seed: int | Sequence[int] | None, count: int, device: torch.device
) -> Generators:
    """What `count` pictures are drawn from: what is given, or the device's own generator.

    Raises:
        LepbenchError: both are given, a generator is none, or there is not one seed a picture.
    """
    if seed is None:
        given = generator if isinstance(generator, list | tuple) else [generator]
        if any(isinstance(one, int | np.integer) for one in given):
            raise LepbenchError(f"generator={generator} is a number", f"write seed={generator}")
        if generator is not None and not all(isinstance(one, torch.Generator) for one in given):
            raise LepbenchError(
                f"generator is a {type(generator).__name__}", "give a torch.Generator, or seed="
            )
        chosen: Generators = find_default_generator(device) if generator is None else generator
        return chosen
    if generator is not None:
        raise LepbenchError("both seed and generator are given", "give one of them")
    if isinstance(seed, int | np.integer):
        seeds = [read_seed(seed + number) for number in range(count)]
    else:
        seeds = [read_seed(one) for one in seed] if isinstance(seed, Iterable) else [read_seed(seed)]
    if len(seeds) != count:
        raise LepbenchError(f"{len(seeds)} seeds for {count} pictures", "give one, or one a picture")
    return [make_generator(one) for one in seeds]


def find_default_generator(device: torch.device) -> torch.Generator | None:
    """The default generator of a device; None if torch does not expose it."""
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator if device.type == "cpu" else None


def draw_noise(source: Generators, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Standard normal float32 as in diffusers; with None, from the device's own generator.

    Raises:
        LepbenchError: there are generators, but not one a sample.
    """
    from diffusers.utils.torch_utils import randn_tensor

    sources = list(source) if isinstance(source, Sequence) else source
    if isinstance(sources, list) and len(sources) != shape[0]:
        raise LepbenchError(
            f"{len(sources)} generators for {shape[0]} pictures", "give one, or one a picture"
        )
    noise: Tensor = randn_tensor(shape, generator=sources, device=device, dtype=torch.float32)
    return noise


def _encoded(
    backbone: Backbone, strokes: NDArray[np.bool_], weights: Any, each: int
) -> tuple[Tensor, Tensor | None]:
    """Encoded strokes and latent weights, each sketch repeated `each` times."""
    with run_in_full(backbone.vae):
        target = backbone.encode_edges(torch.from_numpy(strokes)).repeat_interleave(each, 0)
    if weights is None:
        return target, None
    mattering = _weights_for(weights, strokes.shape, (target.shape[2], target.shape[3]))
    return target, mattering.repeat_interleave(each, 0)


def _read_prompts(prompt: str | Sequence[str]) -> list[str]:
    """The prompts of one text or several.

    Raises:
        LepbenchError: there is none, or one is no text.
    """
    texts = [prompt] if isinstance(prompt, str) or not isinstance(prompt, Iterable) else list(prompt)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise LepbenchError(f"{prompt!r} is no prompt", "give a text, or a list of texts")
    return texts


def _repeated(texts: Sequence[str], each: int) -> list[str]:
    """Every text repeated `each` times."""
    return [text for text in texts for _ in range(each)]


def _weights_for(weights: Any, pixels: tuple[int, ...], latent: tuple[int, int]) -> Tensor:
    given = torch.as_tensor(weights)
    if given.shape not in (torch.Size(pixels), torch.Size(pixels[1:])):
        raise LepbenchError(
            f"weights of shape {tuple(given.shape)} for sketches {pixels}", "give one weight a pixel"
        )
    return pool_weights(given.expand(pixels), latent)


def _as(images: Tensor, output_type: str) -> Any:
    if output_type == "pil":
        return [Image.fromarray(pixels) for pixels in to_pixels(images)]
    return images.movedim(1, -1).cpu().numpy() if output_type == "np" else images
