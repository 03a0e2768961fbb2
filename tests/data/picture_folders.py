"""Folders of real photographs in every mode a person may have, and the ways in which files are broken."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

PHOTOGRAPH_COUNT = 13
"""How many pictures `save_every_mode` saves."""


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", **options)
    return buffer.getvalue()


def photograph() -> Image.Image:
    """A 150 x 100 px corner of a photograph, landscape."""
    return Image.fromarray(data.astronaut()[:300, :450]).resize((150, 100))


def save_every_mode(folder: Path) -> list[str]:
    """One real picture in each mode and container, with a sidecar each; the names, sorted."""
    rgb = photograph()
    grey = np.asarray(Image.fromarray(data.camera()).resize((120, 90)))
    rgba = rgb.convert("RGBA")
    rgba.putalpha(Image.fromarray(grey).resize(rgb.size))
    rotated = Image.Exif()
    rotated[0x0112] = 6  # the camera was held upright: turn by 90 degrees to see it so
    rgb.save(folder / "rgb.jpg", quality=95)
    rgb.save(folder / "rotated.jpg", quality=95, exif=rotated)
    rgb.convert("CMYK").save(folder / "cmyk.jpg")
    rgba.save(folder / "rgba.png")
    rgb.convert("LA").save(folder / "la.png")
    rgb.quantize(32).save(folder / "palette.png")
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(grey > 128).save(folder / "bilevel.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "sixteen.png")
    Image.fromarray(grey.astype(np.float32)).save(folder / "float.tiff")
    rgb.save(folder / "moving.gif", save_all=True, append_images=[Image.new("RGB", rgb.size, "red")])
    rgb.save(folder / "UPPER.WEBP")
    rgb.resize((30, 20)).save(folder / "small.png")
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        (folder / name).with_suffix(".txt").write_text(f"a photograph called {Path(name).stem}\n")
    return names


def write_tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    """An archive of members by name, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
