"""Lists of values become models, as many as their lengths' product, each with a name of its own."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.errors import LepbenchError
from lepbench.run_sets.config import ModelEntry
from lepbench.run_sets.sweep import apply_settings, expand_sweep, write_suffix, write_suffixes
from lepbench.run_sets.variants import list_variants, make_variants

SHARES = st.integers(0, 999).map(lambda thousandths: thousandths / 1000)
"""As people write them: a model's name, which lists them, has at most 100 characters."""
SWEEPS = st.fixed_dictionaries(
    {},
    optional={
        "method.scale": st.lists(SHARES, min_size=1, max_size=4, unique=True),
        "method.stop": st.lists(SHARES, min_size=1, max_size=4, unique=True),
        "sampler.steps": st.lists(st.integers(1, 999), min_size=1, max_size=3, unique=True),
        "method.execution.checkpointing": st.lists(st.booleans(), min_size=1, max_size=2, unique=True),
        "preset": st.lists(st.sampled_from(["fast", "paper"]), min_size=1, max_size=2, unique=True),
    },
)


def make_entry(sweep: dict[str, list[Any]], **settings: Any) -> ModelEntry:
    plain = {"method": {"name": "lep", "predictor": "lep-mini@1"}, **settings}
    return ModelEntry.model_validate({"name": "lep", "sweep": sweep, "settings": plain})


@given(SWEEPS)
def test_there_are_as_many_models_as_combinations(sweep: dict[str, list[Any]]) -> None:
    variants = list_variants([make_entry(sweep)])
    assert len(variants) == math.prod(len(values) for values in sweep.values())
    assert len({variant.name for variant in variants}) == len(variants)
    assert len({variant.config.model_dump_json() for variant in variants}) == len(variants)


@given(SWEEPS)
def test_every_model_has_the_values_of_its_settings(sweep: dict[str, list[Any]]) -> None:
    for variant in make_variants(make_entry(sweep)):
        settings = variant.config.model_dump(mode="json")
        for key, value in variant.settings.items():
            assert variant.find_setting(key) == value
            if key != "preset":
                head, *rest = key.split(".")
                found = settings[head]
                for part in rest:
                    found = found[part]
                assert found == value
        assert variant.entry == "lep"


def test_names_are_readable() -> None:
    sweep = {"method.scale": [0.8, 1.0], "method.stop": [0.3, 0.5]}
    assert [variant.name for variant in make_variants(make_entry(sweep))] == [
        "lep-scale-0.8-stop-0.3",
        "lep-scale-0.8-stop-0.5",
        "lep-scale-1-stop-0.3",
        "lep-scale-1-stop-0.5",
    ]
    assert write_suffix({"backbone": "models/sd15", "sampler.negative_prompt": "a b"}) == (
        "-backbone-sd15-negative_prompt-a-b"
    )
    assert write_suffix({"method": {"name": "lep", "scale": 1}, "sampler": {"steps": 5}}) == (
        "-method-lep-sampler-steps-5"
    )
    assert write_suffix({"a.name": "x", "b.name": None}) == "-a.name-x-b.name-none"


def test_without_a_sweep_there_is_the_model_itself() -> None:
    assert list(expand_sweep({})) == [{}]
    assert [variant.name for variant in make_variants(make_entry({}))] == ["lep"]


def test_a_key_is_set_before_those_below_it() -> None:
    document = {"method": "unguided", "sampler": {"steps": 4}}
    settings = {"method.scale": 0.5, "method": "clean-edges", "sampler.eta": 1}
    assert apply_settings(document, settings) == {
        "method": {"name": "clean-edges", "scale": 0.5},
        "sampler": {"steps": 4, "eta": 1},
    }
    assert document == {"method": "unguided", "sampler": {"steps": 4}}


def test_a_swept_value_wins_over_the_preset() -> None:
    (variant,) = make_variants(make_entry({"method.scale": [0.7]}, preset="fast"))
    assert variant.find_setting("method.scale") == 0.7
    assert variant.find_setting("method.stop") == 0.2
    assert variant.find_setting("method.nothing") is None


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"methd.scale": [1]}, "unknown sweep key 'methd.scale'; did you mean 'method.scale'?"),
        ({"method.scal": [1]}, "model lep-scal-1: unknown key 'method.scal'; did you mean 'scale'?"),
        ({"method.scale": [-1]}, "model lep-scale--1: method.scale must be 0 or more, not -1"),
        ({"name": ["a", "b"]}, "a sweep makes the names itself"),
        ({"backbone.x": [1]}, "'backbone.x' cannot be swept: 'backbone' is 'mini@1', without keys"),
        ({"method.scale": [1, 1.0]}, "two models are called 'lep-scale-1'"),
    ],
)
def test_what_cannot_be_swept_is_one_line(sweep: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(LepbenchError) as caught:
        list_variants([make_entry(sweep, backbone="mini@1")])
    assert said in str(caught.value)


def test_methods_of_one_name_are_told_apart() -> None:
    lep = [{"name": "lep", "scale": 1}, {"name": "lep", "scale": 2}]
    assert write_suffixes([{"method": value} for value in (*lep, "unguided")]) == [
        "-method-lep-scale-1",
        "-method-lep-scale-2",
        "-method-unguided",
    ]
    assert write_suffixes([{"method": "lep"}, {"method": lep[1]}]) == ["-method-lep", "-method-lep-scale-2"]
    texts = [{"sampler.negative_prompt": text} for text in ("\u72ac", "\u732b", "a")]
    assert write_suffixes(texts) == ["-negative_prompt---1", "-negative_prompt---2", "-negative_prompt-a"]
