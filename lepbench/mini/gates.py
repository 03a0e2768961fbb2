"""What the embedded models must be able to do, measured on test scenes none of them was trained on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import torch
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.errors import LepbenchError
from lepbench.files import read_json
from lepbench.guidance import SamplerSettings, sample
from lepbench.judges.classifier import Probe, accuracy, load_probe
from lepbench.judges.clip import ClipScorer
from lepbench.judges.matcher import Matcher, load_matcher
from lepbench.judges.paths import JUDGE, PROBE
from lepbench.judges.segmenter import load_segmenter
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.masks import intersection_over_union, mask_counts
from lepbench.mini.corpus import Range, attribute_labels
from lepbench.mini.distil import DistilResult
from lepbench.mini.emoji_gates import EMOJI_GATES
from lepbench.mini.encoder_gates import encoder_gates
from lepbench.mini.gate import BATCH, DETECTOR, Gate, draw_scenes, render_pictures
from lepbench.mini.judge import retrieval_top1
from lepbench.mini.matcher import kinds_of
from lepbench.mini.stage import METRICS
from lepbench.mini.stages import list_encoders
from lepbench.progress import Progress
from lepbench.registry import suggest_name
from lepbench.sketchworld import LEVELS, Scene, freehand, render

# One-thing test scenes far from the suites' own, which begin at 0.
ONE_THING = Range(split="test", start=500_000, count=512, things=1)
TWO_THINGS = Range(split="test", start=500_000, count=256, things=2)
COMPOSITIONAL = Range(split="compositional", start=500_000, count=256, things=1)
SKETCHED = ONE_THING.model_copy(update={"count": 128})
CAPTIONS = Range(split="test", start=600_000, count=1000)
FULL = SamplerSettings()
"""50 DDIM steps, guidance scale 4."""
LIVE = "mini-live@1"


def measure(
    folder: Path, progress: Progress, count: int | None = None, models: Collection[str] = ()
) -> list[Gate]:
    """Measure the gates of models below `folder`.

    Args:
        progress: called with (stage, done, total).
        count: scenes a gate instead of the full number, for a quick look.
        models: names of folders below it; none for all that are there.

    Raises:
        LepbenchError: one of the models has no gates, or cannot be loaded.
    """
    unknown = set(models) - set(list_gated())
    if unknown:
        raise LepbenchError(f"no gates for {min(unknown)!r}", suggest_name(min(unknown), list_gated()))
    taken = list(models) or [name for name in list_gated() if name in MODELS or (folder / name).is_dir()]
    return [gate for name in taken for gate in _measure_model(folder, name, count, progress)]


def list_gated() -> tuple[str, ...]:
    """The models that have gates, by the names of their folders."""
    return (*MODELS, *TRAINED, *list_encoders())


def _measure_model(folder: Path, name: str, count: int | None, progress: Progress) -> list[Gate]:
    measured = (MODELS | TRAINED).get(name)
    if measured is not None:
        return measured(folder, count, progress)
    # Its recipe trained it for the model that ships.
    backbone, probe = load_backbone("mini@1"), load_probe(PROBE)
    return encoder_gates(folder / name, backbone, probe, scenes=_scenes(SKETCHED, count), progress=progress)


def _mini_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    backbone, probe = load_backbone(folder / "mini@1"), load_probe(folder / "probe@1")
    judge = ClipScorer.load(folder / "judge@1")
    return [
        *vae_gates(backbone, probe, _scenes(ONE_THING, count)),
        *sample_gates(backbone, probe, judge, count=count, progress=progress),
    ]


def _live_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    """Those of mini@1 by the steps that it was trained for, without classifier-free guidance."""
    trained = DistilResult.model_validate(read_json(folder / LIVE / METRICS, "train it again")).recipe
    few = SamplerSettings(steps=trained.steps, guidance_scale=1.0)
    backbone, judge = load_backbone(folder / LIVE), ClipScorer.load(JUDGE)
    gates = sample_gates(backbone, load_probe(PROBE), judge, count=count, progress=progress, settings=few)
    return [gate.model_copy(update={"name": f"{LIVE}/{gate.name}"}) for gate in gates]


def _judge_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    return judge_gates(ClipScorer.load(folder / "judge@1"), _scenes(CAPTIONS, count))


def _guard_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    gates = judge_gates(ClipScorer.load(folder / "guard@1"), _scenes(CAPTIONS, count))
    return [gate.model_copy(update={"name": gate.name.replace("judge/", "guard/")}) for gate in gates]


def _segmenter_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    return [segmenter_gate(load_segmenter(folder / "segmenter@1"), _scenes(CAPTIONS, count))]


def _matcher_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    return matcher_gates(load_matcher(folder / "matcher@1"), _scenes(CAPTIONS, count))


def _probe_gates(folder: Path, count: int | None, progress: Progress) -> list[Gate]:
    return probe_gates(load_probe(folder / "probe@1"), _scenes(ONE_THING, count))


Measured = Callable[[Path, int | None, Progress], list[Gate]]
MODELS: dict[str, Measured] = {
    "mini@1": _mini_gates,
    "probe@1": _probe_gates,
    "judge@1": _judge_gates,
    "segmenter@1": _segmenter_gates,
    "matcher@1": _matcher_gates,
}
TRAINED: dict[str, Measured] = {LIVE: _live_gates, "guard@1": _guard_gates, **EMOJI_GATES}
"""Models that are measured where they lie: not every folder of models has them."""


def _scenes(span: Range, count: int | None) -> list[Scene]:
    return span.model_copy(update={"count": min(span.count, count or span.count)}).scenes()


@torch.no_grad()
def vae_gates(backbone: Backbone, probe: Probe, scenes: list[Scene]) -> list[Gate]:
    """Attributes and edges after a round trip through the VAE."""
    real = render_pictures(scenes)
    back = torch.cat(
        [backbone.decode_latents(backbone.encode_images(part)) for part in torch.split(real, BATCH)]
    )
    kept = accuracy(probe, back, attribute_labels(scenes))
    least = {"shape": 0.95, "colour": 0.95, "background": 0.95}
    f1 = precision_recall_f1(edge_counts(DETECTOR(back), DETECTOR(real), (1.0,))).f1
    return [
        *(Gate(name=f"vae/{name}", value=value, threshold=least.get(name)) for name, value in kept.items()),
        Gate(name="vae/edge_f1_1px", value=float(f1.mean()), threshold=0.85),
    ]


def probe_gates(probe: Probe, scenes: list[Scene]) -> list[Gate]:
    """Attributes read from renders."""
    plain = accuracy(probe, render_pictures(scenes), attribute_labels(scenes))
    return [Gate(name=f"probe/renders/{name}", value=value) for name, value in plain.items()]


def sample_gates(
    backbone: Backbone,
    probe: Probe,
    judge: ClipScorer,
    count: int | None,
    progress: Progress,
    settings: SamplerSettings = FULL,
) -> list[Gate]:
    """Attributes of unguided samples of test captions."""
    least = {"shape": 0.88, "colour": 0.88, "background": 0.95, "texture": 0.75}
    gates = []
    for title, span in (("one thing", ONE_THING), ("compositional", COMPOSITIONAL)):
        scenes = _scenes(span, count)
        read = accuracy(
            probe, draw(backbone, scenes, title, progress, settings=settings), attribute_labels(scenes)
        )
        gated = least if span is ONE_THING else {}
        kind = title.replace(" ", "_")
        gates += [Gate(name=f"samples/{kind}/{k}", value=v, threshold=gated.get(k)) for k, v in read.items()]
    scenes = _scenes(TWO_THINGS, count)
    drawn = draw(backbone, scenes, "two things", progress, settings=settings)
    return [*gates, Gate(name="samples/two_things/judge_top1_of_64", value=_top1(judge, drawn, scenes, 64))]


def judge_gates(judge: ClipScorer, scenes: list[Scene]) -> list[Gate]:
    """The judge's choice among 100 captions for each render."""
    return [
        Gate(
            name="judge/top1_of_100", value=_top1(judge, render_pictures(scenes), scenes, 100), threshold=0.9
        )
    ]


def segmenter_gate(segment: Callable[[Tensor], Tensor], scenes: list[Scene]) -> Gate:
    """Overlap of found and true masks on renders, by which `mask_iou` is bounded."""
    true = torch.stack([torch.from_numpy(render(scene).mask) for scene in scenes])
    overlap = intersection_over_union(mask_counts(segment(render_pictures(scenes)), true))
    return Gate(name="segmenter/mask_iou", value=float(overlap.mean()))


@torch.no_grad()
def matcher_gates(matcher: Matcher, scenes: list[Scene]) -> list[Gate]:
    """How often the picture nearest to a free-hand sketch, of 64, shows the same shapes; by level.

    Chance is about 0.05: one picture of 64 and those that happen to show the same.
    """
    whole = scenes[: max(len(scenes) // 64, 1) * 64]
    pictures, kinds = matcher.picture_features(render_pictures(whole)), kinds_of(whole)
    gates = []
    for level in LEVELS:
        strokes = torch.stack([torch.from_numpy(freehand(scene, level).raster) for scene in whole])
        nearest = [
            start + (sketches @ candidates.T).argmax(dim=1)
            for start, sketches, candidates in zip(
                range(0, len(whole), 64),
                torch.split(matcher.sketch_features(strokes), 64),
                torch.split(pictures, 64),
                strict=True,
            )
        ]
        right = (kinds[torch.cat(nearest)] == kinds).float().mean()
        gates.append(Gate(name=f"matcher/level_{level}/same_shapes_of_64", value=float(right)))
    return gates


def _top1(judge: ClipScorer, pictures: Tensor, scenes: list[Scene], group: int) -> float:
    captions = [scene.caption for scene in scenes]
    with torch.no_grad():
        images = torch.cat([judge.image_features(part) for part in torch.split(pictures, BATCH)])
    return retrieval_top1(images @ judge.text_features(captions).T, captions, group)


def draw(
    backbone: Backbone, scenes: list[Scene], title: str, progress: Progress, settings: SamplerSettings = FULL
) -> Tensor:
    """Unguided pictures [N, 3, 64, 64] of the scenes' captions, each from its own seed."""
    captions = [scene.caption for scene in scenes]

    def draw_rows(rows: slice, noise: Tensor) -> Tensor:
        return backbone.decode_latents(sample(backbone, captions[rows], noise, settings).latents)

    return draw_scenes(backbone, scenes, draw_rows, title=title, progress=progress)
