"""A loaded diffusers pipeline as a backbone; its components are shared and left unchanged."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from lepbench.backbones.assemble import assemble_backbone
from lepbench.backbones.backbone import Backbone
from lepbench.backbones.checks import SCHEDULER, check_pipeline
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import Family, choose_class, list_accepted
from lepbench.backbones.identify import choose_family
from lepbench.backbones.load import list_class_names, read_config
from lepbench.errors import LepbenchError
from lepbench.predictors.base import Predictor


@dataclass(frozen=True, eq=False)
class DiffusersBackbone(Backbone):
    """The components of a pipeline, whose weights may be offloaded or cast by hooks.

    Nothing runs in inference mode: weights that a hook loads or casts in it cannot be part of a graph later.
    """

    def predict(self, latents: Tensor, timesteps: Tensor | int | float, conditioning: Conditioning) -> Tensor:
        """As `Backbone.predict`."""
        with torch.no_grad():
            return self._run(latents, timesteps, conditioning).to(latents.dtype)

    def read(
        self,
        latents: Tensor,
        timesteps: Tensor | int | float,
        conditioning: Conditioning,
        positions: Sequence[str],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As `Backbone.read`; the graph keeps the weights as they were used."""
        with self._keep_weights():
            return super().read(latents, timesteps, conditioning, positions)

    def features(
        self,
        latents: Tensor,
        timesteps: Tensor | int | float,
        conditioning: Conditioning,
        positions: Sequence[str],
    ) -> dict[str, Tensor]:
        """As `Backbone.features`; the graph keeps the weights as they were used."""
        with self._keep_weights():
            return super().features(latents, timesteps, conditioning, positions)

    def _keep_weights(self) -> AbstractContextManager[Any]:
        """Context in which the graph is not affected by hooks that replace a weight's data after its use."""
        return saved_tensors_hooks(Tensor.detach, _pass_on) if self.is_hooked else nullcontext()

    @cached_property
    def is_hooked(self) -> bool:
        """Whether hooks of diffusers cast or move the denoiser's weights."""
        return has_hooks(self.denoiser)


def _pass_on(tensor: Tensor) -> Tensor:
    return tensor


def has_hooks(network: nn.Module) -> bool:
    """Whether a network has hooks of diffusers, such as layerwise casting and group offloading."""
    return any(hasattr(module, "_diffusers_hook") for module in network.modules())


def wrap_pipeline(pipe: Any) -> DiffusersBackbone:
    """A loaded pipeline's components as a backbone, shared and not changed.

    Raises:
        LepbenchError: the pipeline's class or denoiser is of no known kind, a component is missing, or it
            asks for an input that is not given (`checks.NEEDS`).
    """
    if isinstance(pipe, str | Path):
        raise LepbenchError(
            f"{str(pipe)!r} is no loaded pipeline", "write SketchGuidedPipeline.from_pretrained(...)"
        )
    family = choose_family(type(pipe).__name__)
    components = _read_components(pipe, family)
    configs = {part: read_config(network) for part, network in components.items()}
    configs[SCHEDULER] = read_schedule(pipe.scheduler)
    check_pipeline(family, configs, lambda part: f"the pipeline's {part}")
    name = getattr(pipe, "name_or_path", None)
    denoiser = components[family.denoiser]
    return assemble_backbone(
        DiffusersBackbone,
        name=str(name or type(pipe).__name__),
        folder=Path(str(name or ".")),
        family=family,
        components=components,
        tokenizers=_read_parts(pipe, family, family.tokenizers),
        index=dict(pipe.config),
        scheduler=configs[SCHEDULER],
        # An offloaded pipeline runs on another device than that of its weights.
        device=pipe._execution_device,
        dtype=denoiser.dtype,
    )


def read_schedule(scheduler: Any) -> dict[str, Any]:
    """The config of a loaded scheduler, as it would be saved.

    Without the note of diffusers on which values are defaults: a pipeline may have replaced them.
    """
    config = {key: value for key, value in scheduler.config.items() if key != "_use_default_values"}
    return {**config, "_class_name": type(scheduler).__name__}


def _read_parts(pipe: Any, family: Family, names: Mapping[str, str]) -> dict[str, Any]:
    """The parts of a pipeline by name, without optional ones that are None.

    Raises:
        LepbenchError: one that is not optional is None.
    """
    found = {name: getattr(pipe, name, None) for name in names}
    lost = next((name for name, part in found.items() if part is None and name not in family.optional), None)
    if lost is not None:
        raise LepbenchError(f"the pipeline has no {lost}", "load it with all its components")
    return {name: part for name, part in found.items() if part is not None}


def _read_components(pipe: Any, family: Family) -> dict[str, Any]:
    """The networks of a pipeline.

    Raises:
        LepbenchError: one is missing, of a class that is not read here, or skips steps by a cache.
    """
    components = _read_parts(pipe, family, family.components)
    _read_parts(pipe, family, {SCHEDULER: ""})
    for part, network in components.items():
        kind, names = family.components[part], list_class_names(network)
        if not set(names) & set(list_accepted(kind)):
            choose_class(part, kind, names[0])
    if getattr(components[family.denoiser], "is_cache_enabled", False):
        raise LepbenchError(
            f"the pipeline's {family.denoiser} skips passes by a cache", "call its disable_cache() first"
        )
    return components


def require_weights(backbone: Backbone) -> None:
    """Check that the networks have all their weights, and that a gradient can pass by them.

    Raises:
        LepbenchError: some are on the meta device, and no hook brings them, or are inference tensors.
    """
    parts = {backbone.family.denoiser: backbone.denoiser, "vae": backbone.vae, **backbone.text.encoders}
    for part, network in parts.items():
        for prefix, module in network.named_modules():
            for name, weight in module.named_parameters(prefix, recurse=False):
                if weight.is_meta and not hasattr(module, "_hf_hook"):
                    raise LepbenchError(
                        f"the pipeline's {part} has no values for its weight {name!r}",
                        "load it with all its weights, not on the meta device",
                    )
                if weight.is_inference():
                    raise LepbenchError(
                        f"the weights of the pipeline's {part} are inference tensors, which take no gradient",
                        "load the pipeline outside of torch.inference_mode(), and do not run it there",
                    )


def place_predictor(predictor: Predictor, device: torch.device) -> Predictor:
    """The predictor itself if it is on that device, or else a copy there."""
    if all(parameter.device == device for parameter in predictor.parameters()):
        return predictor
    return copy.deepcopy(predictor).to(device)


@contextmanager
def freeze_networks(networks: Sequence[nn.Module]) -> Iterator[None]:
    """Context in which networks are in eval mode and no parameter requires a gradient.

    At its end every module and parameter is put back by itself: where one fails, the others are.
    """
    with ExitStack() as stack:
        for module in chain.from_iterable(network.modules() for network in networks):
            stack.callback(setattr, module, "training", module.training)
            for name, parameter in module.named_parameters(recurse=False):
                wanted, dtype = parameter.requires_grad, parameter.dtype
                stack.callback(_restore_weight, module, name, wanted=wanted, dtype=dtype)
        for network in networks:
            network.requires_grad_(False).eval()
        yield


def _restore_weight(module: nn.Module, name: str, wanted: bool, dtype: torch.dtype) -> None:
    """Set whether a parameter requires a gradient, and the dtype that a hook did not come to set back.

    It is looked up by name: hooks may have replaced it.
    """
    parameter = module._parameters.get(name)
    if parameter is None:
        return
    if parameter.dtype != dtype:
        parameter.data = parameter.data.to(dtype)
    if parameter.requires_grad != wanted:
        parameter.requires_grad_(wanted)


@contextmanager
def run_in_full(vae: Any) -> Iterator[None]:
    """Context in which a VAE with `force_upcast` runs in float32.

    Nothing is lost on the way there and back, and no second copy is kept. A VAE that hooks cast runs in their
    precision, as in its pipeline.
    """
    if vae.dtype != torch.float16 or not vae.config.get("force_upcast") or has_hooks(vae):
        yield
        return
    with ExitStack() as stack:
        for module in vae.modules():
            for name, tensor in chain(module._parameters.items(), module._buffers.items()):
                if tensor is not None:
                    stack.callback(_restore_dtype, module, name, tensor.dtype)
        vae.to(torch.float32)
        yield


def _restore_dtype(module: nn.Module, name: str, dtype: torch.dtype) -> None:
    tensor = getattr(module, name)
    tensor.data = tensor.data.to(dtype)
