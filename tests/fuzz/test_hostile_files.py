"""Files that are made to break a reader: each is refused in one line, in little time and memory."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lepbench.config import load_config
from lepbench.data.manifest import load_manifest
from lepbench.documents import MOST_NODES, MOST_YAML
from lepbench.errors import LONGEST, LepbenchError
from lepbench.evaluation.layout import find_samples
from lepbench.evaluation.record import read_record
from lepbench.files import read_json
from lepbench.images import LARGEST, check_rgb, encode_png, open_rgb, read_size
from lepbench.judges.provenance import read_tensors
from lepbench.methods import ModelConfig
from lepbench.methods.precomputed import Precomputed
from lepbench.parquet import read_bounded
from lepbench.predictors import PREDICTORS, MlpConfig, MlpPredictor
from lepbench.predictors.pretrained import load_pretrained
from lepbench.suites import load_suite
from lepbench.suites.items import ItemFile

SECONDS = 2.0
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]\n" for n in range(8)
)


@contextmanager
def refused(part: str) -> Iterator[None]:
    """One short line that says this, soon."""
    start = time.process_time()
    with pytest.raises(LepbenchError) as caught:
        yield
    assert time.process_time() - start < SECONDS
    assert part in str(caught.value)
    assert len(str(caught.value)) <= LONGEST
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("name: 2024-13-45", "it is no timestamp (line 1, column 7)"),
        ("name: !!bool maybe", "it is no bool"),
        ("name: !!float ''", "it is no float"),
        ("name: !!binary x", "base64"),
        ("name: !!python/name:os.system", "could not determine a constructor"),
        ("name: " + "9" * 5000, "a number has too many digits"),
        ("name: 0x" + "f" * 60, "a number has too many digits"),
        ("name: " + "1:" * 30_000 + "1", "a number has too many digits"),
        ("name: &a [*a]", "an alias stands within what it stands for"),
        (BOMB, "it stands for more than 100000 values"),
        ("x: &x {k: 1}\n" + BOMB.replace("x, x", "*x, *x") + "method: {<<: *i}", "100000 values"),
        (f"method: {{name: lep, note: &z {'[' * 400}{']' * 400}}}", "nested too deeply"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
        ("[" + "1," * MOST_NODES + "1]", "it has more than 8000 values"),
        ("name: x\nname: y", "the key 'name' stands here twice"),
        ('name: "\\ud800"', "a lone surrogate"),
        ('name: "a\\0b"', "the character NUL"),
        ('name: "\\UFFFFFFFF"', "an escape that is no character"),
        ("%YAML " + "9" * 5000 + ".1\n---\nname: x", "a number has too many digits"),
        ("name: " + "x" * MOST_YAML, "more than the 131072 bytes"),
        ("name: " + "x" * 9000 + "!\nmethod: lep", "name must be a text of at most 100"),
        ("? " + "n" * 3000 + "\n: 1", "unknown key"),
        ("? [a, b]\n: c", "unhashable"),
    ],
)
def test_yaml_is_refused_in_one_line(text: str, part: str, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(text)
    with refused(part):
        load_config(tmp_path / "m.yaml", ModelConfig)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[" * 200_000, "more than 100000 values"),
        ("[" * 90_000, "nested too deeply"),
        ('{"a":' * 90_000, "nested too deeply"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": ' + "9" * 5000 + "}", "a number has too many digits"),
        ('{"a": 99999999999999999999}', "a number has too many digits"),
        ('{"a": "\\ud800"}', "a lone surrogate"),
        ('{"a\\u0000": 1}', "the character NUL"),
        ("[" + "0," * 300_000 + "0]", "more than"),
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("\ufeff{", "not valid JSON"),
    ],
)
def test_json_is_refused_in_one_line(text: str, part: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(text)
    with refused(part):
        read_json(path, "restore it")
    with refused("record.json"):
        read_record(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with refused("manifest.json"):
        load_manifest(tmp_path)


def test_json_may_begin_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": [1]}', encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json", "") == {"a": [1]}


def test_a_message_shows_no_control_characters() -> None:
    said = str(LepbenchError("a\x1b[2Jb\u202ec\ud800 d\n e", "f" * 3000))
    assert said.startswith("a\\x1b[2Jb\\u202ec\\ud800 d e; f")
    assert len(said) <= LONGEST
    assert str(LepbenchError("a" * 2000 + "end", "fix")).endswith("aend; fix")


@pytest.fixture
def predictor(tmp_path: Path) -> Path:
    """The folder of a small predictor."""
    config = MlpConfig(taps={"down": 4}, hidden=(8, 4), out_channels=4, train_timesteps=1000)
    MlpPredictor(config).save_pretrained(tmp_path / "lep")
    return tmp_path / "lep"


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ({"hidden": [10**9, 10**9]}, "asks for a size of 1000000000"),
        ({"taps": {"down": 10**12}}, "asks for a size of 1000000000000"),
        ({"hidden": [8] * 1000}, "hidden must have at most 64 entries"),
        ({"hidden": [8, 5]}, "the config asks for [5, 8, 1, 1]"),
        ({"hidden": [8, 4, 4]}, "does not fit its config.json"),
        ({"taps": {"down": 4, "up": 4}}, "it lacks"),
        ({"name": "aggregated", "width": 60, "head": 10**6}, "head must be at most 64"),
    ],
)
def test_a_config_of_another_network_is_refused_before_it_is_built(
    keys: dict[str, object], part: str, predictor: Path
) -> None:
    path = predictor / "config.json"
    known = json.loads(path.read_text()) | keys
    if "width" in keys:
        known = {key: value for key, value in known.items() if key not in ("hidden", "time")}
    path.write_text(json.dumps(known))
    with refused(part):
        load_pretrained(predictor, PREDICTORS)


def write_header(path: Path, header: object, body: bytes, stated: int | None = None) -> None:
    """Write a file of safetensors, its header as long as is stated."""
    content = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(content) if stated is None else stated) + content + body)


def entry(shape: list[object], *offsets: object, dtype: str = "F32") -> dict[str, object]:
    """A tensor in a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ({"features": entry([2, 2], 0, 12)}, "not as long as its shape"),
        ({"features": entry([2**40, 2**40], 0, 16)}, "not as long as its shape"),
        ({"features": entry([1], 0, 4), "b": entry([4], 0, 16)}, "not where it should be"),
        ({"features": entry([1], 0, 4), "b": entry([2], 8, 16)}, "not where it should be"),
        ({"features": entry([1], 0, 4)}, "end at byte 4 of 16"),
        ({"features": entry([4], 0, 16, dtype="F7")}, "of no known type"),
        ({"features": entry([-4], 0, 16)}, "in whole numbers"),
        ({"features": entry([True], 0, 16)}, "in whole numbers"),
        ({"features": 7}, "of no known type"),
        ([1], "no mapping"),
    ],
)
def test_a_header_that_lies_is_refused(header: object, part: str, tmp_path: Path) -> None:
    write_header(tmp_path / "f.safetensors", header, bytes(16))
    with refused(part):
        read_tensors(tmp_path / "f.safetensors", "features")


@pytest.mark.parametrize("stated", [2**63, 2**40, 10**6, 0, 3])
def test_a_header_of_another_length_is_refused(stated: int, tmp_path: Path) -> None:
    write_header(tmp_path / "f.safetensors", {"features": entry([4], 0, 16)}, bytes(16), stated)
    with refused("no safetensors file"):
        read_tensors(tmp_path / "f.safetensors", "features")


SKETCH = encode_png(np.eye(8, dtype=bool))
ITEM = {"item_id": "a", "prompt": "a line", "sketch": SKETCH}


@pytest.mark.parametrize(
    ("columns", "part"),
    [
        ({"item_id": pa.array([None], pa.string())}, "column 'item_id' has empty cells"),
        ({"item_id": [7]}, "column 'item_id' holds int64, not string"),
        ({"item_id": ["../../x"]}, "can be no item's name"),
        ({"item_id": ["x" * 300]}, "can be no item's name"),
        ({"prompt": [["a", "b"]]}, "column 'prompt' holds list"),
        ({"sketch": pa.array([None], pa.binary())}, "item 'a': it has no sketch"),
        ({"sketch": [b"x"]}, "is not an image that can be read"),
        ({"sketch": [SKETCH[:50]]}, "cannot be decoded"),
        ({"sketch": [encode_png(np.zeros((8, 8, 3), np.uint8))]}, "its sketch is uint8"),
        ({"image": [SKETCH]}, "its image is bool"),
        ({"strokes": [encode_png(np.zeros((9, 8), np.uint8))]}, "its strokes is uint8 (9, 8)"),
        ({"scene": ["[" * 100_000]}, "nested too deeply"),
        ({"scene": ['{"things": [7]}']}, "lists no things"),
        ({"weight": ["much"]}, "column 'weight' holds string, not double"),
    ],
)
def test_items_of_other_columns_are_refused(columns: dict[str, Any], part: str, tmp_path: Path) -> None:
    row = {key: [value] for key, value in ITEM.items()} | columns
    pq.write_table(pa.table(row), tmp_path / "items.parquet")
    with refused(part):
        file = ItemFile(tmp_path / "items.parquet")
        assert file.ids
        file.read(0)


def test_two_items_of_one_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([ITEM, ITEM]), tmp_path / "items.parquet")
    with refused("two items of one name"):
        assert ItemFile(tmp_path / "items.parquet").ids


def test_a_small_file_of_a_large_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepbench.parquet.MOST_BYTES", 1 << 24)
    path = tmp_path / "t.parquet"
    cells = pa.array(["x" * 10_000] * 3_000)
    pq.write_table(pa.table({"text": cells}), path, compression="zstd")
    del cells
    assert path.stat().st_size < 100_000
    with refused("of what is read at once"):
        read_bounded(path, fix="make it again")


def save_bomb(path: Path) -> None:
    """A picture of 0.2 GB in black and white, which RGB makes 4 GB."""
    head = struct.pack(">II5B", 40_000, 40_000, 1, 0, 0, 0, 0)
    plain = encode_png(np.eye(8, dtype=bool))
    chunk = b"IHDR" + head
    path.write_bytes(plain[:12] + chunk + struct.pack(">I", zlib.crc32(chunk)) + plain[33:])


@pytest.mark.parametrize("read", [check_rgb, open_rgb, read_size])
def test_pictures_are_checked_before_they_are_decoded(read: Callable[[Path], object], tmp_path: Path) -> None:
    save_bomb(tmp_path / "bomb.png")
    with refused(f"bomb.png has more than {LARGEST} pixels"):
        read(tmp_path / "bomb.png")
    (tmp_path / "folder.png").mkdir()
    with refused("folder.png is no plain file"):
        read(tmp_path / "folder.png")
    os.mkfifo(tmp_path / "pipe.png")
    with refused("pipe.png is no plain file"):
        read(tmp_path / "pipe.png")
    (tmp_path / "script.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with refused("is not an image that can be read"):
        read(tmp_path / "script.png")


@pytest.mark.parametrize("kind", ["16-bit", "CMYK", "animated", "another suffix"])
def test_odd_pictures_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    grey = np.full((6, 9), 40_000, np.uint16)
    if kind == "16-bit":
        path.write_bytes(encode_png(grey))
    elif kind == "animated":
        frames = [Image.new("RGB", (9, 6), colour) for colour in ("red", "blue")]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    else:
        Image.new("CMYK" if kind == "CMYK" else "RGB", (9, 6)).save(path, "JPEG")
    assert open_rgb(path).size == check_rgb(path) == (9, 6)


def test_names_that_no_file_has_are_refused(tmp_path: Path) -> None:
    with refused("unknown suite"):
        load_suite("x" * 5000)
    with refused("no model folder"):
        load_pretrained("x" * 5000 + "/", PREDICTORS)
    with refused("cannot read"):
        load_config(Path("x" * 5000), ModelConfig)
    with refused("cannot read"):
        load_config(Path("a\0b"), ModelConfig)


def test_links_out_of_a_run_are_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"x")
    (tmp_path / "run" / "samples.parquet").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "run" / "record.json").symlink_to("record.json")
    with refused("is a link to a file outside"):
        find_samples(tmp_path / "run")
    with refused("record.json"):
        read_record(tmp_path / "run")


def test_links_out_of_a_folder_of_pictures_are_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "pictures", tmp_path / "other"
    for folder in (inside, outside):
        folder.mkdir()
        Image.new("RGB", (8, 8)).save(folder / "a-0.png")
    (inside / "b-0.png").symlink_to("a-0.png")
    Precomputed(inside).check(["a-0.png", "b-0.png"])
    (inside / "b-0.png").unlink()
    (inside / "b-0.png").symlink_to(outside / "a-0.png")
    with refused("b-0.png is a link to a file outside"):
        Precomputed(inside).check(["a-0.png", "b-0.png"])


MEASURE = """
import resource, sys
from pathlib import Path
from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.files import read_json
from lepbench.images import open_rgb
from lepbench.methods import ModelConfig
from lepbench.parquet import read_bounded
from lepbench.predictors import PREDICTORS
from lepbench.predictors.pretrained import load_pretrained
at = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for read in (
    lambda: load_config(at / "m.yaml", ModelConfig),
    lambda: read_json(at / "deep.json", ""),
    lambda: read_json(at / "wide.json", ""),
    lambda: open_rgb(at / "bomb.png"),
    lambda: load_pretrained(at / "lep", PREDICTORS),
):
    try:
        read()
    except LepbenchError:
        continue
    raise SystemExit("it was read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_hostile_files_take_little_memory(predictor: Path) -> None:
    folder = predictor.parent
    (folder / "m.yaml").write_text(BOMB)
    (folder / "deep.json").write_text("[" * 60_000_000)
    (folder / "wide.json").write_text("[" + "[]," * 15_000_000 + "0]")
    save_bomb(folder / "bomb.png")
    path = predictor / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden": [10**6, 10**6]}))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, folder], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 500 * 1024
