from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lepbench.cli.app import main
from lepbench.config import load_config
from lepbench.predictors.train_config import TrainConfig

EXAMPLE = Path(__file__).parents[2] / "examples" / "train-lep.yaml"


def test_the_example_is_a_valid_configuration() -> None:
    config = load_config(EXAMPLE, TrainConfig)
    assert config.backbone == "mini@1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: triplets\nlearning_rat: 0.1\n", "unknown key 'learning_rat'; did you mean 'learning_rate'?"),
        (
            "data: triplets\npredictor: {hiden: [3]}\n",
            "unknown key 'predictor.hiden'; did you mean 'hidden'?",
        ),
        ("steps: 3\n", "the key 'data' is missing"),
        (
            "data: triplets\ntimesteps: [500, 200]\n",
            "timesteps must rise from 0 or more",
        ),
        ("data: triplets\nbackbone: mini@99\n", "no embedded model 'mini@99'"),
        ("- 1\n", "holds the list [1], not keys with values"),
    ],
)
def test_faults_are_one_line_and_exit_code_2(
    text: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lepbench", "train-lep", "c.yaml", "--out", "run"])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err


def test_the_device_of_the_command_is_that_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = []
    monkeypatch.setattr(
        "lepbench.predictors.train.train_predictor", lambda config, *_: devices.append(config.device)
    )
    (tmp_path / "c.yaml").write_text("data: triplets\ndevice: cuda\n")
    for options in ([], ["--device", "cpu"]):
        monkeypatch.setattr(sys, "argv", ["lepbench", "train-lep", str(tmp_path / "c.yaml"), *options])
        main()
    assert devices == ["cuda", "cpu"]
