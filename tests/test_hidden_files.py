"""Hidden files, and those that operating systems leave, are no pictures of any reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lepbench.data.sources import Folder
from lepbench.errors import LepbenchError
from lepbench.files import is_hidden, list_visible, walk_visible
from lepbench.judges.weights import list_model_files
from lepbench.methods.precomputed import Precomputed
from lepbench.scoring.boundaries import find_pairs
from lepbench.scoring.features import find_pictures
from lepbench.scoring.prompts import find_prompts
from lepbench.sketches import SKETCHES

DROPPINGS = (
    ".hidden{}",
    "._0{}",
    ".ipynb_checkpoints/0-checkpoint{}",
    ".thumbnails/deep/0{}",
    "__MACOSX/._0{}",
    "__MACOSX/photos/0{}",
    "@eaDir/0{}",
    "Thumbs.db",
    "desktop.ini",
    ".DS_Store",
)


def put_droppings(folder: Path, suffix: str, content: bytes) -> None:
    for name in DROPPINGS:
        path = folder / name.format(suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures in a folder that is itself below a hidden one, among droppings."""
    folder = tmp_path / ".cache" / "pictures"
    put_droppings(folder, ".png", b"no picture")
    for number in range(4):
        Image.fromarray(np.full((8, 8), 60 * number, np.uint8)).save(folder / f"{number}.png")
    return folder


def test_hidden_is_told_by_any_part_of_a_path() -> None:
    assert all(is_hidden(name.format(".png")) for name in DROPPINGS)
    assert not any(map(is_hidden, ("a.png", "./a.png", "../a.png", "a.b/c.png", "_a/b.png", "a\\b.png")))
    assert is_hidden("a\\.b\\c.png")


def test_a_folder_below_a_hidden_one_is_listed_without_what_is_hidden_in_it(pictures: Path) -> None:
    names = [f"{number}.png" for number in range(4)]
    assert [path.name for path in list_visible(pictures)] == names
    (pictures / "more").mkdir()
    (pictures / "more" / "4.png").touch()
    (pictures / "link").symlink_to(pictures / "more")
    assert sorted(walk_visible(pictures)) == [*names, "link", "more/4.png"]


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"cannot list .*gone: No such file"):
        list_visible(tmp_path / "gone")
    with pytest.raises(LepbenchError, match=r"cannot list .*gone: No such file"):
        list(walk_visible(tmp_path / "gone"))


def test_no_reader_of_pictures_takes_them(pictures: Path) -> None:
    names = [f"{number}.png" for number in range(4)]
    corpus = Folder(path=pictures).open(8, None)
    assert [corpus.entry(number).id for number in range(corpus.count)] == names
    assert [path.name for path in find_pictures(pictures)] == names
    assert list(Precomputed(pictures).files) == names
    assert [pair.prediction.name for pair in find_pairs(pictures, pictures)] == names
    prompts = find_prompts(pictures, pictures)
    assert [prompt.reference.name for prompt in prompts] == names


def test_no_reader_of_drawings_and_weights_takes_them(tmp_path: Path) -> None:
    svg = tmp_path / ".cache" / "svg"
    for folder in (svg / "cat", svg):
        put_droppings(folder, ".svg", b"no drawing")
    (svg / "cat" / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L9 9"/></svg>')
    assert SKETCHES.get("svg")(name="svg", path=svg).open().count == 1
    lines = tmp_path / "doodles"
    put_droppings(lines, ".ndjson", b"no drawing")
    (lines / "cat.ndjson").write_text(
        '{"key_id": "1", "word": "cat", "recognized": true, "drawing": [[[0, 9], [0, 9]]]}\n'
    )
    assert SKETCHES.get("quickdraw")(name="quickdraw", path=lines).open().count == 1
    put_droppings(tmp_path / "judge", ".safetensors", b"")
    (tmp_path / "judge" / "model.safetensors").touch()
    assert [path.name for path in list_model_files(tmp_path / "judge")] == ["model.safetensors"]
