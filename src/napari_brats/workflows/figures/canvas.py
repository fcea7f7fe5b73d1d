"""What figures of slices are drawn with: images, filled and outlined masks, letters, legends."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.regions import REGIONS, TISSUE_TITLES, Palette, region_mask
from napari_brats.volumes import write_bytes_atomic
from napari_brats.workflows.figures.view import Slice

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PAPER = "white", "black"
MODALITY_TITLES = {"t1": "T1", "t1ce": "T1 contrast-enhanced", "t2": "T2", "flair": "FLAIR"}
FORMATS = (".png", ".pdf", ".svg")
_FILL = 0.35
_BAR_MM = 50.0
_SHORT_BAR_MM = 10.0
_DOTS_PER_INCH = 150


def new_figure(width: float, height: float, *, dark: bool = True) -> "Figure":
    """Return an empty figure of a size in inches that needs no window and no pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=PAPER if dark else "white")
    FigureCanvasAgg(figure)
    return figure


def encode(figure: "Figure", kind: str = "png", *, dpi: int = _DOTS_PER_INCH) -> bytes:
    """Return a figure as a file of one of `FORMATS`, without its date."""
    from matplotlib import rc_context

    content = BytesIO()
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
    # SVG names its parts at random unless it is given a salt.
    with rc_context({"svg.hashsalt": "napari-brats"}):
        figure.savefig(
            content, format=kind, dpi=dpi, facecolor=figure.get_facecolor(), metadata=metadata
        )
    return content.getvalue()


def save(figure: "Figure", path: str | Path) -> Path:
    """Write a figure in the format of its ending, whole or not at all."""
    return write_bytes_atomic(path, encode(figure, Path(path).suffix.lower().removeprefix(".")))


def draw_image(axes: "Axes", cut: Slice, name: str, *, title: str | None = None) -> None:
    """Show one modality in gray."""
    black, white = cut.windows[name]
    rows_mm, columns_mm = cut.spacing_mm
    axes.imshow(cut.images[name], cmap="gray", vmin=black, vmax=white, aspect=rows_mm / columns_mm)
    axes.set_title(MODALITY_TITLES[name] if title is None else title, color=INK, fontsize=11, pad=4)
    axes.set_axis_off()


def fill(axes: "Axes", tissues: NDArray[np.uint8], palette: Palette, alpha: float = _FILL) -> None:
    """Lay the tissues' colors over an image, shape (rows, columns)."""
    colors = {int(tissue): color for tissue, color in palette.tissues.items()}
    lay(axes, tissues, colors, alpha)


def lay(axes: "Axes", codes: NDArray[np.uint8], colors: Mapping[int, str], alpha: float) -> None:
    """Lay a color over the voxels of each code, shape (rows, columns)."""
    from matplotlib.colors import to_rgb

    filled = np.zeros((*codes.shape, 4), np.float32)
    for code, color in colors.items():
        filled[codes == code] = (*to_rgb(color), alpha)
    axes.imshow(filled, aspect=axes.get_aspect(), interpolation="nearest")


def outline(
    axes: "Axes",
    tissues: NDArray[np.uint8],
    *,
    palette: Palette | None = None,
    color: str = INK,
    style: str = "solid",
    regions: Sequence[str] = tuple(REGIONS),
) -> None:
    """Draw the border of every region, in its own color or in one for all."""
    from matplotlib.patheffects import Normal, Stroke

    for name in regions:
        mask = region_mask(tissues, name)
        if mask.any() and not mask.all():
            line = color if palette is None else palette.region(name)
            lines = axes.contour(mask, [0.5], colors=[line], linewidths=1.4, linestyles=style)
            lines.set_path_effects([Stroke(linewidth=2.6, foreground=PAPER), Normal()])


def draw_masks(axes: "Axes", cut: Slice, palette: Palette) -> None:
    """Fill and outline the first mask; outline the reference in dashes."""
    fill(axes, cut.mask, palette)
    outline(axes, cut.mask, palette=palette)
    if cut.reference is not None:
        outline(axes, cut.reference, style="dashed")


def draw_directions(axes: "Axes", cut: Slice, *, bar: bool = True) -> None:
    """Write where the patient's sides are, and draw a bar of known length."""
    from matplotlib.patheffects import Normal, Stroke

    places = {
        "left": (0.01, 0.5),
        "right": (0.99, 0.5),
        "top": (0.5, 0.985),
        "bottom": (0.5, 0.015),
    }
    for edge, (x, y) in places.items():
        axes.text(
            x, y, cut.letters[edge], color=INK, fontsize=13, weight="bold",
            transform=axes.transAxes, ha=edge if edge in ("left", "right") else "center",
            va=edge if edge in ("top", "bottom") else "center",
            path_effects=[Stroke(linewidth=2.5, foreground=PAPER), Normal()],
        )  # fmt: skip
    if bar:
        rows, columns = cut.mask.shape
        width_mm = columns * cut.spacing_mm[1]
        bar_mm = _BAR_MM if 0.4 * width_mm > _BAR_MM else _SHORT_BAR_MM
        length = bar_mm / cut.spacing_mm[1]
        axes.plot([4, 4 + length], [rows - 5, rows - 5], color=INK, linewidth=2.5)
        axes.text(
            4 + length / 2, rows - 8, f"{bar_mm / 10:g} cm", color=INK, ha="center", fontsize=10
        )


def tissue_handles(masks: Sequence[NDArray[np.uint8]], palette: Palette) -> "list[Artist]":
    """Return legend entries of the tissues that occur in any of the masks."""
    from matplotlib.patches import Patch

    return [
        Patch(color=color, label=TISSUE_TITLES[tissue])
        for tissue, color in palette.tissues.items()
        if any((mask == tissue).any() for mask in masks)
    ]


def line_handle(label: str, style: str = "solid", color: str = INK) -> "Artist":
    """Return a legend entry of an outline."""
    from matplotlib.lines import Line2D

    handle = Line2D([], [], color=color, label=label)
    handle.set_linestyle(style)  # type: ignore[arg-type]  # one of its names
    return handle


def legend(figure: "Figure", handles: "Sequence[Artist]") -> None:
    """Put a legend in one line below everything."""
    figure.legend(
        handles=list(handles), loc="lower left", bbox_to_anchor=(0.01, 0.01),
        ncols=len(handles) or 1, frameon=False, labelcolor=INK, fontsize=11,
    )  # fmt: skip


def heading(figure: "Figure", title: str, details: str) -> None:
    """Write two lines at the top left, at the same distance on figures of any height."""
    height = figure.get_figheight()
    left = 0.2 / figure.get_figwidth()
    figure.text(left, 1 - 0.42 / height, title, color=INK, fontsize=16, weight="bold")
    figure.text(left, 1 - 0.72 / height, details, color=INK, fontsize=12)
