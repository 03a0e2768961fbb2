"""COCO files as people have them: what an odd entry costs, against the reader of pycocotools, spelt out."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from picture_folders import jpeg, photograph

from lepbench.data.corpus import Original, Rejected
from lepbench.data.sources import Coco
from lepbench.errors import LepbenchError

PHOTOGRAPH = jpeg(photograph())
GOOD_IMAGES: list[Any] = [{"id": number, "file_name": f"{number}.jpg"} for number in (1, 2)]
GOOD_CAPTIONS: list[Any] = [
    {"id": 10, "image_id": 1, "caption": "one"},
    {"id": 11, "image_id": 1, "caption": "uno"},
    {"id": 12, "image_id": 2, "caption": "two"},
]
GOOD = {"1.jpg": "one", "1.jpg#2": "uno", "2.jpg": "two"}


def read_index(document: dict[str, Any]) -> dict[str, list[str]]:
    """File name -> captions, as `COCO.createIndex` of pycocotools 2.0 has `imgs` and `imgToAnns`."""
    images, of_image = {}, defaultdict(list)
    for image in document["images"]:
        images[image["id"]] = image
    for annotation in document["annotations"]:
        of_image[annotation["image_id"]].append(annotation)
    return {image["file_name"]: [a["caption"] for a in of_image[number]] for number, image in images.items()}


def opened(folder: Path, images: list[Any], annotations: list[Any], **others: Any) -> dict[str, Any]:
    """Id -> caption, or the reason with its detail."""
    (folder / "images").mkdir(exist_ok=True)
    for number in (1, 2):
        (folder / "images" / f"{number}.jpg").write_bytes(PHOTOGRAPH)
    path = folder / "captions.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations} | others))
    which = "all"
    corpus = Coco(annotations=path, images=folder / "images", captions=which).open(64, None)
    return {entry.id: load(entry.load) for entry in map(corpus.entry, range(corpus.count))}


def load(read: Any) -> str:
    try:
        original = read()
        assert isinstance(original, Original)
        return original.caption
    except Rejected as rejected:
        return str(rejected)


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"info": None, "licenses": None},
        {"licenses": [{"id": 1, "name": None}, {"name": "x"}, None, "y", {"id": [1], "name": "z"}]},
        {"licenses": {"1": "CC0"}},
        {"type": "captions", "categories": [{}]},
    ],
)
def test_what_is_not_used_may_be_missing_or_odd(tmp_path: Path, others: dict[str, Any]) -> None:
    images = [image | {"license": 1, "width": None, "date_captured": 7} for image in GOOD_IMAGES]
    assert opened(tmp_path, images, GOOD_CAPTIONS, **others) == GOOD


@pytest.mark.parametrize(
    ("odd", "rejects"),
    [
        ({"image_id": 2, "id": None, "caption": "dos"}, {"2.jpg#2": "dos"}),
        ({"image_id": 2, "caption": "dos"}, {"2.jpg#2": "dos"}),
        ({"id": 12, "image_id": 2, "caption": "dos"}, {"2.jpg#2": "dos"}),
        ({"id": "x", "image_id": "2", "caption": "dos"}, {"2.jpg#2": "dos"}),
        ({"id": 20, "image_id": 2.0, "caption": "dos"}, {"2.jpg#2": "dos"}),
        (
            {"id": 20, "image_id": 2, "bbox": [0, 0, 1, 1], "segmentation": []},
            {"2.jpg#2": "no caption: annotation 20 has bbox and segmentation"},
        ),
        ({"image_id": 2}, {"2.jpg#2": "no caption: an annotation has no caption"}),
        (
            {"id": 20, "image_id": 2, "caption": None},
            {"2.jpg#2": "no caption: annotation 20: its caption is null"},
        ),
        ({"id": 20, "image_id": 2, "caption": 7}, {"2.jpg#2": "no caption: annotation 20: its caption is 7"}),
        (
            {"id": 20, "image_id": 2, "caption": ["a", "b"]},
            {"2.jpg#2": 'no caption: annotation 20: its caption is ["a", "b"]'},
        ),
        (
            {"id": 20, "image_id": 2, "caption": float("nan")},
            {"2.jpg#2": "no caption: annotation 20: its caption is NaN"},
        ),
        ({"id": 20, "image_id": 2, "caption": ""}, {"2.jpg#2": ""}),
        (
            {"id": 20, "image_id": 3, "caption": "x"},
            {"annotation 20": "malformed metadata row: a caption of a picture that is not listed"},
        ),
        ({"id": 20, "caption": "x"}, {"annotation 20": "malformed metadata row: no image_id"}),
        (
            {"id": 20, "image_id": [1], "caption": "x"},
            {"annotation 20": "malformed metadata row: no image_id"},
        ),
        ({"image_id": True, "caption": "x"}, {"annotations[3]": "malformed metadata row: no image_id"}),
        (
            {"image_id": float("nan"), "caption": "x"},
            {"annotations[3]": "malformed metadata row: no image_id"},
        ),
        ("a", {"annotations[3]": "malformed metadata row: no JSON object"}),
        (None, {"annotations[3]": "malformed metadata row: no JSON object"}),
    ],
)
def test_an_odd_annotation_costs_itself_alone(tmp_path: Path, odd: Any, rejects: dict[str, str]) -> None:
    assert opened(tmp_path, GOOD_IMAGES, [*GOOD_CAPTIONS, odd]) == GOOD | rejects


@pytest.mark.parametrize(
    ("odd", "rejects"),
    [
        ({"id": 3, "file_name": None}, {"image 3": "malformed metadata row: no file_name"}),
        ({"id": 3}, {"image 3": "malformed metadata row: no file_name"}),
        ({"id": 3, "file_name": 3}, {"image 3": "malformed metadata row: no file_name"}),
        (
            {"id": 3, "coco_url": "http://images.cocodataset.org/3.jpg"},
            {"image 3": "picture is at an address: http://images.cocodataset.org/3.jpg"},
        ),
        (
            {"id": 3, "file_name": "https://example.org/3.jpg"},
            {"https://example.org/3.jpg": "no caption"},
        ),
        ({"id": None, "file_name": "3.jpg"}, {"3.jpg": "malformed metadata row: no id"}),
        ({"id": {}, "file_name": "3.jpg"}, {"3.jpg": "malformed metadata row: no id"}),
        (7, {"images[2]": "malformed metadata row: no JSON object"}),
    ],
)
def test_an_odd_picture_costs_itself_alone(tmp_path: Path, odd: Any, rejects: dict[str, str]) -> None:
    assert opened(tmp_path, [*GOOD_IMAGES, odd], GOOD_CAPTIONS) == GOOD | rejects


def test_each_caption_of_a_picture_that_cannot_be_used_is_counted(tmp_path: Path) -> None:
    images = [GOOD_IMAGES[1], {"id": 1, "file_name": None}]
    fault = "malformed metadata row: no file_name"
    found = opened(tmp_path, images, GOOD_CAPTIONS)
    assert found == {"2.jpg": "two", "image 1": fault, "image 1#2": fault}
    address = [GOOD_IMAGES[1], {"id": 1, "file_name": "https://example.org/1.jpg"}]
    assert (
        "picture is at an address: https://example.org/1.jpg"
        in opened(tmp_path, address, GOOD_CAPTIONS).values()
    )


@pytest.mark.parametrize("mixed", [str, lambda number: number if number == 1 else str(number)])
def test_ids_may_be_strings_or_both(tmp_path: Path, mixed: Any) -> None:
    images = [image | {"id": mixed(image["id"])} for image in GOOD_IMAGES]
    annotations = [
        one | {"id": mixed(one["id"]), "image_id": mixed(one["image_id"])} for one in GOOD_CAPTIONS
    ]
    assert opened(tmp_path, images, annotations) == GOOD
    assert opened(tmp_path, images, GOOD_CAPTIONS) == GOOD


def test_the_last_of_equal_ids_counts_as_in_pycocotools(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "2.jpg"}, {"id": 1, "file_name": "1.jpg"}]
    annotations = [{"id": 5, "image_id": 1, "caption": "a"}, {"id": 5, "image_id": 1, "caption": "b"}]
    theirs = read_index({"images": images, "annotations": annotations})
    found = opened(tmp_path, images, annotations)
    assert found.pop("2.jpg") == "malformed metadata row: a later picture has the id 1, too"
    assert found == {"1.jpg": "a", "1.jpg#2": "b"}
    assert theirs == {"1.jpg": list(found.values())}


def test_a_file_without_faults_is_read_as_by_pycocotools(tmp_path: Path) -> None:
    theirs = read_index({"images": GOOD_IMAGES, "annotations": GOOD_CAPTIONS})
    found = opened(tmp_path, GOOD_IMAGES[::-1], GOOD_CAPTIONS[::-1])
    assert [caption for captions in theirs.values() for caption in captions] == list(found.values())


def test_pictures_below_the_folder_may_be_named_with_backslashes(tmp_path: Path) -> None:
    (tmp_path / "images" / "caf\u00e9").mkdir(parents=True)
    (tmp_path / "images" / "caf\u00e9" / "3.jpg").write_bytes(PHOTOGRAPH)
    images = [{"id": 3, "file_name": "cafe\u0301\\3.jpg"}]
    found = opened(tmp_path, images, [{"image_id": 3, "caption": "three"}])
    assert found == {"cafe\u0301\\3.jpg": "three"}


def test_a_compressed_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "captions.json.gz"
    path.write_bytes(gzip.compress(b"{}"))
    with pytest.raises(LepbenchError, match=r"is compressed; decompress it: gunzip -k captions\.json\.gz"):
        Coco(annotations=path, images=tmp_path).open(64, None)
