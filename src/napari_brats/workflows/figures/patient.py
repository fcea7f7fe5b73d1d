"""Figures of one patient's slices."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import MODALITIES
from napari_brats.workflows.figures.canvas import (
    MODALITY_TITLES,
    draw_directions,
    draw_image,
    draw_masks,
    fill,
    heading,
    lay,
    legend,
    line_handle,
    new_figure,
    outline,
    tissue_handles,
)
from napari_brats.workflows.figures.options import Options
from napari_brats.workflows.figures.view import PLANES, Slice, View
from napari_brats.workflows.subject import Subject

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

AGREED, MISSED, FALSE, MISTAKEN = 1, 2, 3, 4
_AGREED_COLOR = "#e8e8e8"
_SHEET_SLICES = 4
_CONTOUR_SLICES = 4
_READER_STYLES = ("solid", "dotted", "dashdot")
_READER_COLORS = ("#f0e442", "#56b4e9", "#cc79a7", "#e69f00")
_REFERENCE = "reference: outlines of WT, TC, ET"


def overview(subject: Subject, options: Options) -> "Figure":
    """Draw a large slice with the masks, and the four modalities beside it."""
    view = View.of(subject.case, subject.masks)
    cut = view.cut(view.telling())
    figure = new_figure(14, 7.6)
    grid = figure.add_gridspec(
        2, 4, left=0.01, right=0.99, bottom=0.10, top=0.86, wspace=0.03, hspace=0.1
    )
    large = figure.add_subplot(grid[:, :2])
    title = f"{MODALITY_TITLES[subject.modality]} with masks"
    draw_image(large, cut, subject.modality, title=title)
    draw_masks(large, cut, options.colors)
    draw_directions(large, cut)
    for place, name in enumerate(name for name in MODALITIES if name in cut.images):
        draw_image(figure.add_subplot(grid[place // 2, 2 + place % 2]), cut, name)
    heading(figure, subject.heading, f"{subject.details()}    axial slice {cut.number}")
    legend(figure, _handles(cut, options))
    return figure


def modalities(subject: Subject, options: Options) -> "Figure":
    """Draw every modality with the masks, on the most telling slice of each plane."""
    view = View.of(subject.case, subject.masks)
    names = [name for name in MODALITIES if name in view.images]
    cuts = [view.cut(view.telling(plane), plane) for plane in PLANES]
    figure, grid = _grid(cuts, len(names))
    for row, cut in enumerate(cuts):
        for column, name in enumerate(names):
            axes = figure.add_subplot(grid[row, column])
            draw_image(axes, cut, name, title=None if row == 0 else "")
            draw_masks(axes, cut, options.colors)
            if column == 0:
                draw_directions(axes, cut, bar=row == 0)
    heading(figure, subject.heading, f"{subject.details()}    {_numbers(cuts)}")
    legend(figure, _handles(cuts[0], options, *cuts[1:]))
    return figure


def difference(subject: Subject, options: Options) -> "Figure":
    """Draw prediction, reference and what differs, on the most telling slice of each plane."""
    from matplotlib.patches import Patch

    view, palette = View.of(subject.case, subject.masks), options.colors
    cuts = [view.cut(view.telling(plane), plane) for plane in PLANES]
    colors = {
        AGREED: _AGREED_COLOR,
        MISSED: palette.missed,
        FALSE: palette.false,
        MISTAKEN: palette.mistaken,
    }
    names = {
        AGREED: "same tissue", MISSED: "missed", FALSE: "false", MISTAKEN: "another tissue",
    }  # fmt: skip
    figure, grid = _grid(cuts, 3)
    for row, cut in enumerate(cuts):
        assert cut.reference is not None
        for column, title in enumerate(("prediction", "reference", "difference")):
            axes = figure.add_subplot(grid[row, column])
            draw_image(axes, cut, subject.modality, title=title if row == 0 else "")
            if column < 2:
                fill(axes, (cut.mask, cut.reference)[column], palette, 0.6)
            else:
                lay(axes, differences(cut.mask, cut.reference), colors, 0.75)
            if column == 0:
                draw_directions(axes, cut, bar=row == 0)
    heading(figure, subject.heading, f"{subject.details()}    {_numbers(cuts)}")
    shown = [mask for cut in cuts for mask in (cut.mask, cut.reference) if mask is not None]
    patches = [Patch(color=colors[code], label=names[code]) for code in colors]
    legend(figure, [*tissue_handles(shown, palette), *patches])
    return figure


def differences(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `AGREED`, `MISSED`, `FALSE` or `MISTAKEN` of every voxel, 0 where both have none."""
    found = np.zeros(prediction.shape, np.uint8)
    both = (prediction != 0) & (reference != 0)
    found[both] = np.where(prediction == reference, AGREED, MISTAKEN)[both]
    found[(prediction == 0) & (reference != 0)] = MISSED
    found[(prediction != 0) & (reference == 0)] = FALSE
    return found


def contours(subject: Subject, options: Options) -> "Figure":
    """Draw the outlines of all masks and the reference near the tumor, on several slices."""
    view, palette = View.of(subject.case, subject.masks), options.colors
    cuts = [view.cut(index, box=view.tumor_box) for index in view.spread(_CONTOUR_SLICES)]
    shown = [name for name in ("flair", "t1ce") if name in view.images] or [subject.modality]
    figure, grid = _grid([cuts[0]] * len(shown), len(cuts))
    alone = len(subject.masks) == 1
    for row, name in enumerate(shown):
        for column, cut in enumerate(cuts):
            axes = figure.add_subplot(grid[row, column])
            draw_image(axes, cut, name, title=f"slice {cut.number}" if row == 0 else "")
            if column == 0:
                draw_directions(axes, cut, bar=row == 0)
            for place, mask in enumerate(cut.masks.values()):
                if alone:
                    outline(axes, mask, palette=palette)
                else:
                    color, style = _reader(place)
                    outline(axes, mask, color=color, style=style)
            if cut.reference is not None:
                outline(axes, cut.reference, style="dashed")
    details = ", ".join(MODALITY_TITLES[name] for name in shown)
    heading(figure, subject.heading, f"{subject.details()}    outlines of WT, TC, ET on {details}")
    legend(figure, _outline_handles(subject, options, alone=alone))
    return figure


def sheet(subject: Subject, options: Options) -> "Figure":
    """Draw axial slices chosen at random: modalities, reference and mask side by side."""
    view, palette = View.of(subject.case, subject.masks), options.colors
    cuts = [view.cut(index) for index in view.drawn(_SHEET_SLICES, options.seed)]
    names = [name for name in MODALITIES if name in view.images]
    titles = [*view.masks, *(["reference"] if view.reference is not None else [])]
    figure, grid = _grid(cuts, len(names) + len(titles))
    for row, cut in enumerate(cuts):
        masks = [*cut.masks.values(), *([] if cut.reference is None else [cut.reference])]
        for column, name in enumerate([*names, *([subject.modality] * len(masks))]):
            axes = figure.add_subplot(grid[row, column])
            title = [*(MODALITY_TITLES[one] for one in names), *titles][column]
            draw_image(axes, cut, name, title=title if row == 0 else "")
            if column >= len(names):
                fill(axes, masks[column - len(names)], palette, 0.7)
            if column == 0:
                draw_directions(axes, cut, bar=False)
    details = f"axial slices {', '.join(str(cut.number) for cut in cuts)}"
    heading(
        figure,
        subject.heading,
        f"{subject.details()}    {details} (at random, seed {options.seed})",
    )
    shown = [mask for cut in cuts for mask in (*cut.masks.values(), cut.reference)]
    legend(figure, tissue_handles([mask for mask in shown if mask is not None], palette))
    return figure


def _grid(cuts: list[Slice], columns: int) -> "tuple[Figure, GridSpec]":
    """Return a figure with one row a slice, each as high as its slice is in mm."""
    heights = [cut.mask.shape[0] * cut.spacing_mm[0] for cut in cuts]
    widths = [cut.mask.shape[1] * cut.spacing_mm[1] for cut in cuts]
    wide = min(3.6, 16 / columns)
    width = max(columns * wide, 8.5)
    inner = sum(heights) / max(widths) * (width / columns)
    top, bottom = 1.15, 0.5
    height = inner + top + bottom
    figure = new_figure(width, height)
    grid = figure.add_gridspec(
        len(cuts), columns, left=0.005, right=0.995, bottom=bottom / height, top=1 - top / height,
        wspace=0.02, hspace=0.02, height_ratios=heights,
    )  # fmt: skip
    return figure, grid


def _handles(cut: Slice, options: Options, *more: Slice) -> "list[Artist]":
    handles = tissue_handles([one.mask for one in (cut, *more)], options.colors)
    for handle in handles:
        handle.set_label(f"predicted {handle.get_label()}")
    return [*handles, *([line_handle(_REFERENCE, "dashed")] if cut.reference is not None else [])]


def _outline_handles(subject: Subject, options: Options, *, alone: bool) -> "list[Artist]":
    if alone:
        handles = [
            line_handle(name, color=options.colors.region(name)) for name in ("WT", "TC", "ET")
        ]
    else:
        handles = [
            line_handle(title, _reader(place)[1], _reader(place)[0])
            for place, title in enumerate(subject.masks)
        ]
    reference = [line_handle("reference", "dashed")] if subject.case.reference is not None else []
    return [*handles, *reference]


def _reader(place: int) -> tuple[str, str]:
    color = _READER_COLORS[place % len(_READER_COLORS)]
    return color, _READER_STYLES[place // len(_READER_COLORS) % len(_READER_STYLES)]


def _numbers(cuts: list[Slice]) -> str:
    return ", ".join(f"{cut.plane} {cut.number}" for cut in cuts)
