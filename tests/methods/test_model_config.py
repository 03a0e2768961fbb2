"""MODEL.yaml is closed: what it takes round-trips, and what it does not take is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepbench.config import dump_config, load_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.protocol import Protocol
from lepbench.guidance import SamplerSettings
from lepbench.guidance.execution import Execution
from lepbench.guidance.guidance_schedule import GuidanceSchedule, Repeats, Resampling
from lepbench.methods import METHODS, CleanEdgesConfig, LepConfig, ModelConfig, UnguidedConfig
from lepbench.methods.controlled import ControlledConfig
from lepbench.predictors.train_config import TrainConfig

EXAMPLES = Path(__file__).parents[2] / "examples"
OTHERS: dict[str, type] = {
    "mini-unguided": UnguidedConfig,
    "mini-clean-edges": CleanEdgesConfig,
    "mini-controlnet": ControlledConfig,
    "mini-live-controlnet": ControlledConfig,
    "mini-t2i-adapter": ControlledConfig,
}


def read(tmp_path: Path, text: str) -> ModelConfig:
    path = tmp_path / "model.yaml"
    path.write_text(text)
    return load_config(path, ModelConfig)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("mini-*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_models(path: Path) -> None:
    model = load_config(path, ModelConfig)
    assert model.name == path.stem
    assert type(model.method) is OTHERS.get(path.stem, LepConfig)
    assert model.backbone == ("mini-live@1" if "live" in path.stem else "mini@1")


def test_a_hub_model_takes_the_same_keys() -> None:
    model = load_config(EXAMPLES / "sd15-lep.yaml", ModelConfig)
    mini = load_config(EXAMPLES / "mini-lep-fast.yaml", ModelConfig)
    assert model.sampler == mini.sampler.model_copy(update={"guidance_scale": 7.5})
    assert isinstance(model.method, LepConfig)
    assert (model.method.scale, model.method.stop) == (1.2, 0.2)
    recipe = load_config(EXAMPLES / "sd15-train-lep.yaml", TrainConfig)
    assert recipe.backbone == model.backbone


methods = st.one_of(
    st.builds(UnguidedConfig),
    st.builds(
        LepConfig,
        predictor=st.just("x"),
        scale=st.floats(0, 9),
        stop=st.floats(0, 1),
        decay=st.sampled_from(["constant", "linear", "cosine"]),
        repeats=st.none() | st.builds(Repeats),
        travel=st.none() | st.builds(Resampling),
        execution=st.builds(Execution, dtype=st.sampled_from([None, "bfloat16"])),
    ),
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(methods, st.integers(1, 1000))
def test_a_model_survives_yaml(tmp_path_factory: pytest.TempPathFactory, method: object, steps: int) -> None:
    model = ModelConfig(name="m", sampler=SamplerSettings(steps=steps), method=method)
    assert read(tmp_path_factory.mktemp("yaml"), dump_config(model)) == model


@pytest.mark.parametrize("kind", [LepConfig, CleanEdgesConfig])
@given(
    st.builds(
        GuidanceSchedule,
        decay=st.sampled_from(["constant", "linear", "cosine"]),
        repeats=st.none() | st.builds(Repeats, times=st.integers(2, 16)),
        travel=st.none() | st.builds(Resampling, back=st.integers(1, 9)),
    )
)
def test_a_schedule_is_written_beside_the_other_keys(
    kind: type[LepConfig | CleanEdgesConfig], schedule: GuidanceSchedule
) -> None:
    held, flat = kind(schedule=schedule), kind(**dict(schedule))
    assert held == flat
    assert held.schedule == schedule
    assert held.model_dump(mode="json") == flat.model_dump(mode="json")
    assert held.model_dump(include={"name", "schedule"}) == {**schedule.model_dump(), "name": held.name}
    assert kind.model_validate(held.model_dump(mode="json", exclude_defaults=True)) == held
    with pytest.raises(ValueError, match="its keys beside the others"):
        kind(schedule=schedule, decay="linear")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nmethod: {name: lep, scal: 2}", "'method.scal'; did you mean 'scale'"),
        ("name: a\nmethod: {name: lep, repeats: {time: 2}}", "method.repeats.time'; did you mean 'times'"),
        ("name: a\nsampler: {stepz: 2}\nmethod: {name: lep}", "'sampler.stepz'; did you mean 'steps'"),
        ("name: a\nmethod: {name: lep, decy: linear}", "'method.decy'; did you mean 'decay'"),
        (
            "name: a\nmethod: {name: lep, decay: slow}",
            "method.decay must be 'constant', 'linear' or 'cosine', not 'slow'",
        ),
        (
            "name: a\nmethod: {name: lep, travel: {times: 99}}",
            "method.travel.times must be at most 16, not 99",
        ),
        (
            "name: a\nmethod: {name: lep, schedule: {decay: linear}}",
            "its keys beside the others: decay, repeats",
        ),
        ("name: a\nmethod: {name: unguided, scale: 2}", "'method.scale'"),
        ("name: a\nmethod: {name: leb}", "unknown method 'leb'; did you mean 'lep'"),
        ("name: a\nmethod: {name: lep, stop: 1.5}", "method.stop must be at most 1, not 1.5"),
        ("name: a\npreset: fsat\nmethod: {name: lep}", "unknown preset 'fsat'; did you mean 'fast'"),
        ("name: a/b\nmethod: {name: lep}", "name must be a name of letters, digits"),
        ("name: a", "the key 'method' is missing"),
        ("method: [", "not valid YAML"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LepbenchError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "model.yaml" in str(caught.value)


def test_a_preset_holds_where_nothing_else_is_said(tmp_path: Path) -> None:
    fast = read(
        tmp_path, "name: a\npreset: fast\nmethod: {name: lep, stop: 0.3}\nsampler: {guidance_scale: 7}"
    )
    plain = SamplerSettings(steps=20, scheduler="unipc", guidance_scale=7)
    assert fast == ModelConfig(name="a", sampler=plain, method=LepConfig(scale=1.2, stop=0.3))
    assert "preset" not in dump_config(fast)
    unguided = read(tmp_path, "name: a\npreset: paper\nmethod: {name: unguided}")
    assert unguided == ModelConfig(name="a", sampler=SamplerSettings(steps=250), method=UnguidedConfig())


def test_nothing_of_the_protocol_can_be_set(tmp_path: Path) -> None:
    shared = set(Protocol.model_fields) & set(ModelConfig.model_fields)
    assert shared == {"name"}
    for key in ["seed", "seeds", "limit", "samples_per_item", *(set(Protocol.model_fields) - shared)]:
        with pytest.raises(LepbenchError, match=f"unknown key '{key}'"):
            read(tmp_path, f"name: a\nmethod: {{name: lep}}\n{key}: 3")


def test_every_registered_method_can_be_named(tmp_path: Path) -> None:
    needed = {
        "controlled": ", control: lllyasviel/control_v11p_sd15_canny",
        "precomputed": ", folder: pictures",
        "python": ", target: 'package.module:factory'",
    }
    for name in METHODS:
        model = read(tmp_path, f"name: a\nmethod: {{name: {name}{needed.get(name, '')}}}")
        assert isinstance(model.method, METHODS.get(name))


# SHA-256 of what was written before samplers had a negative prompt.
BEFORE_NEGATIVES = {
    "mini-clean-edges": "984203bb6e09215a",
    "mini-lep": "042137f514ddbbfa",
    "mini-lep-fast": "2118c3019d38cff6",
    "mini-unguided": "a6b6f09c35034468",
    "sd15-lep": "65af330e08ac629d",
}


@pytest.mark.parametrize("name", list(BEFORE_NEGATIVES))
def test_the_empty_negative_prompt_changes_no_hash(name: str) -> None:
    model = load_config(EXAMPLES / f"{name}.yaml", ModelConfig)
    written = json.dumps(model.model_dump(mode="json")).encode()
    assert hashlib.sha256(written).hexdigest()[:16] == BEFORE_NEGATIVES[name]
    # What the key of a cached reference condition holds of the sampler.
    assert "negative_prompt" not in model.sampler.model_dump(mode="json")


def test_a_negative_prompt_is_written_and_read_back(tmp_path: Path) -> None:
    plain = read(tmp_path, "name: a\nmethod: {name: unguided}")
    dull = read(tmp_path, "name: a\nsampler: {negative_prompt: dull}\nmethod: {name: unguided}")
    assert dull.sampler.model_dump(mode="json")["negative_prompt"] == "dull"
    assert read(tmp_path, dump_config(dull)) == dull
    assert dump_config(dull) != dump_config(plain)
    with pytest.raises(LepbenchError, match=r"'sampler\.negative_promt'; did you mean 'negative_prompt'"):
        read(tmp_path, "name: a\nsampler: {negative_promt: dull}\nmethod: {name: unguided}")
