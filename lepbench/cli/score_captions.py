"""`lepbench score captions`: pictures against the captions they were drawn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lepbench.cli.console import say_note

if TYPE_CHECKING:
    from lepbench.judges import JudgeConfig
    from lepbench.scoring.captions import CaptionedPicture

FolderPath = click.Path(path_type=Path)
DEFAULT = ("lepbench-photographs-v1", "openai-b16")
"""Protocol, and the label of its judge of captions."""


@click.command()
@click.option("--generated", type=FolderPath, required=True, help="Folder of generated images.")
@click.option(
    "--captions",
    type=FolderPath,
    required=True,
    help="Table (csv, tsv, jsonl, parquet) with columns file and caption, files relative to --generated; or "
    "a folder of NAME.txt for NAME.png, or NAME-0.png, NAME-1.png, ..",
)
@click.option(
    "--judges",
    help="A YAML file of judges, or the name of a protocol that ships  [default: sketchworld-clip for 64 px "
    "images, openai-b16 of lepbench-photographs-v1 for others].",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def captions(generated: Path, captions: Path, judges: str | None, device: str, as_json: bool) -> None:
    """Compare generated images with their captions: CLIP similarity and score by every judge of captions.

    The similarity is the cosine in [-1, 1]; the score is 100 times it, negative ones counted as 0. Means over
    images, with 95 % intervals over captions. Scores by different judges are not comparable.

    \b
    Examples:
      lepbench score captions --generated samples/ --captions prompts.csv
      lepbench score captions --generated samples/ --captions prompts/ --judges judges.yaml --json
    """
    from lepbench.api.judges import find_judges
    from lepbench.backbones import choose_device
    from lepbench.bars import show_bars
    from lepbench.cli.figures import dump_figures, list_figures
    from lepbench.scoring.captions import find_captions, score_captions

    pairs = find_captions(generated, captions)
    chosen = list(find_judges(judges)) if judges else [_choose_judge(pairs)]
    with show_bars() as progress:
        scores = score_captions(pairs, chosen, device=str(choose_device(device)), progress=progress)
    for label, count in scores.cut.items():
        if count:
            say_note(f"{count} captions are longer than {label} reads: it does not see their ends")
    if not judges and chosen[0].name == "sketchworld-clip":
        say_note("sketchworld-clip learnt sketchworld alone: its figures mean nothing for others")
    counts = {"pictures": scores.pictures, "captions": scores.captions}
    if as_json:
        click.echo(json.dumps(counts | {"cut_captions": scores.cut, "figures": dump_figures(scores.figures)}))
        return
    click.echo("\n".join(list_figures(scores.figures)))
    click.echo(f"{scores.pictures} pictures of {scores.captions} captions")


def _choose_judge(pairs: list[CaptionedPicture]) -> JudgeConfig:
    """The judge of sketchworld for pictures of its size, a published one for others."""
    from lepbench.api.judges import find_judges
    from lepbench.images import read_size
    from lepbench.judges import SketchworldClipConfig
    from lepbench.scoring.images import WORLD

    if all(read_size(pair.path) == (WORLD, WORLD) for pair in pairs):
        return SketchworldClipConfig()
    protocol, label = DEFAULT
    return next(judge for judge in find_judges(protocol) if judge.label == label)
