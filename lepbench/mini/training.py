"""The one training loop of the embedded models: resumable, logged, the same on CPU and GPU."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lepbench.config import Config
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, make_folder, write_text
from lepbench.mini.precision import Precision, choose_precision
from lepbench.quiet import Level, find_level
from lepbench.seeds import derive_seed, make_generator


class Fit(Config):
    """How a stage is fitted.

    Attributes:
        steps: optimiser steps in all.
        batch: samples a part.
        parts: parts a step, each from its own generator; processes share them out, and their number changes
            nothing but the order of a sum.
        learning_rate: peak of a linear warm-up and cosine decay to zero.
        ema: decay of the averaged weights that are kept.
        precision: arithmetic of the forward pass, see `choose_precision`; weights and losses stay float32.
    """

    steps: int
    batch: int
    parts: int = 1
    learning_rate: float
    weight_decay: float = 0.01
    warmup: int = 100
    ema: float = 0.999
    seed: int = 0
    precision: Precision = "bf16"
    log_every: int = 20
    checkpoint_every: int = 250


Losses = dict[str, Tensor]
Step = Callable[[torch.Generator], Losses]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def join_processes() -> tuple[int, int]:
    """This process's rank and the number of processes, joining those that torchrun started."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return int(os.environ.get("RANK", "0")), world


class Trainer:
    """Fits `model` so that `step(rng)["loss"]` falls; `folder` holds the state between runs.

    Each part of a step draws from a generator seeded by (seed, step, part): an interrupted fit goes on as if
    never stopped, and `torchrun --nproc-per-node N -m lepbench mini train STAGE` fits the same model faster.
    """

    def __init__(self, model: nn.Module, step: Step, fit: Fit, folder: Path) -> None:
        self.model, self.step, self.fit = model, step, fit
        self.folder = make_folder(folder)
        self.optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=fit.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=fit.weight_decay,
            fused=True,
        )
        self.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self.arithmetic = choose_precision(fit.precision, next(model.parameters()).device)
        self.done = 0
        self.rank, self.world = join_processes()
        if fit.parts % self.world:
            raise LepbenchError(
                f"{self.world} processes cannot share the {fit.parts} parts of a step evenly",
                "start another number of processes",
            )

    def run(self, title: str) -> None:
        """Fit from wherever the folder's checkpoint stands, then load the averaged weights into the model."""
        self._resume()
        self.model.train()
        started, first = time.monotonic(), self.done
        for _ in _bar(f"{title}, {self.arithmetic.note}", self.done, self.fit.steps):
            losses = self._one_step()
            if self.rank == 0 and self.done % self.fit.log_every == 0:
                rate = (self.done - first) * self.fit.batch * self.fit.parts / (time.monotonic() - started)
                self._log({name: value.item() for name, value in losses.items()}, rate)
            if self.done % self.fit.checkpoint_every == 0:
                self._save()
        self._save()
        self.model.load_state_dict(self.average)
        self.model.eval()

    def _one_step(self) -> Losses:
        """One optimiser step over this process's parts; the losses returned are those of its last part."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.fit.learning_rate * self._schedule()
        self.optimizer.zero_grad(set_to_none=True)
        kind = next(self.model.parameters()).device.type
        losses: Losses = {}
        for part in range(self.rank, self.fit.parts, self.world):
            rng = make_generator(derive_seed("fit", self.fit.seed, self.done, part))
            half = torch.autocast(kind, torch.bfloat16, enabled=self.arithmetic.precision == "bf16")
            with half, _quick_attention(kind):
                losses = self.step(rng)
            torch.autograd.backward(losses["loss"] / self.fit.parts)
        self._share_gradients()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.done += 1
        self._average()
        return losses

    def _share_gradients(self) -> None:
        """Sum the gradients of all processes, each of which holds those of its own parts."""
        if self.world == 1:
            return
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        torch.distributed.all_reduce(flat)
        pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, piece in zip(gradients, pieces, strict=True):
            gradient.copy_(piece.view_as(gradient))

    def _schedule(self) -> float:
        if self.done < self.fit.warmup:
            return (self.done + 1) / self.fit.warmup
        share = (self.done - self.fit.warmup) / max(1, self.fit.steps - self.fit.warmup)
        return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))

    @torch.no_grad()
    def _average(self) -> None:
        # A short horizon early on, else the random start would linger in the average.
        decay = min(self.fit.ema, (1 + self.done) / (10 + self.done))
        state = self.model.state_dict()
        floating = [name for name, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.average[name] for name in floating], [state[name] for name in floating], 1 - decay
        )
        for name in state.keys() - set(floating):
            self.average[name].copy_(state[name])

    def _log(self, losses: dict[str, float], rate: float) -> None:
        path = self.folder / "curve.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as stream:
            writer = csv.writer(stream)
            if fresh:
                writer.writerow(["step", *losses, "samples_per_s"])
            writer.writerow([self.done, *(f"{value:.5g}" for value in losses.values()), f"{rate:.1f}"])

    def _save(self) -> None:
        if self.rank:
            return
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{key}": value for key, value in state.items()}
        with atomic_path(self.folder / "checkpoint.safetensors") as path:
            copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
            save_file(copies, path, metadata={"step": str(self.done)})
        write_text(self.folder / "progress.json", json.dumps({"step": self.done, "of": self.fit.steps}))

    def _resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            return
        from safetensors import safe_open

        with safe_open(path, "pt") as stored:
            self.done = int(stored.metadata()["step"])
        tensors = load_file(path)
        self.model.load_state_dict(_under(tensors, "model."))
        self.average = {k: v.to(self.average[k].device) for k, v in _under(tensors, "average.").items()}
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under(tensors, "optimizer.").items():
            number, key = name.split(".", 1)
            state.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict(
            {"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]}
        )


def _quick_attention(kind: str) -> AbstractContextManager[None]:
    """On a CPU, flash attention's backward pass over few tokens takes longer than all the rest."""
    return sdpa_kernel(SDPBackend.MATH) if kind == "cpu" else nullcontext()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _bar(title: str, done: int, total: int) -> Iterator[int]:
    if find_level() is Level.QUIET:
        yield from range(done, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, completed=done)
        for number in range(done, total):
            yield number
            progress.advance(task)
