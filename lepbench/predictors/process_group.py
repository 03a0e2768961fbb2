"""Training with several processes: all run the frozen backbone, the main process trains."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.load import choose_device
from lepbench.errors import LepbenchError

PATIENCE = timedelta(days=1)
"""Timeout of the other processes while the main process encodes the data."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a run. Each runs the backbone on its part of every batch; the main one gathers it.

    Most of the work is in the backbone, without gradient, so features are gathered rather than gradients
    reduced: the main process has the whole batch for its batch statistics and loss, like a single process.

    Attributes:
        rank: this process's number; 0 is the main process.
        size: number of processes.
        state: accelerate's `PartialState`; None for a single process.
    """

    rank: int = 0
    size: int = 1
    state: Any = None

    @property
    def is_main(self) -> bool:
        """Whether this process trains and writes."""
        return self.rank == 0

    def main_first(self) -> AbstractContextManager[Any]:
        """A context that the other processes enter after the main process has left it."""
        block: AbstractContextManager[Any] = (
            nullcontext() if self.state is None else self.state.main_process_first()
        )
        return block

    def share(self, batch: int) -> slice:
        """This process's part of a batch.

        Raises:
            LepbenchError: the batch cannot be shared out evenly.
        """
        if batch % self.size:
            raise LepbenchError(
                f"{self.size} processes cannot share a batch of {batch} evenly", "choose another 'batch'"
            )
        part = batch // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def gather(self, tensor: Tensor) -> Tensor:
        """On the main process the parts `[b, ...]` of all, in order; on the others their own."""
        if self.size == 1:
            return tensor
        own = tensor.contiguous()
        parts = [torch.empty_like(own) for _ in range(self.size)] if self.is_main else None
        torch.distributed.gather(own, parts)
        return own if parts is None else torch.cat(parts)

    def broadcast(self, number: int) -> int:
        """The value of the main process."""
        if self.size == 1:
            return number
        numbers = torch.tensor([number], device=self.state.device)
        torch.distributed.broadcast(numbers, 0)
        return int(numbers)

    def leave(self) -> None:
        """Destroy the process group."""
        if self.state is not None:
            self.state.destroy_process_group()


ALONE = ProcessGroup()


def init(device: str) -> tuple[ProcessGroup, str]:
    """The process group that `accelerate launch` or `torchrun` started, if any, and this process's device."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE, device
    from accelerate import PartialState

    state = PartialState(cpu=choose_device(device).type == "cpu", timeout=PATIENCE)
    return ProcessGroup(state.process_index, state.num_processes, state), str(state.device)
