"""One picture of a patient: the four modalities and the masks, on the most telling slice."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import MODALITIES, Case
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.preprocessing.steps import Reorient
from napari_brats.regions import REGIONS, TISSUE_COLORS, TISSUE_TITLES, Tissue, region_mask
from napari_brats.volumes import atomic_write, spacing_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "white"
_PAPER = "black"
_TITLES = {"t1": "T1", "t1ce": "T1 contrast-enhanced", "t2": "T2", "flair": "FLAIR"}
_BRIGHTEST_PERCENT = 99.5
_MARGIN = 6
_BAR_MM = 50.0
_FILL = 0.35
_DOTS_PER_INCH = 150


@dataclass(frozen=True)
class AxialSlice:
    """A patient's axial slice as people look at it.

    Parameters
    ----------
    number : int
        Along the axis from feet to head.
    images : dict of str to NDArray[np.float32], shape (rows, columns)
        Anterior up, the patient's right on the left; cut to the head in this slice.
    prediction, reference : NDArray[np.uint8], shape (rows, columns)
        `Tissue` codes; ``reference`` is None where there is none.
    windows : dict of str to tuple of float
        Black and white of each modality.
    spacing_mm : tuple of float
        Of rows and columns.
    """

    number: int
    images: dict[str, NDArray[np.float32]]
    prediction: NDArray[np.uint8]
    reference: NDArray[np.uint8] | None
    windows: dict[str, tuple[float, float]]
    spacing_mm: tuple[float, float]


def telling_slice(case: Case, tissues: NDArray[np.uint8]) -> AxialSlice:
    """Choose the axial slice that shows the most of all three regions.

    Parameters
    ----------
    case : Case
        The patient, in any orientation.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        The prediction on the patient's grid, `Tissue` codes.

    Returns
    -------
    AxialSlice
        Where neither mask has tumor, the slice with the most head.
    """
    masks = [tissues] if case.reference is None else [tissues, case.reference]
    stack = np.stack([np.asarray(mask, np.float32) for mask in (*masks, *case.images.values())])
    stack, affine, _ = Reorient("LPS").apply(stack, case.affine)
    turned = stack[: len(masks)].astype(np.uint8)
    volumes = dict(zip(case.images, stack[len(masks) :], strict=True))
    heads: NDArray[np.bool_] = np.logical_or.reduce([volume != 0 for volume in volumes.values()])
    areas = sum(_share_by_slice(region_mask(mask, region)) for mask in turned for region in REGIONS)
    if not np.any(areas):
        areas = _share_by_slice(heads)
    number = int(np.argmax(areas))
    rows, columns = _box(heads[:, :, number])
    spacing = spacing_of(affine)

    def cut(volume: NDArray[np.generic]) -> NDArray[np.generic]:
        return volume[columns, rows, number].T

    return AxialSlice(
        number=number,
        images={name: np.asarray(cut(volume), np.float32) for name, volume in volumes.items()},
        prediction=np.asarray(cut(turned[0]), np.uint8),
        reference=np.asarray(cut(turned[1]), np.uint8) if len(masks) > 1 else None,
        windows={name: _window(volume) for name, volume in volumes.items()},
        spacing_mm=(float(spacing[1]), float(spacing[0])),
    )


def overview_figure(
    case: Case, tissues: NDArray[np.uint8], path: str | Path, *, model: str = ""
) -> Path:
    """Draw the four modalities beside the masks and write a PNG.

    Parameters
    ----------
    case : Case
        The patient.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        The prediction on the patient's grid, `Tissue` codes.
    path : str or Path
        File to write, atomically.
    model : str
        Name of the weights, for the title.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cut = telling_slice(case, tissues)
    figure = Figure(figsize=(14, 7.6), facecolor=_PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, 4, left=0.01, right=0.99, bottom=0.10, top=0.86, wspace=0.03, hspace=0.1
    )
    large = figure.add_subplot(grid[:, :2])
    below = "flair" if "flair" in cut.images else next(iter(cut.images))
    _draw_image(large, cut, below)
    large.set_title(f"{_TITLES[below]} with masks", color=_INK, fontsize=11, pad=4)
    _draw_masks(large, cut)
    _draw_directions(large, cut)
    for place, name in enumerate(name for name in MODALITIES if name in cut.images):
        _draw_image(figure.add_subplot(grid[place // 2, 2 + place % 2]), cut, name)
    _draw_titles(figure, case, tissues, model, cut.number)
    _draw_legend(figure, cut)

    def write(target: Path) -> None:
        figure.savefig(target, format="png", dpi=_DOTS_PER_INCH, facecolor=_PAPER)

    return atomic_write(path, write)


def _share_by_slice(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how much of the mask lies in each slice, so that small regions count as much."""
    areas: NDArray[np.float64] = mask.sum(axis=(0, 1), dtype=np.float64)
    return areas / max(float(areas.sum()), 1.0)


def _box(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return (rows, columns) of the head in the (X, Y) plane, with a margin."""
    sides = []
    for axis in (0, 1):
        filled = np.flatnonzero(inside.any(axis=axis))
        first, last = (filled[0], filled[-1]) if filled.size else (0, inside.shape[1 - axis] - 1)
        sides.append(slice(max(int(first) - _MARGIN, 0), int(last) + _MARGIN + 1))
    return sides[0], sides[1]


def _window(volume: NDArray[np.float32]) -> tuple[float, float]:
    inside = volume[volume != 0]
    if not inside.size:
        return 0.0, 1.0
    black, white = min(0.0, float(inside.min())), float(np.percentile(inside, _BRIGHTEST_PERCENT))
    return black, max(white, black + 1e-6)


def _draw_image(axes: "Axes", cut: AxialSlice, name: str) -> None:
    black, white = cut.windows[name]
    rows_mm, columns_mm = cut.spacing_mm
    axes.imshow(cut.images[name], cmap="gray", vmin=black, vmax=white, aspect=rows_mm / columns_mm)
    axes.set_title(_TITLES[name], color=_INK, fontsize=11, pad=4)
    axes.set_axis_off()


def _draw_masks(axes: "Axes", cut: AxialSlice) -> None:
    """Fill the predicted tissues; outline the reference's regions."""
    from matplotlib.colors import to_rgb

    filled = np.zeros((*cut.prediction.shape, 4), np.float32)
    for tissue, color in TISSUE_COLORS.items():
        filled[cut.prediction == tissue] = (*to_rgb(color), _FILL)
    axes.imshow(filled, aspect=axes.get_aspect(), interpolation="nearest")
    _outline(axes, cut.prediction, "solid")
    if cut.reference is not None:
        _outline(axes, cut.reference, "dashed")


def _outline(axes: "Axes", tissues: NDArray[np.uint8], style: str) -> None:
    """Draw the border of every region, in the color of the tissue that sets it apart."""
    from matplotlib.patheffects import Normal, Stroke

    for name, tissue in _BORDER_TISSUES.items():
        mask = region_mask(tissues, name)
        if mask.any() and not mask.all():
            color = TISSUE_COLORS[tissue] if style == "solid" else _INK
            lines = axes.contour(mask, [0.5], colors=[color], linewidths=1.4, linestyles=style)
            lines.set_path_effects([Stroke(linewidth=2.6, foreground=_PAPER), Normal()])


_BORDER_TISSUES = {"WT": Tissue.EDEMA, "TC": Tissue.NECROSIS, "ET": Tissue.ENHANCING}


def _draw_directions(axes: "Axes", cut: AxialSlice) -> None:
    places = {"R": (0.01, 0.5), "L": (0.99, 0.5), "A": (0.5, 0.985), "P": (0.5, 0.015)}
    for letter, (x, y) in places.items():
        axes.text(
            x, y, letter, color=_INK, fontsize=13, weight="bold", transform=axes.transAxes,
            ha={"R": "left", "L": "right"}.get(letter, "center"),
            va={"A": "top", "P": "bottom"}.get(letter, "center"),
        )  # fmt: skip
    rows, _ = cut.prediction.shape
    length = _BAR_MM / cut.spacing_mm[1]
    axes.plot([4, 4 + length], [rows - 5, rows - 5], color=_INK, linewidth=2.5)
    axes.text(
        4 + length / 2, rows - 8, f"{_BAR_MM / 10:g} cm", color=_INK, ha="center", fontsize=10
    )


def _draw_titles(
    figure: "Figure", case: Case, tissues: NDArray[np.uint8], model: str, number: int
) -> None:
    heading = f"{case.case_id}    {model}".rstrip()
    if case.reference is None:
        details = "no reference mask"
    else:
        scores = score_regions(joint_counts(tissues, case.reference), case.voxel_ml)
        details = "Dice   " + "   ".join(f"{name} {s.dice:.3f}" for name, s in scores.items())
    if not tissues.any():
        details += "    no tumor predicted"
    figure.text(0.015, 0.945, heading, color=_INK, fontsize=16, weight="bold")
    figure.text(0.015, 0.905, f"{details}    axial slice {number}", color=_INK, fontsize=12)


def _draw_legend(figure: "Figure", cut: AxialSlice) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shown = [tissue for tissue in TISSUE_COLORS if (cut.prediction == tissue).any()]
    handles: list[Patch | Line2D] = [
        Patch(color=TISSUE_COLORS[tissue], label=f"predicted {TISSUE_TITLES[tissue]}")
        for tissue in shown
    ]
    if cut.reference is not None:
        handles.append(
            Line2D(
                [], [], color=_INK, linestyle="dashed", label="reference: outlines of WT, TC, ET"
            )
        )
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.01), ncols=len(handles) or 1,
        frameon=False, labelcolor=_INK, fontsize=11,
    )  # fmt: skip
