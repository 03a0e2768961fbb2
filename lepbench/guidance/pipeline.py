"""Sketch guidance for a loaded diffusers pipeline, which is left unchanged."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
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
from lepbench.backbones.load import choose_device
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
from lepbench.guidance.encoded_sketch import encode_strokes
from lepbench.guidance.execution import Execution
from lepbench.guidance.generators import Generators, choose_generators, draw_noise
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.guidance.notes import describe_cut
from lepbench.guidance.picture_size import describe_far_size
from lepbench.guidance.pipeline_settings import choose_settings, copy_scheduler
from lepbench.guidance.pretrained import load_pipeline
from lepbench.guidance.prompts import read_negatives, read_prompts, repeat_texts
from lepbench.guidance.sampler import sample
from lepbench.guidance.schedulers import require_steerable
from lepbench.guidance.sketch_like import SketchLike, read_strokes
from lepbench.guidance.steering import SketchGuidance
from lepbench.images import to_pixels
from lepbench.predictors.base import Predictor


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
            predictor: as in `from_pipe`.
            execution: as in `from_pipe`.
            device: a torch device, or "auto" for a GPU if there is one.
            options: of `DiffusionPipeline.from_pretrained`: `torch_dtype`, `variant` ...

        Raises:
            LepbenchError: it cannot be found or loaded, or see `from_pipe`.
        """
        pipe = load_pipeline(id_or_path, options)
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
            height: of the images in pixels; that of the training unless given.
            width: likewise.
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
        prompts = read_prompts(prompt)
        size = backbone.choose_size(height, width)
        latent = backbone.latent_shape(size)
        for note in describe_far_size(backbone, size):
            warnings.warn(note, stacklevel=3)
        source = choose_generators(generator, seed, len(prompts) * num_images_per_prompt, backbone.device)
        each = num_images_per_prompt
        negatives = None if negative_prompt is None else read_negatives(negative_prompt, len(prompts))
        settings = choose_settings(
            self.pipe, backbone, num_inference_steps, guidance_scale, negative=negatives is not None
        )
        with self._at_rest_after(backbone, predictor):
            strokes, guidance = None, None
            if sketch is not None and sketch_scale > 0:
                require_steerable(self.pipe.scheduler)
                strokes = read_strokes(sketch, len(prompts), size, backbone.vae_factor if thin else None)
                target, mattering = encode_strokes(backbone, strokes, weights, each)
                guidance = SketchGuidance(
                    predictor,
                    target,
                    scale=sketch_scale,
                    stop=stop,
                    weights=mattering,
                    schedule=guidance_schedule or GuidanceSchedule(),
                )
                strokes = np.repeat(strokes, each, axis=0)
            drawn = sample(
                backbone,
                repeat_texts(prompts, each),
                draw_noise(source, (len(prompts) * each, *latent), backbone.device)
                if latents is None
                else latents,
                settings,
                guidance=guidance,
                generators=source,
                scheduler=copy_scheduler(self.pipe, backbone, settings.steps, latent[1:]),
                negatives=None if negatives is None else repeat_texts(negatives, each),
            ).latents
            with run_in_full(backbone.vae):
                images = drawn if output_type == "latent" else backbone.decode_latents(drawn)
        cut = describe_cut(backbone, prompts) + describe_cut(backbone, negatives or (), "negative prompt")
        notes = (*backbone.notes, *cut)
        return SketchGuidedOutput(_as(images, output_type), strokes, notes)

    @contextmanager
    def _at_rest_after(self, backbone: Backbone, predictor: Predictor) -> Iterator[None]:
        """Context with all networks frozen; at its end offloaded ones are offloaded again."""
        networks = [backbone.denoiser, backbone.vae, predictor, *backbone.text.encoders.values()]
        try:
            with freeze_networks(networks):
                yield
        finally:
            self.pipe.maybe_free_model_hooks()


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


def _as(images: Tensor, output_type: str) -> Any:
    if output_type == "pil":
        return [Image.fromarray(pixels) for pixels in to_pixels(images)]
    return images.movedim(1, -1).cpu().numpy() if output_type == "np" else images
