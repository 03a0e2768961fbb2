"""What reads files that others may have written, with true examples of each."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

import lepbench
from lepbench import plugins
from lepbench.config import load_config
from lepbench.data.config import BuildConfig
from lepbench.data.manifest import load_manifest
from lepbench.data.metadata import read_metadata
from lepbench.data.picture import decode_picture
from lepbench.data.read import Triplets
from lepbench.data.sources.coco import list_items, read_annotations
from lepbench.evaluation.protocols import read_judges, select_protocol
from lepbench.evaluation.record import read_record
from lepbench.files import sha256_file
from lepbench.guidance.sketch import read_sketch
from lepbench.images import check_rgb, encode_png, open_rgb, read_size
from lepbench.judges.feature_statistics import load_feature_statistics
from lepbench.judges.provenance import read_provenance, read_tensors
from lepbench.methods import ModelConfig
from lepbench.predictors import PREDICTORS, MlpConfig, MlpPredictor
from lepbench.predictors.pretrained import load_pretrained
from lepbench.predictors.train_config import TrainConfig
from lepbench.publishing.board_check import check_board
from lepbench.publishing.board_table import describe_boards, tabulate_board
from lepbench.run_sets.plan import read_set
from lepbench.sketches.fscoco import load_points, split_strokes
from lepbench.sketches.quickdraw import QuickDraw
from lepbench.sketches.vector.reading import read_drawing
from lepbench.suite_sources.prompts import read_prompts
from lepbench.suites import Suite, load_suite

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES, BOARDS = ROOT / "examples", ROOT / "leaderboards"
SUITE = "sketchworld-edges-v1"
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><style>.a{stroke:#123;fill:none}</style>
<g transform="rotate(20)"><path class="a" d="M5 5 L40 9 Q 50 50 9 40 Z"/>
<circle cx="30" cy="30" r="9" fill="red"/>
<use href="#b"/></g><rect id="b" x="3" y="3" width="20" height="9" stroke-width="2%" stroke="blue"/></svg>"""
DOODLE = {
    "key_id": "7",
    "word": "cat",
    "recognized": True,
    "drawing": [[[0, 9, 30], [4, 5, 60]], [[1, 2], [3, 4]]],
}
CAPTIONS = {
    "images": [
        {"id": 1, "file_name": "a.png", "license": 2},
        {"id": 2, "file_name": "b.png", "coco_url": "x"},
    ],
    "annotations": [
        {"id": 5, "image_id": 1, "caption": "a cat"},
        {"id": 6, "image_id": 2, "caption": "a dog"},
    ],
    "licenses": [{"id": 2, "name": "CC-BY-4.0"}],
}


NAMES = (
    "model", "set", "protocol", "judges", "build", "training", "plug-in", "plug-in metadata", "suite",
    "items", "record", "samples", "board", "board terms", "manifest", "triplets", "csv", "jsonl", "captions",
    "prompts", "sidecars", "weights", "predictor", "statistics", "features", "picture", "jpeg", "tiff",
    "webp", "corpus picture", "sketch", "svg", "ndjson", "npy",
)  # fmt: skip
"""Of all readers."""


class Reader(NamedTuple):
    """Something that reads a file.

    Attributes:
        file: its name, in a folder of its own.
        content: of a true one.
        read: called with the folder; raises one of `refusals.REFUSED` over a file that it does not take.
        beside: other files of the folder, by name.
    """

    file: str
    content: bytes
    read: Callable[[Path], object]
    beside: Mapping[str, bytes] = {}


def make_readers(work: Path) -> dict[str, Reader]:
    """Every reader by name.

    Args:
        work: a folder for what has to be made first.
    """
    return {
        **list_configs(),
        **list_suite_files(),
        **list_runs(work),
        **list_data(work),
        **list_weights(work),
    } | (list_sketches())


def list_configs() -> dict[str, Reader]:
    """YAML that a person writes, and what a package announces."""
    suite = load_suite(SUITE)
    protocol = {
        "name": "mine",
        "extends": "lepbench-edges-v1",
        "resamples": 50,
        "measures": ["edges", "chamfer"],
    }
    points = b"[lepbench.plugins]\nmine = json:loads\nother = no.such.module\n"
    model = (EXAMPLES / "mini-lep.yaml").read_bytes()
    build, train = ((EXAMPLES / name).read_bytes() for name in ("build-data.yaml", "train-lep.yaml"))
    return {
        "model": Reader("m.yaml", model, lambda at: load_config(at / "m.yaml", ModelConfig).check_files()),
        "set": Reader(
            "s.yaml", (EXAMPLES / "questions.yaml").read_bytes(), lambda at: read_set(at / "s.yaml")
        ),
        "protocol": Reader(
            "p.yaml", yaml.safe_dump(protocol).encode(), lambda at: select_protocol(suite, at / "p.yaml")
        ),
        "judges": Reader(
            "j.yaml", (EXAMPLES / "judges.yaml").read_bytes()[:1500], lambda at: read_judges(at / "j.yaml")
        ),
        "build": Reader("b.yaml", build, lambda at: load_config(at / "b.yaml", BuildConfig)),
        "training": Reader("t.yaml", train, lambda at: load_config(at / "t.yaml", TrainConfig)),
        "plug-in": Reader(
            "entry_points.txt",
            points,
            lambda at: plugins.read_points([PathDistribution(at)]),
            {"METADATA": b"Metadata-Version: 2.1\nName: x\nVersion: 1\n"},
        ),
        "plug-in metadata": Reader(
            "METADATA",
            b"Metadata-Version: 2.1\nName: x\nVersion: 1\n",
            lambda at: plugins.read_points([PathDistribution(at)]),
            {"entry_points.txt": points},
        ),
    }


def list_suite_files() -> dict[str, Reader]:
    """The two files of a suite."""
    folder = load_suite(SUITE).folder
    about = yaml.safe_load((folder / "suite.yaml").read_text())
    items = cut_items(folder / "items.parquet", 6)
    small = yaml.safe_dump({**about, "items": 6, "default_items": 4}).encode()

    def read(at: Path) -> None:
        # Whoever writes the items writes their hash, too.
        known = yaml.safe_load((at / "base.yaml").read_text())
        known["items_sha256"] = sha256_file(at / "items.parquet")
        (at / "suite.yaml").write_text(yaml.safe_dump(known))
        read_all(at)

    return {
        "suite": Reader("suite.yaml", fill_hash(small, items), read_all, {"items.parquet": items}),
        "items": Reader("items.parquet", items, read, {"base.yaml": small}),
    }


def cut_items(path: Path, count: int) -> bytes:
    """The first items of a suite."""
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(pq.read_table(path).slice(0, count), stream, compression="none", row_group_size=4)
    return stream.getvalue()


def fill_hash(definition: bytes, items: bytes) -> bytes:
    """A definition with the hash of these items."""
    import hashlib

    known = yaml.safe_load(definition) | {"items_sha256": hashlib.sha256(items).hexdigest()}
    return yaml.safe_dump(known).encode()


def read_all(folder: Path) -> None:
    """Read everything in a suite, as an evaluation does."""
    suite = Suite(folder)
    for item in suite.take(len(suite)):
        suite.successor(item)
        suite.seed(item, 0)
    suite.to_frame()
    suite.count_labels()
    select_protocol(suite)


def list_runs(work: Path) -> dict[str, Reader]:
    """What a run and a board are kept in."""
    record = lepbench.evaluate(
        {"name": "grey", "backbone": None, "method": save_pictures(work)},
        lepbench.load_suite(work / "suite"),
        work / "run",
        device="cpu",
        progress=False,
    )
    folder = record.require_folder()
    known = (folder / "record.json").read_bytes()
    board = next(iter(sorted(BOARDS.glob("*/*.csv"))))
    table, terms = board.read_bytes(), board.with_suffix(".json").read_bytes()
    name = f"{board.parent.name}/{board.stem}"

    def read_board(at: Path) -> None:
        tabulate_board(at / f"{name}.csv")
        describe_boards(at)
        check_board(at / f"{name}.csv")

    return {
        "record": Reader("record.json", known, lambda at: read_record(at).to_frame()),
        "samples": Reader(
            "samples.parquet",
            (folder / "samples.parquet").read_bytes(),
            lambda at: read_record(at).samples(),
            {"record.json": known},
        ),
        "board": Reader(f"{name}.csv", table, read_board, {f"{name}.json": terms}),
        "board terms": Reader(f"{name}.json", terms, read_board, {f"{name}.csv": table}),
    }


def save_pictures(work: Path) -> dict[str, str]:
    """A suite of four items in `work/suite`, and the method that reads a grey picture for each."""
    folder = load_suite(SUITE).folder
    items = cut_items(folder / "items.parquet", 4)
    about = yaml.safe_load((folder / "suite.yaml").read_text()) | {
        "items": 4,
        "default_items": 4,
        "name": "four",
    }
    (work / "suite").mkdir(parents=True, exist_ok=True)
    (work / "pictures").mkdir(exist_ok=True)
    (work / "suite" / "items.parquet").write_bytes(items)
    (work / "suite" / "suite.yaml").write_bytes(fill_hash(yaml.safe_dump(about).encode(), items))
    for item in Suite(work / "suite"):
        (work / "pictures" / f"{item.item_id}-0.png").write_bytes(
            encode_png(np.full((64, 64, 3), 99, np.uint8))
        )
    return {"name": "precomputed", "folder": str(work / "pictures")}


def list_data(work: Path) -> dict[str, Reader]:
    """Files of corpora and of the sets that are built of them."""
    lepbench.build_data(
        "sketchworld",
        work / "set",
        engine="here",
        size=64,
        limit=4,
        shard_rows=2,
        detector="sobel",
        progress=False,
    )
    manifest = (work / "set" / "manifest.json").read_bytes()
    shard = next(iter(sorted((work / "set" / "data").glob("*.parquet"))))
    rows = 'file_name,text\na.png,a cat\nb.png,"a, dog"\n'
    lines = '{"file_name": "a.png", "text": "a cat"}\n{"file_name": "b.png", "text": ["x", "y"]}\n'

    def read_triplets(at: Path) -> None:
        triplets = Triplets(at)
        for number in range(len(triplets)):
            triplets[number]

    shards = {f"data/{path.name}": path.read_bytes() for path in shard.parent.glob("*.parquet")}
    others = {"manifest.json": manifest, **shards}
    return {
        "manifest": Reader("manifest.json", manifest, load_manifest),
        "triplets": Reader(f"data/{shard.name}", shard.read_bytes(), read_triplets, others),
        "csv": Reader("m.csv", rows.encode(), lambda at: read_metadata(at / "m.csv")),
        "jsonl": Reader("m.jsonl", lines.encode(), lambda at: read_metadata(at / "m.jsonl")),
        "captions": Reader("c.json", json.dumps(CAPTIONS).encode(), read_captions),
        "prompts": Reader("prompts.csv", b"sketch,prompt\na.png,a cat\n", lambda at: read_prompts(at, None)),
        "sidecars": Reader(
            "a.json",
            b'{"prompt": ["a cat", "a dog"], "class": "cat"}',
            lambda at: read_prompts(at, None),
            {"a.png": b"x"},
        ),
    }


def read_captions(folder: Path) -> None:
    """Every entry of annotations of COCO."""
    list(list_items(read_annotations(folder / "c.json"), "all"))


def list_weights(work: Path) -> dict[str, Reader]:
    """Tensors and the configs that they belong to."""
    taps = {"down": 4, "up": 6}
    predictor = MlpPredictor(MlpConfig(taps=taps, hidden=(8, 4), out_channels=4, train_timesteps=1000))
    predictor.save_pretrained(work / "predictor")
    config, weights = (
        (work / "predictor" / name).read_bytes() for name in ("config.json", "predictor.safetensors")
    )

    def read_predictor(at: Path) -> None:
        load_pretrained(at, PREDICTORS)

    def read_statistics(at: Path) -> None:
        load_feature_statistics(at / "s.safetensors")

    def read_features(at: Path) -> None:
        read_provenance(at / "f.safetensors")
        read_tensors(at / "f.safetensors", "features")

    return {
        "weights": Reader("predictor.safetensors", weights, read_predictor, {"config.json": config}),
        "predictor": Reader("config.json", config, read_predictor, {"predictor.safetensors": weights}),
        "statistics": Reader("s.safetensors", make_statistics(), read_statistics),
        "features": Reader("f.safetensors", make_features(), read_features),
    }


def make_statistics() -> bytes:
    """Sums over features of two numbers."""
    from safetensors.numpy import save

    return bytes(
        save(
            {
                "n": np.array([3], np.int64),
                "total": np.ones(2, np.int64),
                "outer": np.ones((3, 2, 2), np.int64),
            }
        )
    )


def make_features() -> bytes:
    """Features with what they are of."""
    from safetensors.numpy import save

    about = {"corpus_sha256": "0" * 64, "judge": {"name": "clip"}, "files": {}, "size": 64, "n": 2}
    tensors = {"features": np.ones((2, 3), np.float32), "pictures": np.zeros((2, 32), np.uint8)}
    return bytes(save(tensors, {"lepbench": json.dumps(about)}))


def list_sketches() -> dict[str, Reader]:
    """Pictures and drawings."""
    points = np.array([[1, 2, 0], [3, 4, 1], [5, 6, 0], [9, 9, 2]], np.float32)
    stored = io.BytesIO()
    np.save(stored, points)
    picture = np.random.default_rng(0).integers(0, 255, (24, 40, 3), np.uint8)
    strokes = np.full((64, 64, 3), 255, np.uint8)
    strokes[20:23, 8:50] = 0
    doodles = f"{json.dumps(DOODLE)}\n".encode() * 2

    def read_picture(at: Path) -> None:
        decode_picture((at / "p.png").read_bytes(), 10_000_000)

    def read_doodles(at: Path) -> None:
        book = QuickDraw(path=at).open()
        list(book.names())
        for number in range(book.count):
            book.drawing(number)

    def check_picture(at: Path) -> None:
        check_rgb(at / "p.png")
        read_size(at / "p.png")
        open_rgb(at / "p.png")

    return {
        "picture": Reader("p.png", encode_png(picture), check_picture),
        "jpeg": Reader("p.png", encode_other(picture, "JPEG"), check_picture),
        "tiff": Reader("p.png", encode_other(picture, "TIFF"), check_picture),
        "webp": Reader("p.png", encode_other(picture, "WEBP"), check_picture),
        "corpus picture": Reader("p.png", encode_png(picture), read_picture),
        "sketch": Reader("s.png", encode_png(strokes), lambda at: read_sketch(at / "s.png")),
        "svg": Reader("d.svg", SVG, lambda at: read_drawing((at / "d.svg").read_bytes())),
        "ndjson": Reader("cat.ndjson", doodles, read_doodles),
        "npy": Reader("p.npy", stored.getvalue(), lambda at: split_strokes(load_points(at / "p.npy"))),
    }


def encode_other(picture: np.ndarray, format: str) -> bytes:
    """A picture in a format of Pillow."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format)
    return stream.getvalue()
