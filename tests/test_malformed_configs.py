"""Messages about malformed files: plain words, one line, and nothing of pydantic's."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ValidationError, create_model
from pydantic_core._pydantic_core import list_all_errors

from lepbench.config import Config, load_config
from lepbench.data.config import BuildConfig
from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import read_judges, select_protocol
from lepbench.faults import WANTED, explain, name_place, quote_value
from lepbench.methods import ModelConfig
from lepbench.places import find_place
from lepbench.predictors.train_config import TrainConfig
from lepbench.run_sets.config import RunSet
from lepbench.suites import load_suite
from lepbench.suites.definition import SuiteDefinition

KINDS: dict[str, type[Config]] = {
    "MODEL": ModelConfig,
    "SET": RunSet,
    "train": TrainConfig,
    "build": BuildConfig,
    "suite": SuiteDefinition,
}
FOREIGN = re.compile(
    r"Input|should|Value error|instance of|Field required|or equal to|finite number|tuple|dictionary|boolean"
    r"|\bparse|unable|pydantic|typing\.|<class|\w+Config\b|ModelEntry|\bNone\b|\bTrue\b|\bFalse\b"
)
"""Words of pydantic and of Python that no reader of a YAML file needs to know."""
LEP, SET, BUILD, TRAIN, TERMS = (
    "name: a\nmethod: lep\n",
    "name: s\nmodels: [m.yaml]\n",
    "source: sketchworld\n",
    "data: d\n",
    "name: p\n",
)
CASES = [
    ("MODEL", "", "holds nothing, not keys with values; write a line 'key: value' for each of its keys"),
    ("MODEL", "- a", 'holds the list ["a"], not keys with values'),
    ("MODEL", "a: [", "is not valid YAML: a bracket is not closed (line 1, column 5)"),
    ("MODEL", "a: b: c", "is not valid YAML: a second colon: put a value with one in quotes"),
    ("MODEL", "a: 'b", "a quotation mark is not closed"),
    ("MODEL", "\tname: a", "a tab stands there: indent by spaces (line 1, column 1)"),
    ("MODEL", "name: a", "the key 'method' is missing; add 'method: ...'"),
    ("MODEL", "name: 5\nmethod: lep", "name must be a text, not 5; put it in quotes"),
    ("MODEL", "name: yes\nmethod: lep", "name must be a text, not true; put it in quotes"),
    ("MODEL", "name:\nmethod: lep", "name must be a text, not empty; give it a value"),
    ("MODEL", "name: a/b\nmethod: lep", "name must be a name of letters, digits and . _ -, with a letter"),
    ("MODEL", "name: 2024-01-01\nmethod: lep", "name must be a text, not 2024-01-01; put it in quotes"),
    ("MODEL", f"name: [{'x, ' * 99}y]\nmethod: lep", '"x", "x", "...'),
    (
        "MODEL",
        "name: a\nmethod: 5",
        "method must be a name, or keys with values, not 5; choose one of: clean-",
    ),
    ("MODEL", "name: a\nmethod: {scale: 1}", "method has no key 'name', which says what method it is"),
    ("MODEL", "name: a\nmethod: {name: lep, scal: 1}", "unknown key 'method.scal'; did you mean 'scale'?"),
    ("MODEL", "name: a\nmethod: {name: lep, scale: -1}", "method.scale must be 0 or more, not -1"),
    (
        "MODEL",
        "name: a\nmethod: {name: lep, scale: big}",
        "method.scale must be a number, not the text 'big'",
    ),
    (
        "MODEL",
        "name: a\nmethod: {name: lep, scale: .inf}",
        "a number other than infinity and NaN, not Infinity",
    ),
    ("MODEL", "name: a\nmethod: {name: lep, stop: 1.5}", "method.stop must be at most 1, not 1.5"),
    (
        "MODEL",
        "name: a\nmethod: {name: lep, decay: Linear}",
        "'linear' or 'cosine', not 'Linear'; did you mean 'l",
    ),
    (
        "MODEL",
        "name: a\nmethod: {name: lep, repeats: 3}",
        "method.repeats must be keys with values, not 3; write",
    ),
    (
        "MODEL",
        "name: a\nmethod: {name: precomputed, folder: 5}",
        "method.folder must be a path, not 5; put it in",
    ),
    ("MODEL", LEP + "sampler: {steps: 1.5}", "sampler.steps must be a whole number, not 1.5"),
    ("MODEL", LEP + "steps: 5", "unknown key 'steps'; it belongs in 'sampler'"),
    ("MODEL", LEP + "scale: 5", "unknown key 'scale'; it belongs in 'method', beside 'name: lep'"),
    ("MODEL", LEP + "Name: b", "unknown key 'Name'; did you mean 'name'?"),
    ("MODEL", LEP + "sampler: [a]", 'sampler must be keys with values, not the list ["a"]; write them as'),
    ("SET", "name: s\nmodels: m.yaml", "models: it must be a list of one or more, not 'm.yaml'"),
    (
        "SET",
        "name: s\nmodels: [5]",
        "models entry 1: it must be a path of a MODEL.yaml, or keys with values, not 5",
    ),
    ("SET", "name: s\nmodels: [{use: 5}]", 'model {"use": 5}: use must be a path, not 5'),
    (
        "SET",
        SET + "suites: [x, 5]",
        "suites entry 2 must be a text or keys with values, not 5; put it in quotes",
    ),
    ("SET", SET + "figures: [kid]", "unknown key 'figures'; it belongs in 'table'"),
    ("SET", SET + "table: {intervals: maybe}", "table.intervals must be true or false, not the text 'maybe'"),
    ("SET", SET + "protocols: x", "protocols must be a list, not the text 'x'; write ['x']"),
    (
        "SET",
        SET + "plots: [x]",
        "plots entry 1: it must be keys with values, not 'x'; write '{x: KEY, y: FIGURE}'",
    ),
    (
        "SET",
        SET + "plots: [{front: [a, b], box: {a: [x, y]}}]",
        "box.a entry 1 must be a number, not the text 'x'",
    ),
    ("SET", SET + "plots: [{front: [a, b, c]}]", "front must have at most 2 entries, not 3"),
    ("SET", SET + "plots: [{front: [a]}]", "front has too few entries; give one more"),
    ("train", TRAIN + "validation: 2", "validation must be less than 1, not 2"),
    ("train", TRAIN + "validation: [1]", "validation must be a number or a path, not the list [1]"),
    (
        "train",
        TRAIN + "predictor: {name: mlp, hiddn: 5}",
        "unknown key 'predictor.hiddn'; did you mean 'hidden'?",
    ),
    ("build", BUILD + "edges: fuzzy", "edges must be 'binary', 'soft' or 'drawn', not 'fuzzy'"),
    (
        "build",
        BUILD + "edges: soft",
        "detector 'canny' gives no strengths of edges, as 'edges: soft' needs them",
    ),
    (
        "build",
        BUILD + "detector: {name: hed, sha256: abc}",
        "detector.sha256 must be a SHA-256: 64 digits of",
    ),
    ("build", BUILD + "source: x", "the key 'source' stands here twice (line 2, column 1)"),
    ("suite", "kind: []", "the key 'name' is missing; add 'name: ...'"),
    ("protocol", TERMS + "measures: []", "measures must have at least 1 entry, not none"),
    ("protocol", TERMS + "tolerances: 1", "tolerances must be a list, not 1; write [1]"),
    (
        "protocol",
        TERMS + "contour_detector: {name: canny, low: -1}",
        "contour_detector.low must be more than 0",
    ),
    (
        "protocol",
        TERMS + "soft_detector: canny",
        "soft_detector: detector 'canny' gives no strengths of edges",
    ),
    ("protocol", TERMS + "zzz: 1", "unknown key 'zzz'; choose one of: aggregation, by_level"),
    (
        "protocol",
        TERMS + "judges: [{name: clip}]",
        "judge 'clip': the key 'model' is missing; add 'model: ...'",
    ),
    ("judges", "- 5", "judge must be a name, or keys with values, not 5; choose one of: clip, dinov2"),
    ("judges", "- {name: sketchworld-clip, use: [mask]}", "use entry 1 must be 'features', 'captions', "),
    (
        "judges",
        "- {name: sketchworld-clip, use: [masks]}",
        "'use' names 'masks', which it does not give; choose",
    ),
]


def read(kind: str, path: Path) -> object:
    if kind == "protocol":
        return select_protocol(load_suite("sketchworld-edges-v1"), path)
    return read_judges(path) if kind == "judges" else load_config(path, KINDS[kind])


@pytest.mark.parametrize(("kind", "text", "said"), CASES)
def test_a_malformed_file_is_one_line_in_plain_words(kind: str, text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.yaml"
    path.write_text(text)
    with pytest.raises(LepbenchError) as caught:
        read(kind, path)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(path))
    assert_plain(message.replace(str(path), path.name))


def assert_plain(message: str) -> None:
    assert not FOREIGN.search(message), message
    assert "\n" not in message
    assert len(message) < 500, message


BAD: list[Any] = [None, True, -1, 0.5, 10**12, float("nan"), "", "zzz", [], ["zzz"], {}, {"zzz": 1}, {1: 2}]


def list_configs(kind: type[Config] = Config) -> Iterator[type[Config]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("lepbench."):
            yield one
        yield from list_configs(one)


def test_no_value_of_any_key_is_told_in_foreign_words() -> None:
    """Each key of every configuration that there is, alone, and values of every type."""
    for package in ("judges", "suite_sources", "scoring.protocols", "publishing", "mini.stages"):
        importlib.import_module(f"lepbench.{package}")
    kinds = {kind for kind in list_configs() if not getattr(kind, "__abstractmethods__", ())}
    assert len(kinds) > 80
    refused = 0
    for title, key, field in ((one.__name__, *item) for one in kinds for item in one.model_fields.items()):
        alone: Any = create_model(title, __base__=Config, **{key: (field.annotation, field)})  # type: ignore[call-overload]
        for value in BAD:
            try:
                alone.model_validate({field.alias or key: value})
            except ValidationError as error:
                assert_plain(explain(error, alone))
                refused += 1
            except LepbenchError as error:
                assert_plain(str(error))
    assert refused > 3000


@pytest.mark.parametrize("known", list_all_errors(), ids=lambda known: str(known["type"]))
def test_every_error_of_pydantic_has_plain_words(known: dict[str, Any]) -> None:
    class Some(Config):
        key: int = 0

    context = {**(known["example_context"] or {})}
    if "error" in context and known["type"] in ("value_error", "assertion_error"):
        context["error"] = ValueError("write it otherwise")
    line: Any = {"type": known["type"], "loc": ("key",), "input": "x" * 200, "ctx": context}
    if not context:
        del line["ctx"]
    error = ValidationError.from_exception_data("Some", [line])
    message = explain(error, Some)
    assert_plain(message)
    assert "key" in message or "JSON" in message
    assert len(message) < 160


def test_every_word_is_of_an_error_that_pydantic_has() -> None:
    assert WANTED.keys() <= {str(known["type"]) for known in list_all_errors()} | {"path_type"}


def test_of_a_union_the_branch_that_was_meant_is_told() -> None:
    class Curve(Config):
        x: str
        y: int = 0

    class Front(Config):
        front: int
        other: str = ""

    class Plots(Config):
        plots: tuple[Curve | Front, ...]
        choice: Literal["first", "all"] | int = 1

    def fail(**given: Any) -> str:
        with pytest.raises(ValidationError) as caught:
            Plots.model_validate(given)
        return explain(caught.value, Plots)

    assert fail(plots=[{"x": "a", "y": "b"}]) == "plots entry 1: y must be a whole number, not the text 'b'"
    assert (
        fail(plots=[{"front": 1, "othr": ""}]) == "plots entry 1: unknown key 'othr'; did you mean 'other'?"
    )
    assert fail(plots=[{"x": "a"}, 5]).startswith("plots entry 2 must be keys with values, not 5")
    assert fail(plots=[], choice="firs").startswith(
        "choice must be 'first' or 'all' or a whole number, not 'firs'; did you mean 'first'?"
    )


def test_places_are_keys_with_dots_and_entries_from_1() -> None:
    assert name_place(("a", "b", 0, "c", 1)) == "a.b entry 1: c entry 2"
    assert name_place(("a", 5, "[key]")) == "a key of a"
    place = find_place(("table", "rows", 0), RunSet)
    assert (place.path, place.branch) == (("table", "rows", 0), None)


def test_quoted_values_are_short_and_as_yaml_has_them() -> None:
    assert [quote_value(value) for value in (None, True, 1.5, "a", [None], {"a": Path("b")})] == [
        "null",
        "true",
        "1.5",
        "'a'",
        "[null]",
        '{"a": "b"}',
    ]
    assert len(quote_value("x" * 999)) == len(quote_value([1] * 999)) == 60
