"""Features of real pictures: those of the judge, made once, resumed, and never those of other pictures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from tiny_extractors import weights

from lepbench.api.corpora import open_pictures
from lepbench.engines import Processes
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.judges import InceptionJudgeConfig, JudgeStatistics, SketchworldSegmenterConfig
from lepbench.judges.provenance import hash_pictures, read_digests, read_provenance
from lepbench.progress import Progress, ignore_progress
from lepbench.scoring import feature_job, statistics
from lepbench.scoring.extractors import load_extractor
from lepbench.scoring.feature_job import CHUNK, Computing
from lepbench.scoring.features import hash_pixels
from lepbench.scoring.images import extract_folder_features
from lepbench.scoring.statistics import Statistics, make_statistics, read_statistics

__all__ = ["weights"]

COUNT = 20


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures of two sizes and formats."""
    folder, random = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for number in range(COUNT):
        side = 40 if number % 3 else 56
        pixels = random.integers(0, 256, (side, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.{'png' if number % 2 else 'jpg'}")
    return folder


@pytest.fixture
def judge(weights: Path) -> InceptionJudgeConfig:
    return InceptionJudgeConfig(label="tiny", weights=str(weights), sha256=sha256_file(weights))


def make(
    photos: Path,
    out: Path,
    *judges: Any,
    size: int | None = None,
    limit: int | None = None,
    computing: Computing | None = None,
    progress: Progress = ignore_progress,
) -> Statistics:
    corpus = open_pictures(photos, size=size, limit=limit, progress=ignore_progress)
    return make_statistics(corpus, judges, out, computing or Computing("cpu"), progress=progress)


def test_features_are_those_of_the_extractor(photos: Path, tmp_path: Path, judge: Any, weights: Path) -> None:
    made = make(photos, tmp_path / "out", judge)
    path = tmp_path / "out" / "tiny.safetensors"
    extractor = load_extractor(f"torchscript:{weights}", judge.sha256)
    known = extract_folder_features(photos, extractor, ignore_progress)
    assert np.array_equal(JudgeStatistics.load(path).features, known.features)
    assert np.ptp(known.features) > 0
    assert [row.tobytes().hex() for row in read_digests(path)] == known.digests
    assert (made.n, made.judges["tiny"].dimensions, made.repeated) == (COUNT, 12, 0)
    assert read_statistics(tmp_path / "out") == made


def test_a_file_says_what_it_holds(photos: Path, tmp_path: Path, judge: Any) -> None:
    made = make(photos, tmp_path / "out", judge, size=32, limit=9)
    about = read_provenance(tmp_path / "out" / "tiny.safetensors")
    assert about is not None
    pictures = open_pictures(photos, size=32, limit=9, progress=ignore_progress).pictures
    digests = [bytes.fromhex(hash_pixels(pictures.read(number))) for number in range(9)]
    assert pictures.read(0).shape == (32, 32, 3)
    assert about.corpus_sha256 == hash_pictures(np.frombuffer(b"".join(digests), np.uint8))
    assert about.files == {Path(judge.weights).name: judge.sha256}
    assert (about.size, about.n, about.name) == (32, 9, made.judges["tiny"].name)
    assert {"label", "use", "weights"}.isdisjoint(about.judge)


def test_the_name_is_of_what_decides_the_features(photos: Path, tmp_path: Path, judge: Any) -> None:
    def name(**options: Any) -> str:
        out = tmp_path / "-".join(["out", *map(str, options.values())])
        return make(photos, out, judge, **options).judges["tiny"].name

    names = {name(), name(size=32), name(limit=8)}
    moved = photos.rename(tmp_path / "elsewhere")
    again = make(moved, tmp_path / "moved", judge)
    assert len(names) == 3
    assert again.judges["tiny"].name in names
    assert sha256_file(tmp_path / "moved" / "tiny.safetensors") == sha256_file(
        tmp_path / "out" / "tiny.safetensors"
    )


def test_what_is_there_is_not_made_again(
    photos: Path, tmp_path: Path, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(photos, tmp_path / "out", judge)
    second = judge.model_copy(update={"label": "second"})
    both = make(photos, tmp_path / "out", judge, second)
    assert list(both.judges) == ["tiny", "second"]
    assert both.judges["tiny"] == first.judges["tiny"]
    assert both.judges["second"].name == first.judges["tiny"].name

    def refuse(*_: Any) -> None:
        raise AssertionError("a network was loaded")

    monkeypatch.setattr(statistics, "load_embeds", refuse)
    assert make(photos, tmp_path / "out", judge, second) == both
    (tmp_path / "out" / "second.safetensors").unlink()
    with pytest.raises(AssertionError, match="a network was loaded"):
        make(photos, tmp_path / "out", judge, second)


def test_an_interrupted_run_goes_on_where_it_was(
    photos: Path, tmp_path: Path, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    make(photos, whole, judge)
    monkeypatch.setattr(feature_job, "CHUNK", 8)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(photos, tmp_path / "out", judge, progress=stop)
    assert not (tmp_path / "out" / "statistics.json").exists()
    seen: list[int] = []
    make(photos, tmp_path / "out", judge, progress=lambda stage, done, total: seen.append(done))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "statistics.json",
        "tiny.safetensors",
    ]
    assert seen[:2] == [8, 8], "the first chunk was read, not made"
    found, known = (load_file(folder / "tiny.safetensors") for folder in (tmp_path / "out", whole))
    # Batches of another number of pictures differ in the last bits.
    assert np.allclose(found["features"], known["features"], rtol=1e-5, atol=1e-7)
    assert np.array_equal(found["pictures"], known["pictures"])
    assert CHUNK % 32 == 0


@pytest.mark.slow
def test_two_processes_leave_the_same_bytes(
    photos: Path, tmp_path: Path, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_job, "CHUNK", 8)
    told: list[int] = []
    make(photos, tmp_path / "here", judge)
    make(
        photos,
        tmp_path / "apart",
        judge,
        computing=Computing("cpu", Processes(2)),
        progress=lambda stage, done, total: told.append(done),
    )
    for name in ("tiny.safetensors", "statistics.json"):
        assert (tmp_path / "apart" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    assert told[0] == 0
    assert told == sorted(told)
    assert told[-1] == COUNT


def test_a_changed_corpus_is_refused(photos: Path, tmp_path: Path, judge: Any) -> None:
    make(photos, tmp_path / "out", judge)
    with pytest.raises(LepbenchError, match="another corpus than photos: it has another size"):
        make(photos, tmp_path / "out", judge, size=32)
    with pytest.raises(LepbenchError, match="another content and number of pictures"):
        make(photos, tmp_path / "out", judge, limit=10)
    shutil.copy(photos / "01.png", photos / "03.png")
    with pytest.raises(LepbenchError, match="it has another content; choose another --out"):
        make(photos, tmp_path / "out", judge)
    assert make(photos, tmp_path / "new", judge).repeated == 1


def test_another_judge_of_one_label_is_refused(photos: Path, tmp_path: Path, judge: Any) -> None:
    make(photos, tmp_path / "out", judge)
    other = judge.model_copy(update={"library": "torch-fidelity"})
    with pytest.raises(LepbenchError, match="features by another judge 'tiny'; give it another label"):
        make(photos, tmp_path / "out", other)
    with pytest.raises(LepbenchError, match="two judges are labelled 'tiny'"):
        make(photos, tmp_path / "new", judge, other)
    with pytest.raises(LepbenchError, match="no judge gives features"):
        make(photos, tmp_path / "new", SketchworldSegmenterConfig())


def test_a_picture_that_cannot_be_read_is_refused(photos: Path, tmp_path: Path, judge: Any) -> None:
    (photos / "03.png").write_bytes((photos / "03.png").read_bytes()[:200])
    with pytest.raises(LepbenchError, match=r"03\.png cannot be decoded"):
        make(photos, tmp_path / "out", judge)
