"""`lepbench build-data`: a captioned corpus becomes a folder of picture, edge map and caption."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.data.config import BuildConfig
    from lepbench.data.manifest import Manifest


@click.command("build-data")
@click.argument("source")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--detector", help="Edge detector, with its usual settings.  [default: canny]")
@click.option("--size", type=int, help="Side of the square pictures, px.  [default: 64]")
@click.option("--limit", type=int, help="Entries to try.  [default: all; 4096 of sketchworld]")
@click.option("--split", help="sketchworld: which split.  [default: train]")
@click.option("--start", type=int, help="sketchworld: first scene.  [default: 0]")
@click.option("--licence", help="A folder: licence of its pictures, for the record.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a sentence.")
def command(source: str, out: Path, as_json: bool, **options: Any) -> None:
    """Build a triplet dataset: picture, edge map (white on black) and caption.

    SOURCE is "sketchworld", a folder of pictures with captions (a .txt beside each, or metadata.jsonl or
    metadata.csv with file_name and text), or a YAML file. Options win over the file. What cannot be used is
    left out and named, with the reason, in OUT/rejected.jsonl. The same command finishes what was
    interrupted; `datasets.load_dataset(OUT)` opens the result.

    \b
    Examples:
      lepbench build-data sketchworld --out triplets --limit 4096
      lepbench build-data photos --out triplets --size 512 --detector sobel
      lepbench build-data examples/build-data.yaml --out triplets --json
    """
    from lepbench.data.build import build

    config = configuration(source, {key: value for key, value in options.items() if value is not None})
    manifest = with_bar(lambda progress: build(config, out, progress))
    click.echo(json.dumps(summary(manifest)) if as_json else sentence(manifest, out))


def configuration(source: str, options: dict[str, Any]) -> BuildConfig:
    """The configuration that SOURCE and the options together ask for.

    Raises:
        LepbenchError: SOURCE is nothing known, or a setting does not fit.
    """
    from pydantic import ValidationError

    from lepbench.config import explain
    from lepbench.data.config import BuildConfig

    settings = read_source(source)
    of_source = {key: options.pop(key) for key in ("split", "start", "licence") if key in options}
    settings |= options | {"source": settings["source"] | of_source}
    try:
        return BuildConfig.model_validate(settings)
    except ValidationError as error:
        raise LepbenchError(explain(error, BuildConfig)) from error


def read_source(source: str) -> dict[str, Any]:
    """The settings that SOURCE stands for: a corpus by name, a folder, or a YAML file."""
    from lepbench.config import load_config
    from lepbench.data.config import BuildConfig
    from lepbench.data.sources import SOURCES
    from lepbench.registry import suggestion

    path = Path(source)
    # Sources that need no further setting go by their names.
    names = [n for n in SOURCES if not any(f.is_required() for f in SOURCES.get(n).model_fields.values())]
    if source in names:
        return {"source": {"name": source}}
    if path.is_dir():
        return {"source": {"name": "folder", "path": path}}
    if path.suffix in (".yaml", ".yml"):
        return load_config(path, BuildConfig).model_dump(exclude_unset=True)
    raise LepbenchError(f"{source!r} is no corpus, folder or YAML file", suggestion(source, names))


def with_bar(work: Callable[[Callable[[int, int], None]], Manifest]) -> Manifest:
    """Run `work(progress)` under a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    with ExitStack() as stack:

        def progress(done: int, total: int) -> None:
            # Shown with the first news only, so that a refused build prints its one line and nothing else.
            if not bar.tasks:
                stack.enter_context(bar)
                bar.add_task("triplets")
            bar.update(bar.task_ids[0], completed=done, total=total)

        return work(progress)


def summary(manifest: Manifest) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "written": manifest.written,
        "rejected": sum(manifest.rejected.values()),
        "shards": len(manifest.shards),
        "sha256": manifest.sha256,
    }


def sentence(manifest: Manifest, out: Path) -> str:
    """What is printed for a person."""
    rejected = ", ".join(f"{count} {reason}" for reason, count in manifest.rejected.items())
    left_out = f"; left out: {rejected}" if rejected else ""
    return f"{manifest.written} triplets in {len(manifest.shards)} shards in {out}{left_out}"
