"""Training checkpoints: one safetensors file, with metadata as JSON in the header."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path
from lepbench.predictors.base import Predictor

NAME = "checkpoint.safetensors"


@dataclass
class TrainingState:
    """Progress of a run: the loss of every finished step."""

    losses: list[float]

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.losses)


def save_checkpoint(
    folder: Path,
    predictor: Predictor,
    optimiser: torch.optim.Optimizer,
    state: TrainingState,
    identity: dict[str, object],
) -> None:
    """Write weights, optimiser and losses in one atomic file, so that they cannot disagree."""
    from safetensors.torch import save_file

    tensors = {f"predictor.{name}": value for name, value in predictor.state_dict().items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in moments.items()}
    stored = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    header = {"run": json.dumps({"identity": identity, "losses": state.losses})}
    with atomic_path(folder / NAME) as partial:
        save_file(stored, partial, header)


def restore_checkpoint(
    folder: Path, predictor: Predictor, optimiser: torch.optim.Optimizer, identity: dict[str, object]
) -> TrainingState:
    """Load a checkpoint into `predictor` and `optimiser`, if the folder has one.

    Raises:
        LepbenchError: the folder holds a run of another configuration, or a damaged file.
    """
    path = folder / NAME
    if not path.exists():
        return TrainingState([])
    header, tensors = _read(path)
    if header["identity"] != identity:
        raise LepbenchError(f"{folder} holds a run of another configuration", "choose another --out")
    predictor.load_state_dict(_under("predictor.", tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _under("optimiser.", tensors).items():
        number, name = key.split(".", 1)
        moments.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return TrainingState(list(header["losses"]))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = parse_json(file.metadata()["run"], most=None)
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise LepbenchError(f"{path} cannot be read: {error}", "delete it to train from the start") from error


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
