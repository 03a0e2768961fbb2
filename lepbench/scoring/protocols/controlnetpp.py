"""The evaluation of ControlNet++ (Li et al., 2024): Canny by F1, HED and line art by MS-SSIM.

Details as in the authors' evaluation code: the reference is the real picture, stretched to 512 x 512 by
PIL's bicubic filter; edges are found in it and in 4 generated pictures of its prompt; one F1 of their pooled
pixels (one mean MS-SSIM) a prompt, then the mean over prompts. Two empty maps have an F1 of 0, as
torchmetrics has it.

Source: Li et al., "ControlNet++: Improving conditional controls with efficient consistency feedback", 2024.
"""

from __future__ import annotations

from lepbench.detectors import Canny
from lepbench.scoring.protocols.base import register
from lepbench.scoring.protocols.binary import BinaryProtocol
from lepbench.scoring.protocols.soft import SoftProtocol

register(BinaryProtocol(name="controlnetpp-canny-v1", detector=Canny(low=0.1, high=0.2)))

register(SoftProtocol(name="controlnetpp-hed-v1", detector="ControlNetHED (sigmoid of the mean side output)"))

register(
    SoftProtocol(
        name="controlnetpp-lineart-v1",
        detector="the line drawing generator of informative-drawings, inverted",
        departure=(
            "the published code inverts the generated map as 1 - p in 8 bits that wrap, so that values 0 "
            "and 1, its strongest strokes, turn black; here maps are compared as they are stored"
        ),
    )
)
