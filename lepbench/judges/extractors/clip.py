"""Features of a CLIP model's picture tower."""

from __future__ import annotations

from pathlib import Path

from lepbench.judges.clip import ClipScorer, pooled
from lepbench.judges.extractors.base import EXTRACTORS, Extractor, make_normaliser, require_source
from lepbench.judges.paths import JUDGE


@EXTRACTORS.register("judge")
def load_judge(source: str, sha256: str | None, device: str) -> Extractor:
    """The embedded judge: for pictures of sketchworld, and no others."""
    return _clip("judge@1", JUDGE, device)


@EXTRACTORS.register("clip")
def load_clip(source: str, sha256: str | None, device: str) -> Extractor:
    """Projected image features of a `transformers.CLIPModel`."""
    return _clip(f"clip:{source}", Path(require_source("clip", source)), device)


def _clip(name: str, source: Path, device: str) -> Extractor:
    scorer = ClipScorer.load(source, device=device)
    processor = scorer.processor
    normalise = make_normaliser(processor.image_mean, processor.image_std)
    return Extractor(
        name,
        int(scorer.model.config.vision_config.image_size),
        lambda batch: pooled(scorer.model.get_image_features(pixel_values=normalise(batch).to(device))),
        unit=True,
    )
