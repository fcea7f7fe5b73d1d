"""TOOLS: the whole-volume tools, their parameters and what they need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.boxes import Box
from napari_brats.editing.tools import functions
from napari_brats.editing.tools.shapes import REACH_SIGMAS
from napari_brats.editing.tools.work import Work, around_seed, around_tumor, settle

ALL, REGION = "all tissues", "one region or tissue"
SEED, IMAGES, OTHER, MODEL = "seed", "images", "other mask", "model"


@dataclass(frozen=True)
class Number:
    """A parameter in millimeters, milliliters or standard deviations."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    default: float
    step: float

    def check(self, value: Any) -> None:
        """Raise ValueError for what is out of range."""
        if not self.low <= value <= self.high:
            raise ValueError(
                f"{self.title} is {value!r}; expected {self.low:g} to {self.high:g} {self.unit}"
            )


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of several words, each with a title."""

    name: str
    title: str
    choices: Mapping[str, str]
    default: str

    def check(self, value: Any) -> None:
        """Raise ValueError for an unknown word."""
        if value not in self.choices:
            raise ValueError(f"{self.title} is {value!r}; expected one of {list(self.choices)}")


@dataclass(frozen=True)
class Tool:
    """One whole-volume tool.

    Parameters
    ----------
    name, title, text : str
        Key; what people read; what it does, in a sentence.
    function : callable
        One of `functions`.
    parameters : tuple of Number or Choice
        Its keywords.
    applies_to : tuple of str
        Of `ALL` and `REGION`, the first as the default.
    first : str
        Name of the brush that it is mostly applied to; empty for the outermost region.
    needs : frozenset of str
        Of `SEED`, `IMAGES`, `OTHER` and `MODEL` (whose mask is then the other one).
    reach : str
        The parameter that says how many mm around the tumor, or around the seed, matter.
    reach_factor : float
        Times this.
    """

    name: str
    title: str
    text: str
    function: Callable[..., NDArray[np.uint8]]
    parameters: tuple[Number | Choice, ...]
    applies_to: tuple[str, ...] = (REGION,)
    first: str = ""
    needs: frozenset[str] = frozenset()
    reach: str = ""
    reach_factor: float = 1.0

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters' defaults by name."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def run(self, work: Work, **values: Any) -> Box | None:
        """Return what the tool changes, or None if that is nothing.

        Parameters
        ----------
        work : Work
            With what the tool `needs`.
        **values
            Parameters that are not to have their default.

        Returns
        -------
        Box or None
            The smallest box that holds all changes, with old and new tissues.

        Raises
        ------
        ValueError
            If a parameter is out of range or unknown.
        """
        chosen = {**self.defaults, **values}
        for parameter in self.parameters:
            parameter.check(chosen[parameter.name])
        reach_mm = self.reach_factor * chosen[self.reach] if self.reach else 0.0
        place = (around_seed if SEED in self.needs else around_tumor)(work, reach_mm)
        work = work.at(place)
        return settle(work, self.function(work, **chosen)) if work.tissues.size else None


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "slices",
            "Fill between slices",
            "Draw every few slices, and the shapes between them follow.",
            functions.fill_slices,
            (Number("widest_mm", "Widest gap", "mm", 1, 60, 15, 1),),
            applies_to=(ALL, REGION),
        ),
        Tool(
            "islands",
            "Remove islands",
            "Separate parts that are smaller than a volume go.",
            functions.remove_islands,
            (Number("least_ml", "Smaller than", "ml", 0, 50, 0.1, 0.05),),
            applies_to=(REGION, ALL),
        ),
        Tool(
            "holes",
            "Fill holes",
            "What is enclosed on all sides is filled, up to a volume.",
            functions.fill_holes,
            (Number("most_ml", "Up to", "ml", 0, 50, 0.5, 0.05),),
        ),
        Tool(
            "smooth",
            "Smooth",
            "Outlines are smoothed; tissues that touch still do.",
            functions.smooth,
            (Number("sigma_mm", "Over", "mm", 0.3, 5, 1, 0.1),),
            applies_to=(ALL, REGION),
            reach="sigma_mm",
            reach_factor=REACH_SIGMAS,
        ),
        Tool(
            "grow",
            "Grow",
            "A margin is added; a region stays inside the region around it.",
            functions.grow,
            (Number("mm", "By", "mm", 0.1, 30, 2, 0.5),),
            reach="mm",
        ),
        Tool(
            "shrink",
            "Shrink",
            "A margin is taken away.",
            functions.shrink,
            (Number("mm", "By", "mm", 0.1, 30, 1, 0.5),),
            reach="mm",
        ),
        Tool(
            "drop",
            "Drop below a volume",
            "If there is less than a volume in the whole mask, all of it goes.",
            functions.drop_small,
            (Number("least_ml", "Less than", "ml", 0, 50, 0.5, 0.05),),
            first="ET",
        ),
        Tool(
            "take",
            "Take from another mask",
            "A region, or everything, as it is in another mask or the reference.",
            functions.take_region,
            (
                Choice(
                    "way",
                    "How",
                    {
                        "replace": "make it the same",
                        "add": "only add to mine",
                        "remove": "only remove from mine",
                    },
                    "replace",
                ),
            ),
            applies_to=(REGION, ALL),
            needs=frozenset({OTHER}),
        ),
        Tool(
            "seed",
            "Grow from a seed",
            "Click into a structure: what is joined with it and looks alike is painted.",
            functions.grow_seed,
            (
                Number("tolerance", "Tolerance", "SD", 0.3, 5, 1.5, 0.1),
                Number("radius_mm", "At most", "mm", 2, 60, 25, 1),
            ),
            needs=frozenset({SEED, IMAGES}),
            reach="radius_mm",
        ),
        Tool(
            "box",
            "Segment again",
            "Click a place: in a box around it the chosen model's answer replaces the mask.",
            functions.take_box,
            (Number("edge_mm", "Edge", "mm", 5, 200, 40, 5),),
            applies_to=(ALL, REGION),
            needs=frozenset({SEED, MODEL}),
            reach="edge_mm",
            reach_factor=0.5,
        ),
    )
}
