"""What a picture costs: passes of the denoiser, floating point operations, precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.load import find_quantisation, read_config


@dataclass
class Passes:
    """Passes of a denoiser: one is one sample through the network once.

    A step of classifier-free guidance is two passes a picture, whether its halves run in one batch or not.

    Attributes:
        plain: passes without a graph, those of the unconditional half among them.
        steered: passes in a graph, each followed by a backward pass.
    """

    plain: int = 0
    steered: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.plain + self.steered


@contextmanager
def count_passes(denoiser: nn.Module) -> Iterator[Passes]:
    """Context in which the passes of a denoiser are counted; nothing that is computed changes.

    Yields:
        The passes so far.
    """
    passes = Passes()

    def count(module: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        # A list of tensors for some, one a sample.
        latents = next(value for value in (*inputs, *options.values()) if isinstance(value, Tensor | list))
        if torch.is_grad_enabled() and latents[0].requires_grad:
            passes.steered += len(latents)
        else:
            passes.plain += len(latents)

    handle = denoiser.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield passes
    finally:
        handle.remove()


def count_flops(work: Callable[[], object]) -> int:
    """Floating point operations of convolutions, matrix products and attention while `work` runs.

    A product and a sum are two operations. `work` runs as it is but for compiled blocks, which run as they
    were before. Counting slows it down several times: run it once and discard its result.
    """
    counter = _FlopCounter()
    with torch.compiler.set_stance("force_eager"), counter:
        work()
    return counter.total


def count_pass_flops(backbone: Backbone, size: tuple[int, int]) -> int:
    """Floating point operations of one plain pass of one sample of `size` (height, width), px.

    Raises:
        LepbenchError: the backbone cannot draw that size.
    """
    latents = torch.zeros(1, *backbone.latent_shape(size), device=backbone.device)
    conditioning = backbone.encode_prompts([""])
    with torch.no_grad():
        return count_flops(lambda: backbone.read(latents, 1, conditioning, ()))


class Arithmetic(NamedTuple):
    """By what numbers a denoiser computes.

    Attributes:
        precision: of its weights and activations, as torch calls it: `float32`, `bfloat16` ...
        quantised: the method by which its weights are quantised; None if they are not.
        cached: whether a cache of diffusers skips parts of it, so that passes cost less than is counted.
    """

    precision: str
    quantised: str | None
    cached: bool


def describe_arithmetic(backbone: Backbone) -> Arithmetic:
    """By what numbers the backbone's denoiser computes."""
    denoiser = backbone.denoiser
    return Arithmetic(
        str(backbone.dtype).removeprefix("torch."),
        find_quantisation(read_config(denoiser)),
        bool(getattr(denoiser, "is_cache_enabled", False)),
    )


class _FlopCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the formulas of torch's own counter, whose hooks on modules refuse a leaf of a graph."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        formula: Any = _ON_CPU.get(func._overloadpacket) or flop_registry.get(func._overloadpacket)
        if formula is None and torch.is_inference_mode_enabled():
            # Here a composite operation arrives whole, and has a formula for its parts alone.
            with self:
                parts = func.decompose(*args, **options)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **options)
        if formula is not None:
            self.total += int(formula(*args, **options, out_val=result))
        return result


def _attention(query: Tensor, key: Tensor, value: Tensor, *rest: Any, **options: Any) -> Any:
    return sdpa_flop_count(query.shape, key.shape, value.shape)  # type: ignore[no-untyped-call]


def _attention_backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **options: Any
) -> Any:
    shapes = (part.shape for part in (grad, query, key, value))
    return sdpa_backward_flop_count(*shapes)  # type: ignore[no-untyped-call]


_ON_CPU = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
"""Formulas that torch has for the kernels of GPUs alone."""
