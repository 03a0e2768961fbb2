"""sketchworld: procedural captioned vector scenes, a pure function of (version, split, index).

>>> from lepbench.sketchworld import render, scene
>>> there = scene("test", 7)
>>> render(there).image.shape
(64, 64, 3)
"""

from lepbench.sketchworld.attributes import ATTRIBUTES
from lepbench.sketchworld.captions import list_phrases
from lepbench.sketchworld.freehand import LEVELS, FreehandSketch, Stroke, freehand
from lepbench.sketchworld.palette import BACKGROUNDS, COLOURS, TEXTURES
from lepbench.sketchworld.render import SIZE, Rendering, render
from lepbench.sketchworld.scene import HELD_OUT, SPLITS, VERSION, Scene, scene
from lepbench.sketchworld.shapes import SHAPES, Part
from lepbench.sketchworld.thing import Relation, Thing

__all__ = [
    "ATTRIBUTES",
    "BACKGROUNDS",
    "COLOURS",
    "HELD_OUT",
    "LEVELS",
    "SHAPES",
    "SIZE",
    "SPLITS",
    "TEXTURES",
    "VERSION",
    "FreehandSketch",
    "Part",
    "Relation",
    "Rendering",
    "Scene",
    "Stroke",
    "Thing",
    "freehand",
    "list_phrases",
    "render",
    "scene",
]
