"""What the models of the emoji must be able to do, measured on pictures that emoji@1 was not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.config import load_config
from lepbench.emoji import SETS, EmojiTable, load_emoji
from lepbench.emoji.captions import write_caption
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.images import to_tensor
from lepbench.judges.clip import ClipScorer
from lepbench.judges.matcher import Matcher, load_matcher
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.mini.about import RECIPES
from lepbench.mini.emoji_matcher import draw_lines
from lepbench.mini.emoji_pictures import EmojiPictures
from lepbench.mini.emoji_unet import EmojiUnetRecipe
from lepbench.mini.gate import BATCH, DETECTOR, Gate
from lepbench.mini.labels import number_labels
from lepbench.predictors import Predictor
from lepbench.progress import Progress
from lepbench.seeds import derive_seed, draw_noise, make_generator

MODEL, JUDGE, MATCHER, LEP = "emoji@1", "emoji-judge@1", "emoji-matcher@1", "lep-emoji@1"
CHOICES = 100
"""Subjects among which the judge names one."""
COARSE = 16
"""Side at which pictures are compared with those of training, px."""
SAMPLER = SamplerSettings(steps=50, guidance_scale=4.0)
SCALE, STOP = 1.6, 0.4
"""Of sketch guidance, as in `examples/emoji-lep.yaml`."""


class Named(NamedTuple):
    """Which of N pictures the judge names rightly, bool [N] each."""

    subject: Tensor
    set: Tensor


def emoji_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    """VAE, samples of held-out pairs, copies, and where `lep-emoji@1` is there, guided samples.

    Args:
        folder: of emoji@1 and its judge.
        count: pictures a gate instead of all, for a quick look.
    """
    backbone, judge = load_backbone(folder / MODEL), ClipScorer.load(folder / JUDGE)
    known = load_config(RECIPES / "emoji-unet.yaml", EmojiUnetRecipe).train.groups
    pairs = _take(load_emoji().select(("pairs",), known), count)
    drawn = draw_emoji(backbone, pairs, progress)
    named = name_pictures(judge, drawn, pairs)
    gates = [
        *round_trip_gates(backbone, count),
        Gate(name="samples/subject_of_100", value=_share(named.subject), threshold=0.6),
        Gate(name="samples/set_of_4", value=_share(named.set), threshold=0.9),
        *copy_gates(drawn, pairs, load_emoji().select(("train",), known)),
    ]
    if (folder / LEP).is_dir():
        predictor = Predictor.from_pretrained(folder / LEP, backbone)
        guided = draw_emoji(backbone, pairs, progress, predictor)
        gates += guided_gates(guided, drawn, pairs, named=named, judge=judge)
    return [gate.model_copy(update={"name": f"{MODEL}/{gate.name}"}) for gate in gates]


@torch.no_grad()
def round_trip_gates(backbone: Backbone, count: int | None) -> list[Gate]:
    """Edges and pixels after a round trip through the VAE, of both kinds of held-out pictures."""
    gates = []
    for split in ("pairs", "subjects"):
        real = to_tensor(_take(load_emoji().select((split,)), count).pixels)
        parts = [backbone.decode_latents(backbone.encode_images(part)) for part in torch.split(real, BATCH)]
        back = torch.cat(parts).clamp(0, 1)
        noise = -10 * (back - real).square().mean((1, 2, 3)).log10()
        least = split == "pairs"
        gates += [
            Gate(name=f"vae/{split}/edge_f1_1px", value=_f1(back, real), threshold=0.92 if least else None),
            Gate(name=f"vae/{split}/psnr", value=float(noise.mean()), threshold=27.0 if least else None),
        ]
    return gates


def guided_gates(
    guided: Tensor, unguided: Tensor, pairs: EmojiTable, *, named: Named, judge: ClipScorer
) -> list[Gate]:
    """How guided pictures follow the edge maps of the held-out ones, and what that costs their subjects."""
    real = to_tensor(pairs.pixels)
    after, before = _f1(guided, real), _f1(unguided, real)
    subject = _share(name_pictures(judge, guided, pairs).subject)
    return [
        Gate(name="guided/edge_f1_1px", value=after, threshold=max(0.75, 2 * before)),
        Gate(name="unguided/edge_f1_1px", value=before),
        Gate(name="guided/subject_of_100", value=subject, threshold=_share(named.subject) - 0.1),
    ]


def copy_gates(drawn: Tensor, pairs: EmojiTable, trained: EmojiTable) -> list[Gate]:
    """Distance to the nearest training picture, of samples and of what they should look like.

    Copying is no skill: samples nearer to it than true pictures of the same captions are copies. Root mean
    square at 16 px, of values in [0, 1], the median over the pictures.
    """
    known = _coarse(to_tensor(trained.pixels))
    nearest = {
        name: torch.cdist(_coarse(pictures), known).min(dim=1).values / known.shape[1] ** 0.5
        for name, pictures in (("samples", drawn), ("held_out", to_tensor(pairs.pixels)))
    }
    return [
        Gate(name=f"copies/{name}/distance", value=float(found.median())) for name, found in nearest.items()
    ]


def judge_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    """Subjects and sets that the judge names on the real pictures of each split."""
    judge = ClipScorer.load(folder / JUDGE)
    gates = []
    for split in ("pairs", "subjects"):
        table = _take(load_emoji().select((split,)), count)
        named = name_pictures(judge, to_tensor(table.pixels), table)
        gates += [
            Gate(name=f"{JUDGE}/{split}/subject_of_100", value=_share(named.subject)),
            Gate(name=f"{JUDGE}/{split}/set_of_4", value=_share(named.set)),
        ]
    return gates


@torch.no_grad()
def matcher_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    """How often the picture nearest to a line drawing, of 64 of other sets, shows its subject."""
    matcher: Matcher = load_matcher(folder / MATCHER)
    lines = EmojiPictures(splits=("train", "pairs", "subjects")).load()
    strokes = draw_lines(lines, number_labels(lines.table.rows["code"]))
    numbers = dict(zip(sorted(set(lines.table.rows["code"])), range(len(strokes)), strict=True))
    right = []
    for style in set(SETS) - {"openmoji"}:
        table = _take(load_emoji().select((), sets=(style,)), count)
        sketches = matcher.sketch_features(strokes[[numbers[code] for code in table.rows["code"]]])
        pictures = matcher.picture_features(to_tensor(table.pixels))
        for first in range(0, max(len(table) // 64, 1) * 64, 64):
            rows = slice(first, first + 64)
            found = (sketches[rows] @ pictures[rows].T).argmax(dim=1)
            right.append(found == torch.arange(len(found)))
    return [Gate(name=f"{MATCHER}/subject_of_64", value=_share(torch.cat(right)))]


def draw_emoji(
    backbone: Backbone, table: EmojiTable, progress: Progress, predictor: Predictor | None = None
) -> Tensor:
    """Pictures [N, 3, 64, 64] of the captions, guided by the edge maps of the real ones with a predictor."""
    shape, ids, captions = backbone.latent_shape(64), table.rows["id"], table.rows["caption"]
    sketches = DETECTOR(to_tensor(table.pixels))
    drawn = []
    for first in range(0, len(table), BATCH):
        rows = slice(first, min(first + BATCH, len(table)))
        noise = torch.stack([draw_noise(derive_seed("gates", name), shape) for name in ids[rows]])
        guidance = None
        if predictor is not None:
            target = backbone.encode_edges(sketches[rows])
            guidance = SketchGuidance(predictor, target, scale=SCALE, stop=STOP)
        latents = sample(backbone, captions[rows], noise, SAMPLER, guidance=guidance).latents
        drawn.append(backbone.decode_latents(latents).clamp(0, 1))
        progress("guided" if predictor else "unguided", rows.stop, len(table))
    return torch.cat(drawn)


@torch.no_grad()
def name_pictures(judge: ClipScorer, pictures: Tensor, table: EmojiTable) -> Named:
    """Whether the judge finds each picture's caption: among other subjects of its set, and among its sets."""
    features = torch.cat([judge.image_features(part) for part in torch.split(pictures, BATCH)])
    about = load_emoji()
    kinds = dict(zip(about.rows["subject"], about.rows["kind"], strict=True))
    subjects, styles = [], []
    for row, (name, style) in enumerate(zip(table.rows["subject"], table.rows["set"], strict=True)):
        others = _other_subjects(name, list(kinds))
        captions = [write_caption(one, kinds[one], style) for one in (name, *others)]
        subjects.append(_is_first(judge, features[row], captions))
        own = [write_caption(name, kinds[name], one) for one in (style, *(s for s in SETS if s != style))]
        styles.append(_is_first(judge, features[row], own))
    return Named(torch.tensor(subjects), torch.tensor(styles))


def _other_subjects(name: str, names: list[str]) -> list[str]:
    order = torch.randperm(len(names), generator=make_generator(derive_seed("choices", name))).tolist()
    return [names[number] for number in order if names[number] != name][: CHOICES - 1]


def _is_first(judge: ClipScorer, feature: Tensor, captions: list[str]) -> bool:
    """Whether the first caption is the nearest to a picture."""
    return int((judge.text_features(captions) @ feature).argmax()) == 0


def _take(table: EmojiTable, count: int | None) -> EmojiTable:
    return table.take(range(min(len(table), count or len(table))))


def _f1(pictures: Tensor, real: Tensor) -> float:
    """Mean edge F1 at 1 px of pictures against the edge maps of others."""
    return float(precision_recall_f1(edge_counts(DETECTOR(pictures), DETECTOR(real), (1.0,))).f1.mean())


def _coarse(pictures: Tensor) -> Tensor:
    """[N, 3 * 16 * 16]."""
    return torch.nn.functional.interpolate(pictures, (COARSE, COARSE), mode="area").flatten(1)


def _share(right: Tensor) -> float:
    return float(right.float().mean())


EMOJI_GATES = {MODEL: emoji_gates, JUDGE: judge_gates, MATCHER: matcher_gates}
