"""Measures, detectors, methods, judges, protocols and suites from outside: what each may get wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.parts import hash_protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import read_record
from lepbench.files import sha256_file
from lepbench.judges import select_judge
from lepbench.plugins import import_plugin
from lepbench.suites import Suite, list_suites, load_suite
from lepbench.trust import trusting_code

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
Write = Callable[[str, str], Path]

MEASURE = '''
import numpy as np
import pyarrow as pa
import torch
from lepbench.evaluation.measures import MEASURES, Measure

@MEASURES.register("redness")
class Redness(Measure):
    """How red a picture is."""
    lower_is_better = ("redness",)

    def columns(self, protocol):
        return {"redness": pa.float32()}

    def count(self, batch):
        return {"redness": batch.images[:, 0].mean(dim=(1, 2)).tolist()}

    def metrics(self, protocol):
        return ["redness"]

    def draws(self, row):
        return row.mean_of_known("redness", row.numbers("redness"))
'''
DETECTOR = """
from typing import ClassVar, Literal
from lepbench.detectors import DETECTORS, Detector, SoftDetector

@DETECTORS.register("bright")
class Bright(Detector):
    version: ClassVar[str] = "1"
    name: Literal["bright"] = "bright"
    def __call__(self, images):
        return images.mean(dim=1) > 0.5

@DETECTORS.register("soft-bright")
class SoftBright(SoftDetector):
    version: ClassVar[str] = "1"
    name: Literal["soft-bright"] = "soft-bright"
    threshold: float = 0.5
    def soft(self, images):
        return images.mean(dim=1)
"""
METHOD = """
from typing import ClassVar, Literal
import torch
from lepbench.methods import METHODS, Method, MethodConfig

class Flat(Method):
    def draw(self, requests):
        height, width = requests[0].sketch.shape
        return torch.full((len(requests), 3, height, width), 0.5)

@METHODS.register("flat")
class FlatConfig(MethodConfig):
    needs_backbone: ClassVar[bool] = False
    name: Literal["flat"] = "flat"
    def build(self, backbone, sampler):
        return Flat()
"""
FLAT = "name: flat\nmethod: {name: python, target: 'flat_of_tests.py:draw'}\n"
DRAW = """
import numpy as np
def draw(prompts, sketches, seeds, size):
    return np.full((len(prompts), size, size, 3), 0.5)
"""
TERMS = "name: mine\nmeasures: [edges, redness]\n"


@pytest.fixture
def evaluate(write: Write, tiny_suite: Suite, tmp_path: Path) -> Callable[..., list[Any]]:
    """The words that evaluate a flat grey model by a protocol, with a module imported first."""
    write("flat_of_tests.py", DRAW)

    def words(module: str, terms: str = TERMS, model: str = FLAT, out: str = "out") -> list[Any]:
        write("outside.py", module)
        options = ["--protocol", write("t.yaml", terms), "--suite", tiny_suite.folder, "--limit", 2]
        place = ["--out", tmp_path / out, "--device", "cpu"]
        trusted = ["--import", "outside.py", "--trust-code"]
        return ["evaluate", write("m.yaml", model), *options, *place, *trusted]

    return words


def changed(module: str, old: str, new: str) -> str:
    assert old in module
    return module.replace(old, new)


COUNT = '{"redness": batch.images[:, 0].mean(dim=(1, 2)).tolist()}'
DRAWS = 'row.mean_of_known("redness", row.numbers("redness"))'
KINDS = '{"redness": pa.float32()}'
OF_COUNT = {
    '{"redness": [0.5]}': "measure 'Redness', column 'redness': 1 values for 2 pictures; give one each",
    '{"redness": [0.5, float("nan")]}': "column 'redness': NaN; give None where a value is not defined",
    '{"redness": torch.full((2,), torch.nan)}': "column 'redness': NaN; give None",
    '{"redness": ["a", "b"]}': "column 'redness': Could not convert 'a'",
    '{"blueness": [0.5, 0.5]}': "gave columns ['blueness']; give those of columns(): ['redness']",
    "{}": "gave columns []; give those of columns(): ['redness']",
    "None": "measure 'Redness' failed: AttributeError",
    '{"redness": 3}': "measure 'Redness' failed: TypeError: 'int' object is not iterable",
    "1 / 0": "failed: ZeroDivisionError: division by zero (outside.py, line 16); correct it; finished",
}


@pytest.mark.parametrize("code", OF_COUNT)
def test_what_a_measure_counts_is_checked(
    refused: Refused, evaluate: Callable[..., list[Any]], code: str
) -> None:
    assert OF_COUNT[code] in refused(*evaluate(changed(MEASURE, COUNT, code)))


OF_MEASURE = {
    (KINDS, '{"edge_predicted": pa.int32()}'): "has two columns called 'edge_predicted'",
    (KINDS, '{"status": pa.string()}'): "has two columns called 'status'",
    (KINDS, '{"redness": float}'): "measure 'Redness' failed: TypeError",
    (KINDS, "None"): "measure 'Redness' failed: AttributeError",
    ('["redness"]', '["edge_f1_1px"]'): "has two metrics called 'edge_f1_1px'",
    ('["redness"]', "1 / 0"): "measure 'Redness' failed: ZeroDivisionError: division by zero (outside.py",
    (DRAWS, '{"redness": 0.5}'): "gave float for 'redness'; return what row.mean(...) returns",
    (DRAWS, '{"hue": row.mean(row.numbers("redness"))}'): "gave figures ['hue']; name them in metrics()",
    (DRAWS, 'row.numbers("hue")'): "measure 'Redness' failed: KeyError: 'hue' (outside.py, line 22)",
    ("    def columns", "    def __init__(self, k): ...\n    def columns"): "let it be made without",
}  # fmt: skip


@pytest.mark.parametrize("change", OF_MEASURE)
def test_what_a_measure_says_of_itself_is_checked(
    refused: Refused, evaluate: Callable[..., list[Any]], change: tuple[str, str]
) -> None:
    assert OF_MEASURE[change] in refused(*evaluate(changed(MEASURE, *change)))


def test_a_measure_that_is_not_known_is_one_line(
    refused: Refused, evaluate: Callable[..., list[Any]]
) -> None:
    line = refused(*evaluate(MEASURE, "name: mine\nmeasures: [edges, rednes]\n"))
    assert line.endswith("unknown measure 'rednes'; did you mean 'redness'?")


def test_a_measure_is_in_table_record_and_hash(
    lepbench: Command, evaluate: Callable[..., list[Any]], tiny_suite: Suite, tmp_path: Path
) -> None:
    code, stdout, stderr = lepbench(*evaluate(MEASURE))
    assert code == 0, stderr
    assert "redness ↓" in stdout
    record = read_record(tmp_path / "out")
    assert record.submitted_code == ["flat_of_tests", "outside"]
    assert record.identity.weights["code/outside"] == sha256_file(tmp_path / "outside.py")
    assert record.rows["model"]["redness"].value == pytest.approx(128 / 255)
    terms = select_protocol(tiny_suite, tmp_path / "t.yaml")
    assert record.identity.protocol_sha256 == hash_protocol(terms) != terms.sha256
    # The same terms read by other code do not compare.
    write = tmp_path / "outside.py"
    write.write_text(dedent(MEASURE) + "\n# another\n")
    assert hash_protocol(terms) != record.identity.protocol_sha256
    assert hash_protocol(select_protocol(tiny_suite)) == select_protocol(tiny_suite).sha256


def test_rows_kept_from_another_run_are_not_those_of_other_code(
    lepbench: Command, evaluate: Callable[..., list[Any]], tiny_pipeline_folder: Path, tmp_path: Path
) -> None:
    plain = f"name: tiny\nbackbone: {tiny_pipeline_folder}\nsampler: {{steps: 1}}\nmethod: unguided\n"
    assert lepbench(*evaluate(MEASURE, model=plain))[0] == 0
    assert lepbench(*evaluate(MEASURE, model=plain, out="again"))[0] == 0
    assert read_record(tmp_path / "again").reused == ["vae", "unguided"]
    assert lepbench(*evaluate(MEASURE + "\n# another\n", model=plain, out="other"))[0] == 0
    assert read_record(tmp_path / "other").reused == []


OF_DETECTOR = {
    "images.mean(dim=1)": "detector 'bright' gave torch.float32 [2, 64, 64], not bool [2, 64, 64]",
    "images.mean(dim=1)[:, :9] > 0.5": "detector 'bright' gave torch.bool [2, 9, 64], not bool [2, 64, 64]",
    "images.mean(dim=1).numpy() > 0.5": "detector 'bright' gave ndarray, not bool [2, 64, 64]",
    "1 / 0": "detector 'bright' failed: ZeroDivisionError: division by zero (outside.py, line 10)",
}


@pytest.mark.parametrize("role", ["detector", "contour_detector"])
@pytest.mark.parametrize("code", OF_DETECTOR)
def test_what_a_detector_finds_is_checked(
    refused: Refused, evaluate: Callable[..., list[Any]], role: str, code: str
) -> None:
    module = changed(DETECTOR, "images.mean(dim=1) > 0.5", code)
    terms = f"name: mine\nmeasures: [edges, contours]\n{role}: bright\n"
    assert OF_DETECTOR[code] in refused(*evaluate(module, terms))


OF_SOFT_DETECTOR = {
    "return images": "detector 'soft-bright' gave [2, 3, 64, 64], not [2, 64, 64]",
    "return None": "detector 'soft-bright' gave NoneType, not [2, 64, 64]",
    "return 2 * images.mean(dim=1) + 0.5": "detector 'soft-bright' gave values outside [0, 1]",
    "return images.mean(dim=1) * float('nan')": "detector 'soft-bright' gave values outside [0, 1]",
    "raise OSError('gone')": "measure 'Soft' failed: OSError: gone (outside.py, line 18)",
}


@pytest.mark.parametrize("code", OF_SOFT_DETECTOR)
def test_what_a_soft_detector_finds_is_checked(
    refused: Refused, evaluate: Callable[..., list[Any]], code: str
) -> None:
    module = changed(DETECTOR, "return images.mean(dim=1)\n", f"{code}\n")
    terms = "name: mine\nmeasures: [edges, soft]\nsoft_detector: soft-bright\n"
    assert OF_SOFT_DETECTOR[code] in refused(*evaluate(module, terms))


@pytest.mark.parametrize(
    ("detector", "edges", "code", "message"),
    [
        ("bright", "binary", "images.mean(dim=1)", "detector 'bright' gave torch.float32 ["),
        ("bright", "binary", "images.mean(dim=1)[:, :9] > 0.5", "detector 'bright' gave torch.bool ["),
        ("soft-bright", "soft", "images", "detector 'soft-bright' gave ["),
        ("soft-bright", "soft", "images.mean(dim=1) + 1", "'soft-bright' gave values outside [0, 1]"),
    ],
)
def test_what_a_detector_finds_is_checked_in_a_build(
    refused: Refused, write: Write, detector: str, edges: str, code: str, message: str
) -> None:
    old = "images.mean(dim=1) > 0.5" if detector == "bright" else "images.mean(dim=1)\n"
    write("outside.py", changed(DETECTOR, old, f"{code}\n"))
    words = ["build-data", "sketchworld", "--limit", 4, "--out", "built", "--edges", edges]
    assert message in refused(*words, "--detector", detector, "--import", "outside.py", "--trust-code")


OF_METHOD = {
    ("return Flat()", "return 3"): "method 'flat' built int, which is no Method; correct its build()",
    ("return Flat()", "return [][0]"): "method 'flat' failed: IndexError: list index out of range (outside",
    ("return torch.full", "return [][0] and torch.full"): "drawn: IndexError: list index out of range (out",
    ("return torch.full", "return 'x' or torch.full"): "method 'Flat' returned str; return a tensor",
    ("width), 0.5", "width), 255.0"): "method 'Flat' returned values from 255 to 255; scale",
    ("3, height", "3, 2 * height"): "[3, 128, 64], not [3, 64, 64]; draw at the suite's size",
    ("class Flat(Method):", "class Flat(Method):\n    weights = {'a': 1}"): "has weights that are no text",
    ("class Flat(Method):", "class Flat(Method):\n    def check(self, _): [][0]"): "'flat' failed: Index",
}  # fmt: skip


@pytest.mark.parametrize("change", OF_METHOD)
def test_what_a_method_gives_is_checked(
    refused: Refused, evaluate: Callable[..., list[Any]], change: tuple[str, str]
) -> None:
    line = refused(*evaluate(changed(METHOD, *change), "name: mine\n", "name: flat\nmethod: flat\n"))
    assert OF_METHOD[change] in line


def test_a_method_of_a_class_is_hashed(
    lepbench: Command, evaluate: Callable[..., list[Any]], tmp_path: Path
) -> None:
    words = evaluate(METHOD, "name: mine\nmeasures: [edges]\n", "name: flat\nmethod: flat\n")
    assert lepbench(*words)[0] == 0
    assert read_record(tmp_path / "out").submitted_code == ["outside"]


JUDGE = """
from pathlib import Path
from lepbench.judges import JUDGES, JudgeConfig, LoadedJudge

@JUDGES.register("corners")
class Corners(JudgeConfig):
    able = ("masks",)
    name: str = "corners"

    def load(self, device):
        weights = {"w.bin": Path(__file__).with_name("w.bin")}
        return LoadedJudge(weights, masks=lambda images: images[:, 0] > 0.5)
"""


def bring(module: str, write: Write) -> None:
    """Import a module from outside."""
    write("outside.py", module)
    with trusting_code():
        import_plugin("outside.py")


def test_a_judge_is_loaded_and_hashed(write: Write, tiny_suite: Suite, tmp_path: Path) -> None:
    write("w.bin", "weights")
    bring(JUDGE, write)
    terms = select_protocol(tiny_suite, judges=[select_judge("corners")])
    assert load_judges(terms).weights["corners/w.bin"] == sha256_file(tmp_path / "w.bin")
    assert hash_protocol(terms) != terms.sha256


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("return 3", "judge 'corners' is int; return a LoadedJudge"),
        ("return 1 / 0", r"judge 'corners' failed: ZeroDivisionError: .* \(outside\.py, line 12\)"),
    ],
)
def test_what_a_judge_gives_is_checked(write: Write, tiny_suite: Suite, code: str, message: str) -> None:
    begin, _, _ = JUDGE.rpartition("return")
    bring(f"{begin}{code}\n", write)
    terms = select_protocol(tiny_suite, judges=[select_judge("corners")])
    with pytest.raises(LepbenchError, match=message):
        load_judges(terms)


PROTOCOL = """
from lepbench.evaluation.protocols import PROTOCOLS, make_shipped_protocol

@PROTOCOLS.register("strict-v1")
def make_strict(suite):
    return make_shipped_protocol(suite).model_copy(update={"name": "strict-v1", "measures": ("edges",)})
"""


def test_a_protocol_is_chosen_by_name_and_verified_by_it(
    lepbench: Command, refused: Refused, write: Write, tiny_suite: Suite, tmp_path: Path
) -> None:
    write("flat_of_tests.py", DRAW)
    write("outside.py", PROTOCOL)
    brought = ["--import", "outside.py", "--trust-code"]
    words = ["--suite", tiny_suite.folder, "--limit", 2, "--out", "out", "--device", "cpu", *brought]
    assert lepbench("evaluate", write("m.yaml", FLAT), "--protocol", "strict-v1", *words)[0] == 0
    record = read_record(tmp_path / "out")
    assert (record.protocol.name, next(iter(record.rows["model"]))[:4]) == ("strict-v1", "edge")
    line = refused("evaluate", tmp_path / "m.yaml", "--protocol", "strict-v2", *words)
    assert "unknown protocol 'strict-v2'; did you mean 'strict-v1'?" in line


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"name": "strict-v1", ', "", "protocol 'strict-v1' is made as 'lepbench-edges-v1'; return"),
        ("return make", "return 3 or make", "protocol 'strict-v1' is made as int"),
        ("return make", "return 1 / 0 or make", r"protocol 'strict-v1' failed: ZeroDivisionError: .*line 6"),
        ("strict-v1", "lepbench-strict-v1", "protocol 'lepbench-strict-v1' does not ship; give it a"),
    ],
)  # fmt: skip
def test_what_a_protocol_gives_is_checked(
    write: Write, tiny_suite: Suite, old: str, new: str, message: str
) -> None:
    bring(changed(PROTOCOL, old, new), write)
    name = "lepbench-strict-v1" if "lepbench-" in new else "strict-v1"
    with pytest.raises(LepbenchError, match=message):
        select_protocol(tiny_suite, name)


def test_a_suite_is_found_by_its_name(write: Write, tiny_suite: Suite, tmp_path: Path) -> None:
    shutil.copytree(tiny_suite.folder, tmp_path / "suites" / "tiny")
    code = """
    from pathlib import Path
    from lepbench.suites import FOLDERS
    for name in ("tiny-suite", "another"):
        FOLDERS.register(name)(Path(__file__).parent / "suites" / "tiny")
    """
    bring(code, write)
    assert load_suite("tiny-suite").sha256 == tiny_suite.sha256
    assert "tiny-suite" in list_suites()
    with pytest.raises(LepbenchError, match=r"suite 'another' of a plug-in is called 'tiny-suite' in .*yaml"):
        load_suite("another")
    with pytest.raises(LepbenchError, match="unknown suite 'tiny-suit'; did you mean 'tiny-suite'"):
        load_suite("tiny-suit")


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (
            "measures: [faithful_f1, edges]",
            "reads column 'clip_similarity@sketchworld-clip', which none counts; add 'captions' to",
        ),
        (
            "measures: [faithful_iou, captions]",
            "reads column 'mask_intersection@sketchworld-segmenter', which none counts; add 'masks'",
        ),
        (
            "measures: [faithful_f1, edges, captions]\nheadline_tolerance: 5",
            "reads column 'edge_matched_predicted_5px', which none counts; add its tolerance to 'tolerances'",
        ),
        ("measures: [edges, edges]", "has two columns called 'edge_predicted'; name a measure once"),
        ("measures: []", "t.yaml: measures must have at least 1 entry"),
    ],
)
def test_terms_that_do_not_fit_together_are_one_line(
    refused: Refused, evaluate: Callable[..., list[object]], terms: str, message: str
) -> None:
    assert message in refused(*evaluate("", f"name: mine\n{terms}\n"))
