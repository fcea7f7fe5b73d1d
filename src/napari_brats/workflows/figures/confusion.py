"""Which tissue is taken for which: a patient's confusion matrix."""

from typing import TYPE_CHECKING

import numpy as np

from napari_brats.metrics.overlap import joint_counts
from napari_brats.regions import TISSUE_TITLES, Tissue
from napari_brats.workflows.figures.canvas import new_figure
from napari_brats.workflows.figures.options import Options
from napari_brats.workflows.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion(subject: Subject, options: Options) -> "Figure":
    """Draw how the voxels of each reference tissue were called, as shares and milliliters.

    Background that both leave alone is left out: it would outnumber everything.
    """
    assert subject.case.reference is not None
    joint = joint_counts(subject.mask, subject.case.reference).T.astype(np.float64)
    joint[0, 0] = 0
    used = [tissue for tissue in Tissue if joint[tissue].any() or joint[:, tissue].any()]
    used = used if Tissue.BACKGROUND in used else [Tissue.BACKGROUND, *used]
    counts = joint[np.ix_(used, used)]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    titles = [TISSUE_TITLES[tissue] for tissue in used]
    size = 1.9 + 1.25 * len(used)
    figure = new_figure(size + 1.0, size, dark=False)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        both_empty = used[row] == used[column] == Tissue.BACKGROUND
        ml = counts[row, column] * subject.case.voxel_ml
        text = "not\ncounted" if both_empty else f"{shares[row, column]:.0%}\n{ml:.1f} ml"
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=10)
    axes.set_xticks(range(len(used)), titles, rotation=20, ha="right")
    axes.set_yticks(range(len(used)), titles)
    axes.set_xlabel("predicted")
    axes.set_ylabel("reference")
    axes.set_title(f"{subject.heading}\nshare of each reference tissue, and volume", fontsize=11)
    figure.set_layout_engine("constrained")
    return figure
