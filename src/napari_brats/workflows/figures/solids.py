"""Surfaces in space, drawn without a window: far triangles first, lit from the viewer.

ET lies inside TC, TC inside WT, WT inside the head. Whatever is seen of an inner surface is
therefore seen through the outer ones, and these simply add their light to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.regions import Palette, region_mask
from napari_brats.workflows.surfaces import Surface, surface_of

if TYPE_CHECKING:
    from PIL.Image import Image

_ALPHA = {"ET": 0.9, "TC": 0.5, "WT": 0.6}
_HEAD_ALPHA, _HEAD_COLOR = 0.25, "#b0b8c8"
_SMOOTH_VOXELS = 0.8
_HEAD_STEP = 4
_TRIANGLES = 12000
_AMBIENT = 0.35
_TILT = np.deg2rad(12.0)
_OVERSAMPLE = 2


@dataclass(frozen=True)
class Layer:
    """One surface with its color.

    Parameters
    ----------
    surface : Surface
        In patient mm.
    color : tuple of int
        Red, green, blue.
    alpha : float
        How much light it gives, 0 to 1.
    """

    surface: Surface
    color: tuple[int, int, int]
    alpha: float


Scene = list[Layer]
"""Surfaces from the innermost to the outermost."""


def scene_of(
    tissues: NDArray[np.uint8],
    affine: NDArray[np.float64],
    palette: Palette,
    head: Surface | None = None,
) -> Scene:
    """Return the surfaces of a mask's regions, the inner ones shining through.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to patient mm.
    palette : Palette
        Colors of the regions.
    head : Surface, optional
        Drawn as a faint shell.
    """
    layers = []
    for region, alpha in _ALPHA.items():
        mask = region_mask(tissues, region)
        if mask.any():
            layers.append(Layer(_light(mask, affine), _rgb(palette.region(region)), alpha))
    return layers if head is None else [*layers, Layer(head, _rgb(_HEAD_COLOR), _HEAD_ALPHA)]


def head_shell(head: NDArray[np.bool_], affine: NDArray[np.float64]) -> Surface | None:
    """Return a coarse surface of the head, None where it fills the volume or is empty."""
    if not head.any() or head.mean() > 0.9:
        return None
    return surface_of(head, affine, smooth_voxels=2.0, step=_HEAD_STEP)


def reach(scenes: Sequence[Scene]) -> tuple[NDArray[np.float32], float]:
    """Return the center, shape (3,), and radius in mm of a ball around all scenes."""
    found = [layer.surface.vertices for scene in scenes for layer in scene]
    if not found:
        return np.zeros(3, np.float32), 1.0
    points = np.concatenate(found)
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    return center, float(np.linalg.norm(points - center, axis=1).max())


def draw_scene(
    scene: Scene, turn: float, size: int, center: NDArray[np.float32], radius: float
) -> "Image":
    """Draw a scene on black as seen from the patient's front, turned about the long axis.

    Parameters
    ----------
    scene : Scene
        What to draw.
    turn : float
        Radians; 0 from the front, the patient's right on the left.
    size : int
        Pixels of both sides.
    center : NDArray[np.float32], shape (3,)
        Patient mm at the middle of the picture.
    radius : float
        Patient mm from the middle to an edge.
    """
    from PIL import Image, ImageChops

    side = size * _OVERSAMPLE
    picture = Image.new("RGB", (side, side))
    for layer in scene:
        drawn = _draw_layer(layer, _camera(turn), side, center, radius)
        glow = drawn.point([int(value * layer.alpha) for value in range(256)] * 3)
        picture = ImageChops.screen(picture, glow) if picture.getbbox() else glow
    return picture.reduce(_OVERSAMPLE)


def _draw_layer(
    layer: Layer,
    camera: NDArray[np.float32],
    side: int,
    center: NDArray[np.float32],
    radius: float,
) -> "Image":
    """Return what is seen of an opaque surface, on black."""
    from PIL import Image, ImageDraw

    seen = ((layer.surface.vertices - center) @ camera.T)[layer.surface.faces]
    normals = np.cross(seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0])
    front = np.flatnonzero(normals[:, 2] > 0)
    front = front[np.argsort(seen[front, :, 2].sum(axis=1), kind="stable")]
    steep = normals[front, 2] / np.maximum(np.linalg.norm(normals[front], axis=1), 1e-9)
    shades = np.outer(_AMBIENT + (1 - _AMBIENT) * steep, layer.color).astype(np.uint8)
    pixels = (seen[front, :, :2] / radius * [1, -1] + 1) * (side / 2)
    drawn = Image.new("RGB", (side, side))
    paint = ImageDraw.Draw(drawn)
    corners = pixels.reshape(-1, 6).round(1).tolist()
    for triangle, shade in zip(corners, map(tuple, shades.tolist()), strict=True):
        paint.polygon(triangle, fill=shade)
    return drawn


def _light(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> Surface:
    """Return a surface of not too many triangles."""
    surface = surface_of(mask, affine, smooth_voxels=_SMOOTH_VOXELS)
    if len(surface.faces) <= _TRIANGLES:
        return surface
    return surface_of(mask, affine, smooth_voxels=_SMOOTH_VOXELS, step=2)


def _camera(turn: float) -> NDArray[np.float32]:
    """Return the rotation (3, 3) from R, A, S to rightward, upward, toward the viewer."""
    front = np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]])
    cos, sin = np.cos(turn), np.sin(turn)
    about_s = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    cos, sin = np.cos(_TILT), np.sin(_TILT)
    tilt = np.array([[1.0, 0, 0], [0, cos, -sin], [0, sin, cos]])
    camera: NDArray[np.float64] = tilt @ front @ about_s
    return camera.astype(np.float32)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
