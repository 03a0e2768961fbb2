"""Edge comparison protocols, one file per publication; importing this package fills `PROTOCOLS`."""

from lepbench.scoring.protocols import controlnetpp
from lepbench.scoring.protocols.base import PROTOCOLS, EdgeFigures, EdgeProtocol, Strict, Tolerant, register
from lepbench.scoring.protocols.binary import BinaryProtocol
from lepbench.scoring.protocols.soft import SoftProtocol

__all__ = [
    "PROTOCOLS",
    "BinaryProtocol",
    "EdgeFigures",
    "EdgeProtocol",
    "SoftProtocol",
    "Strict",
    "Tolerant",
    "controlnetpp",
    "register",
]
