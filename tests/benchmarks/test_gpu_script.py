"""The GPU benchmark: its plan runs to the end with tiny networks, floors are counted, faults told."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from benchmark_script import BENCHMARKS, load_script
from diffusers.models.attention_processor import Attention
from torch import nn

from lepbench.backbones.cost import Passes

TINY_SIZE = 64
# Stable Diffusion 1.5 at 512 px, counted by another script: GFLOP of a pass, of the way back from the taps,
# of a plain and of a guided step, and of decoding.
ELSEWHERE = (803, 661, 1607, 2268, 2515)


@pytest.fixture(scope="module")
def gpu() -> Iterator[ModuleType]:
    """The benchmark, which imports others of its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield load_script("gpu")


@pytest.fixture(scope="module")
def floors(gpu: ModuleType) -> Any:
    """The counts that it compares with; imported by then."""
    import floors

    return floors


class HandCount:
    """Operations of convolutions, linear layers and attention by their textbook formulas, from shapes.

    Attributes:
        forward: a product and a sum are two.
        backward: of the gradients of inputs alone, wherever a graph is recorded.
    """

    def __init__(self, network: nn.Module) -> None:
        self.forward, self.backward = 0, 0
        self.network = network

    def __enter__(self) -> HandCount:
        self.handles = [
            module.register_forward_hook(count, with_kwargs=True)
            for module in self.network.modules()
            for kind, count in ((nn.Conv2d, self.conv), (nn.Linear, self.linear), (Attention, self.attention))
            if isinstance(module, kind)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()

    def conv(self, layer: Any, inputs: Any, options: Any, output: Any) -> None:
        self.add(2 * output.numel() * layer.in_channels * math.prod(layer.kernel_size), inputs[0])

    def linear(self, layer: Any, inputs: Any, options: Any, output: Any) -> None:
        self.add(2 * output.numel() * layer.in_features, inputs[0])

    def attention(self, layer: Any, inputs: Any, options: Any, output: Any) -> None:
        batch, context = len(inputs[0]), options.get("encoder_hidden_states")
        queries = inputs[0].numel() // batch // layer.to_q.in_features
        keys = queries if context is None else context.shape[1]
        # Queries by keys, then weights by values; backward either product has a gradient for each factor
        # that depends on the latent, which keys and values of a caption do not.
        product = 2 * batch * queries * keys * layer.inner_dim
        self.add(2 * product, inputs[0], ways=2 if context is None else 1)

    def add(self, operations: int, read: torch.Tensor, ways: int = 1) -> None:
        self.forward += operations
        self.backward += ways * operations * (torch.is_grad_enabled() and read.requires_grad)


def tiny(gpu: ModuleType) -> Any:
    return gpu.Scale(torch.device("cpu"), {"sd15": TINY_SIZE, "sdxl": TINY_SIZE}, True, (8,), 1, 0.1)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.slow
def test_the_rehearsal_fills_every_line(
    gpu: ModuleType, floors: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import gpu_case

    # A quarter of the steps, as in its warm-up.
    monkeypatch.setattr(gpu_case, "SAMPLER", gpu_case.WARM)
    # Its first group is the second on another network.
    plan = (gpu.REHEARSAL[1]._replace(batches=(2, gpu.TOO_LARGE)), gpu.REHEARSAL[2])
    with torch.random.fork_rng(), torch.compiler.set_stance("force_eager"):
        gpu.measure_plan(plan, tiny(gpu), tmp_path / "gpu.csv", minutes=5.0)
    lines = read(tmp_path / "gpu.csv")
    assert list(lines[0]) == gpu.COLUMNS
    assert [line["status"] for line in lines] == ["measured", "out of memory", "skipped"]
    assert [line["backbone"] for line in lines] == ["sdxl", "sdxl", "sd15"]
    line, parts = lines[0], floors.count_parts("sdxl", True, TINY_SIZE)
    assert all(float(line[name]) > 0 for name in ("step_s", "picture_s", "scored_pictures_per_s"))
    assert float(line["pictures_per_s"]) == pytest.approx(2 / float(line["picture_s"]), rel=1e-2)
    assert float(line["step_gflop"]) == pytest.approx(2 * parts.guided_step / 1e9, rel=1e-3)
    # Of five steps four are guided.
    whole = 4 * parts.guided_step + parts.plain_step + parts.encode + parts.decode
    assert float(line["picture_gflop"]) == pytest.approx(2 * whole / 1e9, rel=1e-3)
    # Neither is known of a CPU.
    assert line["step_floor_s"] == line["step_ratio"] == line["step_peak_gib"] == ""


def test_the_floor_of_a_gpu_is_half_of_its_peak(floors: Any) -> None:
    assert floors.floor_seconds(989e12, "NVIDIA H100 80GB HBM3") == pytest.approx(2.0)
    assert floors.floor_seconds(989e12, "NVIDIA H200") == pytest.approx(2.0)
    assert floors.floor_seconds(756e12, "NVIDIA H100 PCIe") == pytest.approx(2.0)
    assert floors.floor_seconds(835e12, "NVIDIA H100 NVL") == pytest.approx(2.0)
    assert floors.floor_seconds(312e12, "NVIDIA A100-SXM4-80GB") == pytest.approx(2.0)
    assert floors.floor_seconds(1e12, "NVIDIA GeForce RTX 4090") is None


def test_the_floor_of_a_picture_is_the_sum_of_its_passes(floors: Any) -> None:
    parts = floors.Parts(forward=10, backward=7, encode=100, decode=1000)
    assert (parts.plain_step, parts.guided_step) == (20, 27)
    # Two pictures by two guided steps and a plain one.
    assert parts.picture(Passes(plain=8, steered=4), 2) == 2 * 27 + 20 + 1100


@pytest.mark.slow
def test_the_floor_of_a_tiny_network_equals_a_count_by_hand(floors: Any) -> None:
    from guided_step import Contest, add_vae, random_backbone

    with torch.random.fork_rng():
        backbone = add_vae(random_backbone(True), "sd15", True)
        side = TINY_SIZE // backbone.vae_factor
        contest = Contest(backbone, side, (8,))
    parts = floors.count_parts("sd15", True, TINY_SIZE)
    with HandCount(backbone.denoiser) as denoiser:
        contest.floor()
    # It is two passes, and one way back.
    assert parts.forward == denoiser.forward / 2
    assert parts.backward == denoiser.backward
    with HandCount(backbone.vae) as vae:
        backbone.decode_latents(contest.noise)
    assert (parts.decode, vae.backward) == (vae.forward, 0)
    with HandCount(backbone.vae) as vae:
        backbone.encode_edges(torch.zeros(1, TINY_SIZE, TINY_SIZE, dtype=torch.bool))
    assert parts.encode == vae.forward


@pytest.mark.slow
def test_counts_agree_with_those_made_elsewhere(floors: Any) -> None:
    parts = floors.count_parts("sd15", False, 512)
    found = (parts.forward, parts.backward, parts.plain_step, parts.guided_step, parts.decode)
    assert [count / 1e9 for count in found] == pytest.approx(ELSEWHERE, rel=0.02)


def test_a_measurement_ends_in_time(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measure(self: Any, batch: int) -> Iterator[dict[str, float]]:
        yield {"step_s": 1.0}
        time.sleep(60)

    monkeypatch.setattr(gpu.Drawing, "__init__", lambda *_: None)
    monkeypatch.setattr(gpu.Drawing, "measure", measure)
    started = time.monotonic()
    plan = (gpu.Group("sd15", False, (1, 2), 1.0),)
    gpu.measure_plan(plan, tiny(gpu), tmp_path / "gpu.csv", minutes=1 / 60)
    assert time.monotonic() - started < 50
    lines = read(tmp_path / "gpu.csv")
    assert [line["status"] for line in lines] == ["out of time", "skipped"]
    assert [line["step_s"] for line in lines] == ["1", ""]


def test_a_batch_without_room_or_with_a_fault_does_not_stop_the_others(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    faults = {1: RuntimeError("no kernel,\nnone"), 2: torch.OutOfMemoryError("full"), 4: MemoryError()}

    def measure(self: Any, batch: int) -> Iterator[dict[str, float]]:
        yield {"step_s": float(batch)}
        if batch in faults:
            raise faults[batch]

    monkeypatch.setattr(gpu.Drawing, "__init__", lambda *_: None)
    monkeypatch.setattr(gpu.Drawing, "measure", measure)
    gpu.measure_plan(gpu.PLAN[:1], tiny(gpu), tmp_path / "gpu.csv", minutes=5.0)
    lines = read(tmp_path / "gpu.csv")
    expected = ["failed: RuntimeError: no kernel,", "out of memory", "out of memory", "measured"]
    assert [line["status"] for line in lines] == expected
    assert [line["step_s"] for line in lines] == ["1", "2", "4", "8"]


def test_what_takes_longer_than_there_is_time_is_skipped(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu.Drawing, "__init__", lambda *_: None)
    # Three such pictures are more than the ten seconds.
    monkeypatch.setattr(gpu.Drawing, "measure", lambda self, batch: iter([{"picture_s": 4.0 * batch}]))
    gpu.measure_plan((gpu.Group("sdxl", False, (1, 2), 1.0),), tiny(gpu), tmp_path / "gpu.csv", 10 / 60)
    assert [line["status"] for line in read(tmp_path / "gpu.csv")] == ["measured", "skipped"]
