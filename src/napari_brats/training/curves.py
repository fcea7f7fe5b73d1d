"""Loss and Dice over a training, from its logs, as a PNG."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.regions import REGIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVES_NAME = "curves.png"
LOG_FOLDER = "log"
_SMOOTH = 25


def read_log(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Return the curves of a training, of all its runs one after another.

    Parameters
    ----------
    folder : Path
        With ``version_*/metrics.csv``, as Lightning writes them.

    Returns
    -------
    dict of str to NDArray[np.float64], shape (N, 2)
        Step and value of each quantity; where a run was repeated, the later one counts.
    """
    curves: dict[str, dict[int, float]] = {}
    runs = folder.glob("version_*/metrics.csv")
    for path in sorted(runs, key=lambda path: int(path.parent.name.removeprefix("version_"))):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                try:
                    values = {name: float(value) for name, value in row.items() if value}
                    step = int(values.pop("step"))
                except (KeyError, TypeError, ValueError):  # a kill or a full disk cut it off
                    continue
                for name, value in values.items():
                    curves.setdefault(name, {})[step] = value
    return {name: np.array(sorted(points.items())) for name, points in curves.items()}


def draw_curves(log: Path, target: Path) -> Path:
    """Draw a training's log as a PNG and return its path."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    plot_curves(figure, read_log(log))
    figure.savefig(target, dpi=120)
    return target


def plot_curves(
    figure: "Figure",
    curves: Mapping[str, NDArray[np.float64]],
    *,
    stacked: bool = False,
    dice: bool = True,
) -> None:
    """Plot the loss and, where patients were held out, their Dice.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Is cleared first.
    curves : Mapping of str to NDArray[np.float64], shape (N, 2)
        As `read_log` gives them: ``"loss"``, ``"dice_WT"`` and so on.
    stacked : bool
        One above the other rather than side by side.
    dice : bool
        False: the loss alone.
    """
    figure.clear()
    if not dice:
        _plot_loss(figure.subplots(), curves)
        return
    left, right = figure.subplots(2, 1) if stacked else figure.subplots(1, 2)
    _plot_loss(left, curves)
    for name in REGIONS:
        if f"dice_{name}" in curves:
            right.plot(*curves[f"dice_{name}"].T, marker="o", markersize=3, label=name)
    if right.lines:
        right.legend(frameon=False)
    else:
        right.text(0.5, 0.5, "no patient held out", ha="center", transform=right.transAxes)
    right.set(xlabel="step", ylabel="Dice", ylim=(0, 1), title="Held-out patients")


def _plot_loss(axes: "Axes", curves: Mapping[str, NDArray[np.float64]]) -> None:
    if "loss" in curves:
        steps, loss = curves["loss"].T
        axes.plot(steps, loss, color="0.8", linewidth=0.8, label="each step")
        width = min(_SMOOTH, len(loss))
        smooth = np.convolve(loss, np.full(width, 1 / width), "valid")
        axes.plot(steps[width - 1 :], smooth, label=f"mean of {width} steps")
        axes.legend(frameon=False)
    axes.set(xlabel="step", ylabel="loss", title="Training")
