"""Training a latent edge predictor on a frozen backbone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor

from lepbench.backbones.assemble import load_backbone
from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.data.read import Triplets
from lepbench.errors import LepbenchError
from lepbench.files import find_cache_folder, make_folder
from lepbench.predictors.base import PREDICTORS, Predictor, describe_architecture
from lepbench.predictors.checkpoint import restore_checkpoint, save_checkpoint
from lepbench.predictors.features import NoisyFeatures
from lepbench.predictors.heldout import measure_held_out_curve
from lepbench.predictors.latents import EncodedTriplets, encode_triplets
from lepbench.predictors.losses import LOSSES
from lepbench.predictors.process_group import ALONE, ProcessGroup, init
from lepbench.predictors.train_config import TrainConfig
from lepbench.predictors.training_result import TrainingResult, write_result
from lepbench.progress import Progress, ignore_progress, join_progress
from lepbench.registry import suggest_name
from lepbench.run_log import RunLog, logging_run
from lepbench.seeds import derive_seed, is_held_out, make_generator
from lepbench.trackers import Tell, check_tracker, ignore_values


def train_predictor(
    config: TrainConfig, out: Path, progress: Progress, log_to: str | None = None
) -> TrainingResult | None:
    """Train a predictor into the folder `out`, resuming from a checkpoint there.

    Every step has its own generator, so an interrupted run ends with the same weights as an
    uninterrupted one. Written: the predictor, a model card, `curve.csv` (held-out loss by timestep),
    `training.csv` and `metrics.json`.

    Under `accelerate launch` the processes share every batch (`ProcessGroup`); only the main one writes,
    shows progress and returns a result.

    Args:
        log_to: a name in `lepbench.trackers.TRACKERS`; None for none.

    Raises:
        LepbenchError: backbone or data cannot be used, `out` holds a run of another configuration, or there
            is no such tracker.
    """
    check_tracker(log_to)
    processes, device = init(config.device)
    shown = progress if processes.is_main else ignore_progress
    backbone = load_backbone(config.backbone, device, config.precision)
    with processes.main_first():
        data, held_out = _split(config, backbone, config.cache or find_cache_folder() / "latents", shown)
    make_folder(out)
    settings = config.without_places().model_dump(mode="json")
    logged = logging_run(out, out.name, settings, log_to) if processes.is_main else nullcontext(None)
    with logged as log:
        outcome = train_on(
            config,
            backbone,
            data=data,
            held_out=held_out,
            out=out,
            progress=shown,
            processes=processes,
            log=log,
        )
    processes.leave()
    return outcome


def train_on(
    config: TrainConfig,
    backbone: Backbone,
    *,
    data: EncodedTriplets,
    held_out: EncodedTriplets,
    out: Path,
    progress: Progress,
    processes: ProcessGroup = ALONE,
    log: RunLog | None = None,
) -> TrainingResult | None:
    """As `train_predictor`, on a loaded backbone and triplets, not those of the configuration."""
    shown = progress if log is None else join_progress(progress, log.follow)
    make_folder(out)
    predictor = _build(config, backbone)
    features = NoisyFeatures(backbone, predictor, processes)
    if not processes.is_main:
        _assist(config, features, data)
        return None
    tell = ignore_values if log is None else log.tell
    losses = _fit(config, features, data, out=out, progress=shown, tell=tell)
    curve = measure_held_out_curve(backbone, predictor, held_out, shown, batch=config.batch)
    outcome = TrainingResult(
        recipe=config.without_places(),
        backbone_sha256=backbone.files_sha256,
        data_sha256=data.identity,
        training_triplets=len(data),
        held_out_triplets=len(held_out),
        training_loss=sum(losses[-100:]) / len(losses[-100:]),
        held_out_loss=sum(part.mse for part in curve) / len(curve),
        target_variance=curve[0].target_variance,
    )
    write_result(out, predictor, outcome=outcome, curve=curve, losses=losses)
    tell({"held_out_loss": outcome.held_out_loss, "training_loss": outcome.training_loss}, config.steps)
    return outcome


def _fit(
    config: TrainConfig,
    features: NoisyFeatures,
    data: EncodedTriplets,
    *,
    out: Path,
    progress: Progress,
    tell: Tell,
) -> list[float]:
    """Run the remaining steps; the loss of every step."""
    backbone, predictor = features.backbone, features.predictor
    optimiser = torch.optim.AdamW(predictor.parameters(), lr=0.0, weight_decay=config.weight_decay)
    identity = config.identity | {"data_sha256": data.identity, "backbone_sha256": backbone.files_sha256}
    state = restore_checkpoint(out, predictor, optimiser, identity)
    features.processes.broadcast(state.step)
    predictor.train()
    while state.step < config.steps:
        state.losses.append(train_step(config, features, data, optimiser=optimiser, step=state.step))
        rate = learning_rate(config, state.step - 1)
        tell({"loss": state.losses[-1], "learning_rate": rate}, state.step)
        progress("training", state.step, config.steps)
        if state.step % config.checkpoint_every == 0 or state.step == config.steps:
            save_checkpoint(out, predictor, optimiser=optimiser, state=state, identity=identity)
    return state.losses


def train_step(
    config: TrainConfig,
    features: NoisyFeatures,
    data: EncodedTriplets,
    optimiser: torch.optim.Optimizer,
    step: int,
) -> float:
    """Train the predictor, which is in train mode, on the batch of this step; the loss before it."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(config, step)
    loss = _loss(config, features, data, step)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return float(loss.detach())


def _assist(config: TrainConfig, features: NoisyFeatures, data: EncodedTriplets) -> None:
    """Run the backbone for the main process, from the step it resumes at."""
    for step in range(features.processes.broadcast(0), config.steps):
        features.read(*_batch(config, features, data, step)[1])


def learning_rate(config: TrainConfig, step: int) -> float:
    """The learning rate at `step`: linear warm-up, then half a cosine to 0."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.steps - config.warmup, 1)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _loss(config: TrainConfig, features: NoisyFeatures, data: EncodedTriplets, step: int) -> Tensor:
    """The loss on one batch."""
    rows, inputs = _batch(config, features, data, step)
    predicted = features.predict(*inputs)
    target, strokes = data.edges[rows].to(predicted), data.strokes[rows].to(predicted.device)
    return LOSSES[config.loss](predicted, target, strokes)


def _batch(
    config: TrainConfig, features: NoisyFeatures, data: EncodedTriplets, step: int
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Conditioning]]:
    """All row numbers of a batch, and latents, noise, timesteps and captions of this process's part.

    All of it is drawn from the step's own generator, by every process alike.
    """
    source = make_generator(derive_seed("train-lep", config.seed, step))
    rows = torch.randint(len(data), (config.batch,), generator=source)
    low, high = config.timesteps or (0, features.backbone.train_timesteps)
    # Stratified: each member of the batch draws from its own part of the range, so that batches are alike.
    places = (torch.arange(config.batch) + torch.rand(config.batch, generator=source)) / config.batch
    timesteps = (low + (places * (high - low))).long().clamp(max=high - 1)
    noise = torch.randn(config.batch, *data.images.shape[1:], generator=source)
    part = features.processes.share(config.batch)
    return rows, (data.images[rows[part]], noise[part], timesteps[part], data.text(rows[part]))


def _build(config: TrainConfig, backbone: Backbone) -> Predictor:
    kind = PREDICTORS.get(config.predictor.name)
    shape = kind.config_kind(
        **config.predictor.model_dump(),
        taps=select_taps(backbone, config.taps),
        out_channels=backbone.latent_channels,
        train_timesteps=backbone.train_timesteps,
        network=describe_architecture(backbone),
    )
    if config.timesteps is not None and config.timesteps[1] > backbone.train_timesteps:
        raise LepbenchError(
            f"timesteps end at {config.timesteps[1]} and {backbone.name} has {backbone.train_timesteps}",
            "lower the end of 'timesteps'",
        )
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed("train-lep weights", config.seed))
        predictor = kind(shape)
    return predictor.to(backbone.device)


def select_taps(backbone: Backbone, positions: Sequence[str] | None) -> dict[str, int]:
    """Channels at the named positions, in the backbone's order; None for all of them.

    Raises:
        LepbenchError: one is no tap of the backbone.
    """
    channels = backbone.tap_channels
    for position in positions or ():
        if position not in channels:
            raise LepbenchError(
                f"taps: {backbone.name} has no tap {position!r}", suggest_name(position, list(channels))
            )
    return {name: count for name, count in channels.items() if positions is None or name in positions}


def _triplets(folder: Path) -> Triplets:
    """A built folder that can be stacked in batches.

    Raises:
        LepbenchError: it is none, or its pictures have many sizes.
    """
    triplets = Triplets(folder)
    if triplets.size is None:
        raise LepbenchError(f"the pictures in {folder} have many sizes", "build with --size")
    return triplets


def _split(
    config: TrainConfig, backbone: Backbone, cache: Path, progress: Progress
) -> tuple[EncodedTriplets, EncodedTriplets]:
    """Training and held-out triplets, encoded."""
    everything = encode_triplets(backbone, _triplets(config.data), cache, progress)
    if isinstance(config.validation, Path):
        other = encode_triplets(backbone, _triplets(config.validation), cache, progress)
        shared = set(everything.ids) & set(other.ids)
        if shared:
            raise LepbenchError(
                f"{config.validation} and {config.data} share {len(shared)} triplets, first {min(shared)!r}",
                "build them from different splits",
            )
        return everything, other
    held = [is_held_out(name, config.validation) for name in everything.ids]
    inside = [row for row, out in enumerate(held) if not out]
    outside = [row for row, out in enumerate(held) if out]
    if not inside or not outside:
        raise LepbenchError(
            f"{config.data} is too small to hold out {config.validation:g} of {len(held)} triplets",
            "build more, or name another folder as 'validation'",
        )
    return everything.take(inside), everything.take(outside)
