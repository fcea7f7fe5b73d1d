"""Figures of many cases: agreement of volumes, and how scores are spread.

Sources: Bland and Altman 1986, doi:10.1016/S0140-6736(86)90837-8; raincloud plots, Allen et
al. 2019, doi:10.12688/wellcomeopenres.15191.1.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CaseError
from napari_brats.metrics.table import METRICS, NONE
from napari_brats.regions import REGIONS
from napari_brats.workflows.figures.canvas import new_figure
from napari_brats.workflows.figures.options import Options

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Column = Mapping[str, float | None]
Scores = Mapping[str, Mapping[str, Column]]
"""Region -> metric -> case -> value, None where there is no number."""

METHOD_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
LIMITS_SD = 1.96


def bland_altman(methods: Mapping[str, Scores], options: Options) -> "Figure":
    """Draw predicted minus reference volume over their mean, with the limits of agreement."""
    regions = _regions(methods)
    figure = new_figure(4.2 * len(regions), 4.0, dark=False)
    for axes, region in zip(_row(figure, len(regions)), regions, strict=True):
        for place, (method, scores) in enumerate(methods.items()):
            pairs = _pairs(scores[region]["volume_ml"], scores[region]["reference_ml"])
            if not len(pairs):
                continue
            color = METHOD_COLORS[place % len(METHOD_COLORS)]
            gap = pairs[:, 0] - pairs[:, 1]
            bias = float(gap.mean())
            label = f"{method}: n {len(pairs)}, bias {bias:+.1f} ml"
            axes.scatter(pairs.mean(axis=1), gap, s=22, color=color, alpha=0.75, label=label)
            axes.axhline(bias, color=color, linewidth=1.4)
            if len(pairs) > 1:
                reach = LIMITS_SD * float(gap.std(ddof=1))
                for limit in (bias - reach, bias + reach):
                    axes.axhline(limit, color=color, linewidth=1, linestyle="dashed")
        axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        axes.set_title(f"{region}: {REGIONS[region].title}", fontsize=11)
        axes.set_xlabel("mean of prediction and reference, ml")
        if axes.collections:
            low, high = axes.get_ylim()
            axes.set_ylim(low, high + 0.1 * (1 + len(methods)) * (high - low))
            axes.legend(frameon=False, fontsize=8, loc="upper left")
    figure.axes[0].set_ylabel("prediction - reference, ml")
    figure.suptitle(
        f"Volumes: bias (line) and limits of agreement (dashed, {LIMITS_SD:g} SD)", fontsize=11
    )
    return figure


def boxes(methods: Mapping[str, Scores], options: Options) -> "Figure":
    """Draw Dice, HD95 and surface Dice of each region as box plots with all cases."""
    regions = _regions(methods)
    names = list(dict.fromkeys((options.metric, "dice", "hd95_mm", "nsd")))[:3]
    figure = new_figure(4.4 * len(names), 4.4, dark=False)
    for axes, name in zip(_row(figure, len(names)), names, strict=True):
        for place, (_method, scores) in enumerate(methods.items()):
            color = METHOD_COLORS[place % len(METHOD_COLORS)]
            columns = [_finite(scores[region][name]) for region in regions]
            positions, width = _positions(len(regions), place, len(methods))
            axes.boxplot(
                columns, positions=positions, widths=width, showfliers=False,
                medianprops={"color": "black"}, boxprops={"color": color},
                whiskerprops={"color": color}, capprops={"color": color},
            )  # fmt: skip
            for position, values in zip(positions, columns, strict=True):
                _dots(axes, values, position, width / 3, color)
        _label(axes, methods, regions, name)
    _name_methods(figure, methods)
    return figure


def raincloud(methods: Mapping[str, Scores], options: Options) -> "Figure":
    """Draw one metric as density, box and single cases, region by region."""
    regions = _regions(methods)
    figure = new_figure(8.5, 1.2 + 1.35 * len(regions) * max(1.0, 0.7 * len(methods)), dark=False)
    (axes,) = _row(figure, 1)
    for place, (_method, scores) in enumerate(methods.items()):
        color = METHOD_COLORS[place % len(METHOD_COLORS)]
        positions, width = _positions(len(regions), place, len(methods))
        for position, region in zip(positions, regions, strict=True):
            values = _finite(scores[region][options.metric])
            if len(values):
                _cloud(axes, values, position, width, color)
    axes.invert_yaxis()
    metric = METRICS[options.metric]
    axes.set_xlabel(metric.title + (f", {metric.unit}" if metric.unit != "1" else ""))
    axes.set_yticks(range(len(regions)), _tick_labels(methods, regions, options.metric))
    better = "" if metric.better == NONE else f" ({metric.better} is better)"
    axes.set_title(f"{metric.title}{better}: density, quartiles, every case", fontsize=11)
    _name_methods(figure, methods)
    return figure


def _cloud(
    axes: "Axes", values: NDArray[np.float64], position: float, width: float, color: str
) -> None:
    """Draw one raincloud: the density above, the box on the line, the cases below."""
    axes.boxplot(
        [values], positions=[position], widths=width * 0.18, orientation="horizontal",
        showfliers=False, medianprops={"color": "black"}, manage_ticks=False,
    )  # fmt: skip
    below = position + width * 0.16
    axes.scatter(values, below + width * 0.3 * _jitter(len(values)), s=14, color=color, alpha=0.7)
    if len(values) > 2 and np.ptp(values) > 0:
        from scipy.stats import gaussian_kde

        grid = np.linspace(values.min(), values.max(), 200)
        density = gaussian_kde(values)(grid)
        top = position - width * (0.13 + 0.4 * density / density.max())
        axes.fill_between(grid, position - width * 0.13, top, color=color, alpha=0.45, linewidth=0)


def _dots(
    axes: "Axes", values: NDArray[np.float64], position: float, spread: float, color: str
) -> None:
    places = position + spread * (2 * _jitter(len(values)) - 1)
    axes.scatter(places, values, s=12, color=color, alpha=0.6, zorder=3)


def _jitter(count: int) -> NDArray[np.float64]:
    """Return numbers from 0 to 1 that keep neighbors apart; the same for the same count."""
    golden = (math.sqrt(5) - 1) / 2
    places: NDArray[np.float64] = np.arange(count, dtype=np.float64) * golden % 1.0
    return places


def _positions(count: int, place: int, methods: int) -> tuple[list[float], float]:
    width = 0.8 / methods
    return [index + (place - (methods - 1) / 2) * width for index in range(count)], width * 0.9


def _row(figure: "Figure", count: int) -> "list[Axes]":
    figure.set_layout_engine("constrained")
    found = figure.subplots(1, count, squeeze=False)[0]
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
    return list(found)


def _label(axes: "Axes", methods: Mapping[str, Scores], regions: list[str], name: str) -> None:
    metric = METRICS[name]
    axes.set_title(metric.title + (f", {metric.unit}" if metric.unit != "1" else ""), fontsize=11)
    axes.set_xticks(range(len(regions)), _tick_labels(methods, regions, name))
    if metric.unit == "1":
        axes.set_ylim(-0.02, 1.02)


def _tick_labels(methods: Mapping[str, Scores], regions: list[str], name: str) -> list[str]:
    """Return each region with its number of cases, and of those without a number."""
    labels = []
    for region in regions:
        columns = [scores[region][name] for scores in methods.values()]
        counts = "/".join(str(len(_finite(column))) for column in columns)
        missing = [len(column) - len(_finite(column)) for column in columns]
        lost = f"\n{'/'.join(map(str, missing))} undefined" if any(missing) else ""
        labels.append(f"{region}\nn {counts}{lost}")
    return labels


def _name_methods(figure: "Figure", methods: Mapping[str, Scores]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=METHOD_COLORS[place % len(METHOD_COLORS)], label=method)
        for place, method in enumerate(methods)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)


def _regions(methods: Mapping[str, Scores]) -> list[str]:
    """Return those of WT, TC and ET that every method has."""
    found = [name for name in REGIONS if all(name in scores for scores in methods.values())]
    if not found:
        raise CaseError("the tables have none of WT, TC, ET in common; write them with evaluate")
    return found


def _finite(column: Column) -> NDArray[np.float64]:
    return np.array([value for value in column.values() if value is not None], np.float64)


def _pairs(first: Column, second: Column) -> NDArray[np.float64]:
    """Return (N, 2) of the cases that have both numbers."""
    rows = [
        (value, second[case])
        for case, value in first.items()
        if value is not None and second.get(case) is not None
    ]
    return np.array(rows, np.float64).reshape(-1, 2)
