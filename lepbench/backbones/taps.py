"""Where a U-Net is tapped, and the tapping itself: forward hooks that never outlive their block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lepbench.errors import LepbenchError

_STEP = re.compile(r"(\w+)((?:\[-?\d+\])*)")


@dataclass(frozen=True)
class TapSpec:
    """The tapped positions of one U-Net layout.

    Attributes:
        name: the layout's short name.
        down_block_types, layers_per_block: the keys of a U-Net's config that tell the layout.
        positions: module paths such as `down_blocks[1].attentions[-1]`, in the order they are concatenated.
    """

    name: str
    down_block_types: tuple[str, ...]
    layers_per_block: int
    positions: tuple[str, ...]


_MIDDLE = ("mid_block.resnets[0]", "mid_block.attentions[0]", "mid_block.resnets[1]")

LAYOUTS = (
    TapSpec(
        "mini",
        ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        1,
        (
            "down_blocks[0].resnets[-1]",
            "down_blocks[1].attentions[-1]",
            "down_blocks[2].attentions[-1]",
            *_MIDDLE,
            "up_blocks[0]",
            "up_blocks[1].attentions[-1]",
            "up_blocks[2].resnets[-1]",
        ),
    ),
    # LDM's input blocks 2, 4, 8, its middle block 0 to 2 and its output blocks 2, 4, 8. Blocks named whole
    # are read after their upsampler; the others before any resampling. SD 2.x shares the layout.
    TapSpec(
        "sd1",
        ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        2,
        (
            "down_blocks[0].attentions[1]",
            "down_blocks[1].attentions[0]",
            "down_blocks[2].attentions[1]",
            *_MIDDLE,
            "up_blocks[0]",
            "up_blocks[1].attentions[1]",
            "up_blocks[2]",
        ),
    ),
)


def taps_of(config: Mapping[str, Any]) -> TapSpec:
    """The tapped positions for a U-Net with this config.

    Raises:
        LepbenchError: no layout here matches.
    """
    blocks, layers = tuple(config["down_block_types"]), config["layers_per_block"]
    for layout in LAYOUTS:
        if (layout.down_block_types, layout.layers_per_block) == (blocks, layers):
            return layout
    known = ", ".join(layout.name for layout in LAYOUTS)
    raise LepbenchError(
        f"no taps are known for a U-Net of {layers} layers in each of {', '.join(blocks)}",
        f"use a backbone laid out as one of: {known}",
    )


def module_at(root: nn.Module, path: str) -> nn.Module:
    """The module at a dotted and indexed path; indices may be negative.

    Raises:
        LepbenchError: there is none; the message names the path and the part that fails.
    """
    module: Any = root
    for part in path.split("."):
        parsed = _STEP.fullmatch(part)
        try:
            if parsed is None:
                raise AttributeError
            module = getattr(module, parsed[1])
            for index in re.findall(r"-?\d+", parsed[2]):
                module = module[int(index)]
        except (AttributeError, IndexError, TypeError):
            raise LepbenchError(f"no tap {path!r} in this U-Net: {part!r} does not exist") from None
    if not isinstance(module, nn.Module):
        raise LepbenchError(f"tap {path!r} is not a module of this U-Net")
    return module


@contextmanager
def tapped(unet: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of the named modules while the block runs.

    Yields:
        A dict from name to the output `[B, channels, h, w]` of the latest forward pass, in the graph if one
        is being recorded; of a module that returns a tuple, its first member. Empty before the first pass.

    Raises:
        LepbenchError: a name leads nowhere; no hook is left behind then either.
    """
    modules = {name: module_at(unet, name) for name in names}
    outputs: dict[str, Tensor] = {}
    handles = [module.register_forward_hook(_keeper(outputs, name)) for name, module in modules.items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _keeper(outputs: dict[str, Tensor], name: str) -> Any:
    """A forward hook that files a module's output under `name`."""

    def keep(module: nn.Module, inputs: Any, output: Any) -> None:
        outputs[name] = output[0] if isinstance(output, tuple) else output

    return keep
