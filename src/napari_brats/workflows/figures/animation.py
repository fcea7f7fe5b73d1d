"""Animations of a patient as GIF: masks turning in space, and a sweep through the slices."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.regions import Palette
from napari_brats.workflows.figures.options import Options
from napari_brats.workflows.figures.solids import draw_scene, head_shell, reach, scene_of
from napari_brats.workflows.figures.view import Slice, View
from napari_brats.workflows.subject import Subject

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

_TURN_FRAMES = 30
_TURN_MS = 120
_SWEEP_FRAMES = 36
_SWEEP_MS = 150
_PANEL = 280
_TITLE = 26
_FONT = 14
_INK = (255, 255, 255)
_OPACITY = 0.55
_COLORS = 128
_GRAYS = 64
_PALETTE_FRAMES = 6


def rotation(subject: Subject, options: Options) -> bytes:
    """Return a GIF of the reference and the masks turning side by side."""
    case = subject.case
    masks = [*([] if case.reference is None else [case.reference]), *subject.masks.values()]
    titles = [*([] if case.reference is None else ["reference"]), *subject.masks]
    head = np.logical_or.reduce([image != 0 for image in case.images.values()])
    shell = head_shell(head, case.affine)
    scenes = [scene_of(mask, case.affine, options.colors, shell) for mask in masks]
    center, radius = reach(scenes)
    frames = [
        _side_by_side([draw_scene(scene, turn, _PANEL, center, radius) for scene in scenes], titles)
        for turn in 2 * np.pi * np.arange(_TURN_FRAMES) / _TURN_FRAMES
    ]
    return encode_gif(frames, _TURN_MS)


def sweep(subject: Subject, options: Options) -> bytes:
    """Return a GIF that goes through the axial slices from the feet to the head."""
    view = View.of(subject.case, subject.masks)
    tumor, brain = view.tumor_slices(), view.head_box[0]
    lowest = min(int(tumor[-1]) + 4, brain.stop - 1, len(view.head) - 1)
    highest = max(int(tumor[0]) - 4, brain.start)
    count = min(_SWEEP_FRAMES, lowest - highest + 1)
    titles = [*subject.masks, *([] if view.reference is None else ["reference"])]
    frames = []
    for index in np.linspace(lowest, highest, count).round().astype(int):
        cut = view.cut(int(index))
        masks = [*cut.masks.values(), *([] if cut.reference is None else [cut.reference])]
        panels = [_panel(cut, subject.modality, mask, options.colors) for mask in [None, *masks]]
        frames.append(_side_by_side(panels, [f"axial slice {cut.number}", *titles]))
    return encode_gif(frames, _SWEEP_MS)


def encode_gif(frames: "Sequence[Image]", frame_ms: int) -> bytes:
    """Return pictures as an endless GIF with one palette for all, so that nothing flickers.

    Parameters
    ----------
    frames : sequence of PIL.Image.Image
        RGB, all of one size.
    frame_ms : int
        How long each is seen.
    """
    from PIL import Image

    places = np.linspace(0, len(frames) - 1, _PALETTE_FRAMES).astype(int)
    width, height = frames[0].size
    montage = Image.new("RGB", (width, height * len(places)))
    for row, place in enumerate(places):
        montage.paste(frames[place], (0, row * height))
    palette = few_colors(montage)
    flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    content = BytesIO()
    flat[0].save(
        content, format="GIF", save_all=True, append_images=flat[1:], duration=frame_ms, loop=0,
        optimize=False,
    )  # fmt: skip
    return content.getvalue()


def few_colors(picture: "Image") -> "Image":
    """Return a palette image that keeps a picture's grays gray and its rare colors."""
    from PIL import Image

    colors = picture.quantize(_COLORS, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    grays = [value for step in range(_GRAYS) for value in [255 * step // (_GRAYS - 1)] * 3]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*grays, *colors[: 3 * _COLORS]])
    return palette


def _panel(cut: Slice, modality: str, mask: NDArray[np.uint8] | None, palette: Palette) -> "Image":
    """Return one slice in the middle of a square panel, with its mask and directions."""
    from PIL import Image, ImageDraw

    black, white = cut.windows[modality]
    gray = np.clip((cut.images[modality] - black) / (white - black), 0, 1) * 255
    colored = np.repeat(gray[..., None], 3, axis=2)
    if mask is not None:
        for tissue, color in palette.tissues.items():
            rgb = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
            inside = mask == tissue
            colored[inside] = (1 - _OPACITY) * colored[inside] + _OPACITY * np.array(rgb)
    extent = np.array(gray.shape) * cut.spacing_mm
    height, width = (extent / extent.max() * _PANEL).round().astype(int).clip(1).tolist()
    image = Image.fromarray(colored.astype(np.uint8)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    panel = Image.new("RGB", (_PANEL, _PANEL))
    panel.paste(image, ((_PANEL - width) // 2, (_PANEL - height) // 2))
    if mask is None:
        pen, middle = ImageDraw.Draw(panel), _PANEL / 2
        for edge, anchor, x in (("left", "lm", 4), ("right", "rm", _PANEL - 4)):
            pen.text((x, middle), cut.letters[edge], _INK, _font(), anchor=anchor)
    return panel


def _side_by_side(panels: "Sequence[Image]", titles: Sequence[str]) -> "Image":
    """Return panels in a row, each below its title."""
    from PIL import Image, ImageDraw

    frame = Image.new("RGB", (_PANEL * len(panels), _PANEL + _TITLE))
    pen = ImageDraw.Draw(frame)
    for place, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        frame.paste(panel, (place * _PANEL, _TITLE))
        middle = (place * _PANEL + _PANEL / 2, _TITLE / 2)
        pen.text(middle, title, _INK, _font(), anchor="mm")
    return frame


def _font() -> "ImageFont | FreeTypeFont":
    from PIL import ImageFont as fonts

    return fonts.load_default(_FONT)
