"""Features of a DINOv2 model."""

from __future__ import annotations

from lepbench.errors import LepbenchError
from lepbench.judges.extractors.base import EXTRACTORS, Extractor, make_normaliser, require_source


@EXTRACTORS.register("dinov2")
def load_dinov2(source: str, sha256: str | None, device: str) -> Extractor:
    """The class token of a `transformers.Dinov2Model`, at 224 px as in Stein et al., 2023."""
    from safetensors import SafetensorError
    from transformers import Dinov2Model

    try:
        model = Dinov2Model.from_pretrained(require_source("dinov2", source), use_safetensors=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(f"cannot load a DINOv2 model from {source}: {reason}", "check it") from error
    model = model.float().eval().requires_grad_(False).to(device)
    normalise = make_normaliser((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return Extractor(f"dinov2:{source}", 224, lambda batch: model(normalise(batch).to(device)).pooler_output)
