"""Suites: make one of a corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.detectors import Detector
from lepbench.suite_sources import write_suite
from lepbench.suite_sources.request import make_suite_source
from lepbench.suites import Suite


def make_suite(
    corpus: str,
    path: str | Path | None,
    out: str | Path,
    *,
    name: str | None = None,
    items: int | None = None,
    size: int | None = None,
    seed: int | None = None,
    detector: str | Mapping[str, Any] | Detector | None = None,
    device: str | None = None,
    exclude: str | Path | Sequence[str | Path] = (),
    prompt: str | None = None,
    secret: str | Path | None = None,
    progress: ShowProgress = True,
    **settings: Any,
) -> Suite:
    """Make a frozen suite of a corpus, as `lepbench suite make` does.

    Args:
        corpus: "triplets", "folder", "sketchworld", a corpus of drawings (`lepbench list sketches`), or a
            kind of variants of the suite at `path`, such as "completion".
        path: where it is; None for a corpus that needs no place.
        out: folder to write.
        name: of the suite, a part of its seeds; `CORPUS-ITEMS` unless given.
        items: how many at most, of variants how many originals; 256 unless given, of a folder all, of
            variants the suite's default number.
        size: side of pictures and sketches, px; 512 unless given, of triplets their own.
        seed: of the order; 0 unless given.
        detector: of triplets: makes the edge maps anew.
        device: of triplets: where it runs: "cpu", "cuda", or "auto" for a GPU if there is one and it is a
            network.
        exclude: of triplets: built folders, suites and folders whose pictures are left out.
        prompt: template for drawings with a class and no caption, with `{label}` in it.
        secret: of sketchworld: the file that chooses the scenes, made of random bytes where there is none.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).
        settings: of the corpus, as `--set` takes them.

    Returns:
        The suite; `definition.drawn` says what was left out, `rejected.jsonl` in `out` lists it.

    Raises:
        LepbenchError: nothing can be used, an option is none of the corpus's, or `out` holds files.
    """
    given = {
        "items": items,
        "size": size,
        "seed": seed,
        "detector": dict(detector) if isinstance(detector, Mapping) else detector,
        "device": device,
        "exclude": tuple(map(Path, [exclude] if isinstance(exclude, str | Path) else exclude)) or None,
        "prompt": prompt,
        "secret": None if secret is None else Path(secret),
    }
    options = {key: value for key, value in given.items() if value is not None}
    source = make_suite_source(corpus, None if path is None else Path(path), options, settings)
    with follow_progress(progress) as show:
        write_suite(source, Path(out), show, name)
    return Suite(Path(out))
