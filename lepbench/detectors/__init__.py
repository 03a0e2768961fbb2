"""Edge detectors, one file each; importing this package fills `DETECTORS`."""

from lepbench.detectors.base import (
    DETECTORS,
    AnyDetector,
    Detector,
    SoftDetector,
    detector_from,
    identity,
)
from lepbench.detectors.canny import Canny
from lepbench.detectors.sobel import Sobel

__all__ = [
    "DETECTORS",
    "AnyDetector",
    "Canny",
    "Detector",
    "Sobel",
    "SoftDetector",
    "detector_from",
    "identity",
]
