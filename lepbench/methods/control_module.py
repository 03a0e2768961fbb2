"""The control module of a folder or hub id: found, checked against its backbone, and loaded."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from lepbench.backbones import Backbone
from lepbench.backbones.family import ComponentConfig
from lepbench.backbones.load import (
    VARIANTS,
    find_weight_files,
    list_component_files,
    list_weight_patterns,
    load_component,
    load_config,
    place_component,
    read_mapping,
)
from lepbench.backbones.resolve import find_model_folder
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.images import format_size
from lepbench.methods.control_kinds import ControlKind, choose_kind
from lepbench.methods.control_place import CONFIG, find_part

OTHER_CONTROL = "use a control module that was trained for this backbone, or the backbone it was trained for"


@dataclass(frozen=True, eq=False)
class ControlModule:
    """A loaded control module, frozen.

    Attributes:
        kind: the pipeline in which it controls its backbone.
        network: itself, on the backbone's device and of its precision.
        files: those it was loaded from, by their names in its folder.
    """

    kind: ControlKind
    network: nn.Module
    files: Mapping[str, Path]

    @property
    def config(self) -> ComponentConfig:
        """The network's config."""
        found: ComponentConfig = self.network.config  # type: ignore[assignment]
        return found

    @cached_property
    def files_sha256(self) -> dict[str, str]:
        """SHA-256 of its files, by their names in its folder; hashed once."""
        return {name: sha256_file(path) for name, path in self.files.items()}

    def require_channels(self, name: str, channels: int) -> None:
        """Check that it reads control pictures of so many channels.

        Raises:
            LepbenchError: it does not; the message calls it `name`.
        """
        wanted = 3 if self.kind.channels is None else int(self.config[self.kind.channels])
        if channels != wanted:
            raise LepbenchError(
                f"{name} reads control pictures of {wanted} channels, not {channels}",
                f"set channels: {wanted}",
            )

    def require_size(self, name: str, size: tuple[int, int]) -> None:
        """Check that it reads control pictures of `size` px, height and width.

        Raises:
            LepbenchError: it does not; the message calls it `name`.
        """
        multiple = int(getattr(self.network, "total_downscale_factor", 1))
        if size[0] % multiple or size[1] % multiple:
            raise LepbenchError(
                f"{name} cannot read a sketch of {format_size(size)} px",
                f"choose a suite whose sides are multiples of {multiple} px",
            )


def load_control(name: str, backbone: Backbone) -> ControlModule:
    """Load the control module called `name`, from safetensors only.

    Args:
        name: a folder with its `config.json`, or a hub id; of a whole control pipeline its module.

    Raises:
        LepbenchError: it cannot be found or fetched, a file is missing or damaged, or it does not fit the
            backbone.
    """
    part = find_part(name)
    folder = find_model_folder(name, [f"{part}/{CONFIG}".removeprefix("./")]) / part
    class_name = read_mapping(folder / CONFIG).get("_class_name")
    kind, class_path = choose_kind(str(class_name), backbone.family.name), f"diffusers.{class_name}"
    require_fit(name, load_config(folder, class_path), kind, backbone)
    folder = _fetch_weights(name, part, class_path) / part
    with warnings.catch_warnings():
        # Some modules of diffusers use classes that it deprecates itself.
        warnings.simplefilter("ignore", FutureWarning)
        network = load_component(folder, class_path, backbone.dtype)
    place_component(network, backbone.device, folder)
    files = {file: folder / file for file in list_component_files(folder, class_path)}
    return ControlModule(kind, network, files)


def _fetch_weights(name: str, part: str, class_path: str) -> Path:
    """The folder with the weights; half precision is downloaded only if there is no full precision."""
    for variant in VARIANTS:
        patterns = [path.removeprefix("./") for path in list_weight_patterns(part, class_path, variant)]
        folder = find_model_folder(name, patterns)
        try:
            find_weight_files(folder / part, class_path)
        except LepbenchError:
            continue
        break
    return folder


def require_fit(name: str, config: ComponentConfig, kind: ControlKind, backbone: Backbone) -> None:
    """Check that a module of a config controls a backbone in a kind of pipeline.

    Raises:
        LepbenchError: it does not; the message names the key of the config.
    """
    denoiser = backbone.denoiser.config
    layouts = {} if kind.layouts is None else {"adapter_type": kind.layouts(denoiser)}
    for key, values in {**kind.takes, **layouts}.items():
        if config.get(key) not in values:
            raise LepbenchError(f"{name} has {key} {config.get(key)!r}, not {values[0]!r}", OTHER_CONTROL)
    for key, other in kind.fits.items():
        given, wanted = _cut_alike(config.get(key), denoiser.get(other))
        if given is not None and given != wanted:
            raise LepbenchError(
                f"{name} has {key} {given}, and {backbone.name} has {other} {wanted}", OTHER_CONTROL
            )
    wanted = kind.latents * denoiser["in_channels"]
    if wanted and config["in_channels"] != wanted:
        raise LepbenchError(
            f"{name} has in_channels {config['in_channels']}, and would read {wanted} beside {backbone.name}",
            OTHER_CONTROL,
        )
    if kind.reduction is not None and kind.reduction(config) != backbone.vae_factor:
        raise LepbenchError(
            f"{name} has {kind.reduction(config)} px of its picture a latent, and {backbone.name} has "
            f"{backbone.vae_factor}",
            OTHER_CONTROL,
        )
    if not kind.shifted and backbone.scheduler.get("use_dynamic_shifting"):
        raise LepbenchError(
            f"the schedule of {backbone.name} shifts by the picture's size, and {kind.pipeline} does not",
            "use a backbone without use_dynamic_shifting in its scheduler's config",
        )


def _cut_alike(given: Any, wanted: Any) -> tuple[Any, Any]:
    """Both values; of lists as many entries as both have."""
    if not isinstance(given, list | tuple) or not isinstance(wanted, list | tuple):
        return given, wanted
    length = min(len(given), len(wanted))
    return list(given[:length]), list(wanted[:length])
