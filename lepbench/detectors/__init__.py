"""Edge detectors, one file each; importing this package fills `DETECTORS`."""

from lepbench.detectors.base import (
    DETECTORS,
    FILE,
    AnyDetector,
    Detector,
    SoftDetector,
    apply_detector,
    apply_soft_detector,
    identify_detector,
    select_detector,
)
from lepbench.detectors.canny import Canny
from lepbench.detectors.cv2_canny import Cv2Canny
from lepbench.detectors.dexined import Dexined
from lepbench.detectors.hed import Hed
from lepbench.detectors.lineart import Lineart
from lepbench.detectors.network import NetworkDetector
from lepbench.detectors.pidinet import Pidinet
from lepbench.detectors.restore import restore_detector
from lepbench.detectors.sobel import Sobel
from lepbench.detectors.xdog import Xdog

__all__ = [
    "DETECTORS",
    "FILE",
    "AnyDetector",
    "Canny",
    "Cv2Canny",
    "Detector",
    "Dexined",
    "Hed",
    "Lineart",
    "NetworkDetector",
    "Pidinet",
    "Sobel",
    "SoftDetector",
    "Xdog",
    "apply_detector",
    "apply_soft_detector",
    "identify_detector",
    "restore_detector",
    "select_detector",
]
