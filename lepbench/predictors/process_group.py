"""Several processes at one training run: one trains, and all read the frozen backbone for it."""

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
"""How long the others wait while the main process encodes the data."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a run. Each reads the backbone on its share of every batch; the main one gets it all.

    The backbone is the work, and takes no gradient, so its features are gathered rather than gradients
    shared: the main process sees the whole batch, as one process would, and so do its norms and its loss.

    Attributes:
        rank: this process's number; 0 leads.
        size: how many there are.
        state: accelerate's account of them; None where one process is alone.
    """

    rank: int = 0
    size: int = 1
    state: Any = None

    @property
    def is_main(self) -> bool:
        """Whether this process trains and writes."""
        return self.rank == 0

    def main_first(self) -> AbstractContextManager[Any]:
        """A block that the others enter when the main process has left it."""
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
                f"a batch of {batch} for {self.size} processes", "choose a 'batch' that they share evenly"
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
        """The main process's number."""
        if self.size == 1:
            return number
        numbers = torch.tensor([number], device=self.state.device)
        torch.distributed.broadcast(numbers, 0)
        return int(numbers)

    def leave(self) -> None:
        """Part from the others, when nothing more is to be said."""
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
