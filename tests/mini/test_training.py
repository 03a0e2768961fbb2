"""The training loop resumes bit for bit, learns, and keeps an average."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lepbench.mini.precision import choose_precision
from lepbench.mini.training import Fit, Trainer

TRUTH = torch.tensor([[1.5, -2.0, 0.5]])


class StoppedError(Exception):
    """Stands in for a person's Ctrl-C."""


def fitted(folder: Path, steps: int = 60, stop_at: int | None = None) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    calls = 0

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise StoppedError
        inputs = torch.randn(16, 3, generator=rng)
        return {"loss": (model(inputs) - inputs @ TRUTH.T).square().mean()}

    fit = Fit(
        steps=steps, batch=16, learning_rate=0.2, warmup=5, ema=0.9, precision="fp32", checkpoint_every=10
    )
    Trainer(model, step, fit, folder).run("test")
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_an_interrupted_fit_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = fitted(tmp_path / "whole")
    with pytest.raises(StoppedError):
        fitted(tmp_path / "cut", stop_at=37)
    resumed = fitted(tmp_path / "cut")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_it_finds_the_closed_form_solution(tmp_path: Path) -> None:
    found = fitted(tmp_path, steps=300)
    assert torch.allclose(found["weight"], TRUTH, atol=0.02)
    assert abs(float(found["bias"])) < 0.02


@pytest.mark.parametrize(
    ("has", "precision", "note"), [(True, "bf16", "bf16"), (False, "fp32", "fp32, since this processor")]
)
def test_bfloat16_is_used_only_where_the_processor_has_it(
    has: bool, precision: str, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": has})
    chosen = choose_precision("bf16", torch.device("cpu"))
    assert chosen.precision == precision
    assert chosen.note.startswith(note)
    assert choose_precision("fp32", torch.device("cpu")) == ("fp32", "fp32")


def test_the_curve_is_logged_once_a_step(tmp_path: Path) -> None:
    fitted(tmp_path)
    rows = (tmp_path / "curve.csv").read_text().splitlines()
    assert rows[0].startswith("step,loss")
    assert [int(row.split(",")[0]) for row in rows[1:]] == [20, 40, 60]
