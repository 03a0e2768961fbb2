"""`lepbench build-data`: build a folder of images, edge maps and captions from a captioned corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.bars import show_bars
from lepbench.cli.console import say_note
from lepbench.cli.pairs import parse_pair
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.data.build import BuildResult
    from lepbench.data.config import BuildConfig
    from lepbench.data.survey import Survey

OF_DETECTOR = "--detector-set"


@click.command("build-data")
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--detector", help="Edge detector, with its default settings.  [default: canny]")
@click.option(
    OF_DETECTOR, "of_detector", multiple=True, metavar="KEY=VALUE", help="A setting of the detector."
)
@click.option("--device", help="cpu, cuda, or auto: cuda for network detectors if available.  [default: cpu]")
@click.option(
    "--edges",
    help="binary, soft (edge strengths) or drawn (human sketches).  [default: binary; openmoji: drawn]",
)
@click.option("--size", help="Side of the square images, px, or 'original'.  [default: 64]")
@click.option("--store", help="png, jpeg, or auto: as the original.  [default: auto]")
@click.option("--limit", type=int, help="Entries to try.  [default: all; 4096 of sketchworld]")
@click.option("--shard-rows", type=int, help="Entries tried per shard.  [default: 512]")
@click.option("--max-pixels", type=int, help="Maximum pixels of an original.  [default: 1e8]")
@click.option("--max-caption", type=int, help="Maximum characters of a caption.  [default: 2000]")
@click.option("--split", help="Which split of the source.")
@click.option("--start", type=int, help="sketchworld: first scene.  [default: 0]")
@click.option("--licence", help="Licence of the images.  [default: unknown]")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the source.")
@click.option("--duplicates", help="keep; exact or near: remove such duplicates.  [default: exact]")
@click.option("--distance", type=int, help="Bits of 64 by which near duplicates may differ.  [default: 4]")
@click.option("--min-edges", type=float, help="Minimum share of edge pixels.  [default: 1e-4]")
@click.option("--max-edges", type=float, help="Maximum share of edge pixels.  [default: 0.5]")
@click.option(
    "--exclude",
    multiple=True,
    metavar="SET",
    help="Built folder, suite or folder of pictures to exclude. Repeatable.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Shards made in parallel.  [default: 1; with ray the cluster's processors]",
)
@click.option("--engine", help="here, processes or ray.  [default: processes for several workers]")
@click.option(
    "--shards", metavar="I/N", help="Make only every N-th shard, from the I-th: one job of an array."
)
@click.option("--retry-failed", is_flag=True, help="Retry entries that could not be read.")
@click.option("--dry-run", is_flag=True, help="Estimate only: counts, cost and a sheet of 16 triplets.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a sentence.")
def command(
    source: str,
    out: Path | None,
    workers: int | None,
    engine: str | None,
    shards: str | None,
    retry_failed: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Build a triplet dataset: picture, edge map (white on black) and caption.

    SOURCE is a corpus by name (`lepbench list sources`), a folder of images with captions (a .txt beside
    each, or metadata.jsonl, .csv or .parquet with columns of file names and captions), or a YAML file.
    Options override the file. Rejected entries are listed with the reason in OUT/rejected.jsonl. The same
    command resumes an interrupted build; `datasets.load_dataset(OUT)` opens the result.

    \b
    Examples:
      lepbench build-data sketchworld --out triplets --limit 4096
      lepbench build-data photos --dry-run --size 512
      lepbench build-data photos --out triplets --size 512 --detector cv2-canny --workers 8
      lepbench build-data photos --out triplets --detector xdog --detector-set threshold=0.3
      lepbench build-data coco --set annotations=captions.json --set images=val2017 --out coco --size 512
      lepbench build-data photos --out triplets --exclude sketchworld-edges-v1 --duplicates near
      lepbench build-data examples/build-data.yaml --out triplets --shards 3/8
    """
    from lepbench.engines import choose_engine
    from lepbench.shares import parse_share

    config = read_configuration(
        source, {key: value for key, value in options.items() if value not in (None, ())}
    )
    runner, share = choose_engine(engine, workers), None if shards is None else parse_share(shards)
    if dry_run:
        look(config, out, retry_failed, as_json)
        return
    if out is None:
        raise LepbenchError("no folder to write", "give --out DIR, or --dry-run to look first")
    from lepbench.data.build import build_triplets

    with show_bars() as progress:
        result = build_triplets(
            config, out, progress=progress, engine=runner, share=share, retry=retry_failed
        )
    click.echo(json.dumps(summary(result)) if as_json else sentence(result, out))
    if result.note:
        say_note(result.note)


def read_configuration(source: str, options: dict[str, Any]) -> BuildConfig:
    """The configuration given by SOURCE and the options.

    Raises:
        LepbenchError: SOURCE is unknown, or a setting is invalid.
    """
    from lepbench.data.request import make_build_config

    of_source = dict(map(parse_pair, options.pop("settings", ())))
    of_detector = dict(parse_pair(text, OF_DETECTOR) for text in options.pop("of_detector", ()))
    return make_build_config(source, options, of_source, of_detector)


def look(config: BuildConfig, out: Path | None, retry: bool, as_json: bool) -> None:
    """Print an estimate of a build, and write a contact sheet beside its output folder."""
    from lepbench.data.sheet import draw_contact_sheet
    from lepbench.data.survey import SHOWN, survey_build
    from lepbench.files import write_bytes
    from lepbench.images import encode_png

    found = survey_build(config, out, retry)
    sheet = Path(f"{out or 'build-data'}.dry-run.png")
    if found.triplets:
        write_bytes(sheet, encode_png(draw_contact_sheet(found.triplets, SHOWN)))
    if found.note:
        say_note(found.note)
    estimate = describe_estimate(found) | ({"sheet": str(sheet)} if found.triplets else {})
    if as_json:
        click.echo(json.dumps(estimate))
        return
    left_out = "".join(f", {count} {reason}" for reason, count in found.rejected.items())
    click.echo(
        f"{found.entries} entries; of {found.sampled} tried, {len(found.triplets)} are triplets{left_out}; "
        f"about {found.seconds:,.0f} s of one process and {found.bytes / 1e6:,.0f} MB"
    )
    if found.triplets:
        click.echo(f"some of them: {sheet}")


def describe_estimate(found: Survey) -> dict[str, Any]:
    """The output of `--dry-run --json`."""
    fields = found._asdict()
    del fields["triplets"], fields["note"]
    return fields | {"seconds": round(found.seconds, 1)}


def summary(result: BuildResult) -> dict[str, Any]:
    """The output of `--json`."""
    manifest = result.manifest
    return {
        "written": manifest.written,
        "rejected": sum(manifest.rejected.values()),
        "shards": result.made,
        "planned": result.planned,
        "sha256": manifest.sha256,
    }


def sentence(result: BuildResult, out: Path) -> str:
    """The output without `--json`."""
    manifest = result.manifest
    if manifest.sha256 is None:
        return (
            f"{result.made} of {result.planned} shards are in {out}; "
            "when all are, the same command without --shards finishes the set"
        )
    rejected = ", ".join(f"{count} {reason}" for reason, count in manifest.rejected.items())
    left_out = f"; left out: {rejected}" if rejected else ""
    return f"{manifest.written} triplets in {result.made} shards in {out}{left_out}"
