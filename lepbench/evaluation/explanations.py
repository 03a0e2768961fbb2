"""What a figure says, in a sentence, and what of a picture it is about (docs/metrics.md defines it)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from lepbench.evaluation.figure_names import AT, SPREAD, split_part, split_tolerance, strip_label

Aspect = Literal["headline", "sketch", "caption", "realism", "variants", "other"]
ASPECTS: dict[Aspect, str] = {
    "headline": "Headline",
    "sketch": "Sketch",
    "caption": "Caption",
    "realism": "Realism",
    "variants": "By level",
    "other": "Other",
}
"""What each aspect is headed, in the order of the tables."""


class Explanation(NamedTuple):
    """Aspect and sentence of a figure; the sentence has `{at}` where a tolerance is said."""

    aspect: Aspect
    text: str


EXPLANATIONS: dict[str, Explanation] = {
    "faithful_f1": Explanation(
        "headline", "Edge F1 times the share of the caption that the picture still shows."
    ),
    "faithful_paired_f1": Explanation(
        "headline", "Paired F1 times the share of the caption that the picture still shows."
    ),
    "faithful_iou": Explanation(
        "headline", "Mask IoU times the share of the caption that the picture still shows."
    ),
    "edge_f1": Explanation(
        "sketch", "Agreement of the picture's edges with the sketch{at}: mean of precision and recall."
    ),
    "edge_precision": Explanation("sketch", "Share of the picture's edges that lie on the sketch{at}."),
    "edge_recall": Explanation("sketch", "Share of the sketch that has an edge of the picture{at}."),
    "paired_f1": Explanation("sketch", "Edge F1 with every pixel matched to one other{at}."),
    "paired_precision": Explanation("sketch", "Edge precision with pixels matched one to one{at}."),
    "paired_recall": Explanation("sketch", "Edge recall with pixels matched one to one{at}."),
    "pooled_f1": Explanation("sketch", "Edge F1 of the pixels of all pictures together{at}."),
    "contour": Explanation(
        "sketch", "Agreement of the picture's edges with the exact contours of the scene{at}."
    ),
    "chamfer_px": Explanation(
        "sketch", "Mean distance between the picture's edges and the sketch, both ways, in pixels."
    ),
    "soft_iou": Explanation("sketch", "Overlap of unthinned edge maps of the picture and the real picture."),
    "ms_ssim": Explanation(
        "sketch", "Structural similarity of unthinned edge maps of the picture and the real picture."
    ),
    "stroke_recall": Explanation("sketch", "Share of a stroke that has an edge{at}, the mean over strokes."),
    "strokes_found": Explanation("sketch", "Share of strokes of which half or more has an edge{at}."),
    "unseen_recall": Explanation(
        "sketch", "Stroke recall of the strokes that an unfinished sketch does not show{at}."
    ),
    "weighted_recall": Explanation("sketch", "Recall of the stroke that has a weight of its own{at}."),
    "others_recall": Explanation("sketch", "Recall of the strokes beside the weighted one{at}."),
    "weighted_lead": Explanation("sketch", "Recall of the weighted stroke less that of the others{at}."),
    "mask_iou": Explanation("sketch", "Overlap of the objects in the picture with those of the scene."),
    "sketch_similarity": Explanation(
        "sketch", "Similarity of picture and sketch in the features of a network that knows both."
    ),
    "class_accuracy": Explanation("caption", "Share of pictures whose thing a classifier names rightly."),
    "clip_similarity": Explanation("caption", "Cosine of the embeddings of picture and caption."),
    "clip_wrong_similarity": Explanation(
        "caption", "Cosine of the embeddings of the picture and another item's caption."
    ),
    "clip_score": Explanation("caption", "CLIP similarity, clipped at 0, times 100."),
    "clip_skill": Explanation(
        "caption", "CLIP similarity from 0, that of a wrong caption, to 1, that of the real picture."
    ),
    "colour_accuracy": Explanation("caption", "Share of things that have the colour the prompt says."),
    "texture_accuracy": Explanation("caption", "Share of things that have the texture the prompt says."),
    "pattern_accuracy": Explanation("caption", "Texture accuracy of striped and dotted things alone."),
    "background_accuracy": Explanation(
        "caption", "Share of pictures whose largest thing stands on what the prompt says."
    ),
    "relation_accuracy": Explanation(
        "caption", "Share of pictures of two things that stand as the prompt says."
    ),
    "reads_sketch": Explanation(
        "caption", "Share of pictures read as the class of the sketch, where the prompt names another."
    ),
    "reads_prompt": Explanation(
        "caption", "Share of pictures read as the class of the prompt, where the sketch shows another."
    ),
    "kid": Explanation("realism", "Kernel distance between features of these pictures and of real ones."),
    "fd": Explanation("realism", "Frechet distance between features of these pictures and of real ones."),
    "fid": Explanation("realism", "Frechet distance in the features of an Inception network."),
    "fd_by_index": Explanation("realism", "Frechet distance of one picture an item, the mean over samples."),
    "fid_by_index": Explanation("realism", "FID of one picture an item, the mean over samples of an item."),
    "cmmd": Explanation("realism", "Maximum mean discrepancy in the features of a CLIP-like network."),
    "density": Explanation("realism", "How many real pictures' neighbourhoods a picture lies in; 1 is even."),
    "coverage": Explanation("realism", "Share of real pictures with a picture in their neighbourhood."),
    "diversity": Explanation("realism", "Mean distance between pictures of one item."),
    "vendi": Explanation("realism", "Effective number of different pictures among those of one item."),
}
"""By a figure's name without judge, tolerance and level; `contour` for figures against the exact contours."""
PARTS = {
    AT: "at level {level} alone",
    "change_": "its change from the first level to {level}",
    "slope": "its slope over the levels",
    SPREAD: "its standard deviation over the variants of an item",
}


def explain_figure(name: str) -> str:
    """A sentence of what a figure says; empty for one of a plug-in."""
    figure, part = split_part(name)
    found = _find(figure)
    if found is None:
        return ""
    stem = figure.removesuffix("_contour")
    text = found.text.format(at=_say_tolerance(split_tolerance(stem)[1]))
    for start, said in PARTS.items():
        if part.startswith(start):
            return f"{text[:-1]}: {said.format(level=part.removeprefix(start))}."
    return text


def find_aspect(name: str, rank_by: str | None = None) -> Aspect:
    """The aspect of a figure; the one that ranks is a headline whatever it is.

    Args:
        rank_by: the figure that ranks.
    """
    if name == rank_by:
        return "headline"
    figure, part = split_part(name)
    if part:
        return "variants"
    found = _find(figure)
    return "other" if found is None else found.aspect


def _find(figure: str) -> Explanation | None:
    stem = strip_label(figure)
    if stem.endswith("_contour"):
        return EXPLANATIONS["contour"]
    return EXPLANATIONS.get(stem) or EXPLANATIONS.get(split_tolerance(stem)[0])


def _say_tolerance(label: str) -> str:
    """What a tolerance means, after the words that it belongs to; empty without one."""
    match = re.fullmatch(r"([\d.]+)(px|d)", label)
    if match is None:
        return ""
    amount, unit = match.groups()
    if unit == "d":
        return f" within {float(amount):g} of the diagonal"
    return " to the pixel" if float(amount) == 0 else f" within {amount} px"
