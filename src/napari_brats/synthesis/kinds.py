"""KINDS: what each kind of tumor looks like, and `Lesion`: one focus drawn from a row."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from napari_brats.errors import CaseError
from napari_brats.synthesis.brain import Point

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """One row of `KINDS`; a range is drawn from uniformly. Lengths are in mm.

    Parameters
    ----------
    title : str
        For people.
    frequency : float
        Relative, among randomly drawn patients.
    core_mm : (low, high)
        Radius of the first focus.
    rim_mm : (low, high) or None
        Thickness of the enhancing rim; None where there is no rim.
    gaps : (low, high)
        Share of the core whose rim does not enhance.
    spotted : float
        Share of tumors without rim that have small enhancing spots.
    spots : (low, high)
        Share of the core that these spots take.
    edema_mm : (low, high)
        How far edema reaches beyond the core through white matter.
    dry : float
        Share of tumors without edema.
    foci : (low, high)
        Number of foci; the later ones are smaller.
    core : bool
        False: edema around an invisible center.
    """

    title: str
    frequency: float
    core_mm: Range = (0.0, 0.0)
    rim_mm: Range | None = None
    gaps: Range = (0.0, 0.0)
    spotted: float = 0.0
    spots: Range = (0.0, 0.0)
    edema_mm: Range = (0.0, 0.0)
    dry: float = 0.0
    foci: tuple[int, int] = (1, 1)
    core: bool = True


KINDS: Mapping[str, Kind] = {
    "ring": Kind(
        "ring-enhancing with necrosis",
        0.52,
        core_mm=(10, 29),
        rim_mm=(1.8, 6.5),
        gaps=(0.02, 0.3),
        edema_mm=(4, 28),
        dry=0.03,
    ),
    "multifocal": Kind(
        "ring-enhancing, several foci",
        0.13,
        core_mm=(9, 24),
        rim_mm=(1.8, 6),
        gaps=(0.02, 0.3),
        edema_mm=(4, 24),
        dry=0.03,
        foci=(2, 4),
    ),
    "solid": Kind(
        "solid enhancing",
        0.09,
        core_mm=(6, 20),
        rim_mm=(20, 40),
        gaps=(0.02, 0.2),
        edema_mm=(3, 24),
        dry=0.08,
    ),
    "low-grade": Kind(
        "non-enhancing low-grade",
        0.19,
        core_mm=(13, 31),
        spotted=0.5,
        spots=(0.005, 0.15),
        edema_mm=(2, 14),
        dry=0.35,
    ),
    "edema-only": Kind("edema without a core", 0.03, core_mm=(3, 8), edema_mm=(5, 20), core=False),
    "none": Kind("no tumor", 0.04, foci=(0, 0)),
}

LATER_CORE_MM = (3.0, 10.0)
LATER_EDEMA = 0.5


@dataclass(frozen=True)
class Lesion:
    """One focus: everything about it but its noise.

    Parameters
    ----------
    center : tuple of float
        Voxel.
    radius_mm : float
        Of the core.
    axes : tuple of float
        Relative length of the core along X, Y, Z; their product is 1.
    roughness : float
        Amplitude of the core's surface, relative to the radius.
    rim_mm : float
        Thickness of the enhancing rim, 0 = none.
    gaps, spots : float
        As in `Kind`.
    edema_mm : float
        Reach of the edema, 0 = none.
    edge_mm : float
        Over which distance edema fades.
    core : bool
        Whether there is more than edema.
    """

    center: Point
    radius_mm: float
    axes: Point = (1.0, 1.0, 1.0)
    roughness: float = 0.2
    rim_mm: float = 0.0
    gaps: float = 0.0
    spots: float = 0.0
    edema_mm: float = 0.0
    edge_mm: float = 1.5
    core: bool = True


def kind_of(name: str) -> Kind:
    """Return a row of `KINDS`.

    Raises
    ------
    CaseError
        If there is no such kind; the message lists all.
    """
    if name not in KINDS:
        raise CaseError(f"unknown kind of tumor {name!r}; choose one of {', '.join(KINDS)}")
    return KINDS[name]


def draw_kind(rng: np.random.Generator) -> str:
    """Draw a kind by frequency."""
    odds = np.array([row.frequency for row in KINDS.values()])
    return list(KINDS)[int(rng.choice(len(odds), p=odds / odds.sum()))]


def draw_lesion(
    rng: np.random.Generator, kind: Kind, center: Point, *, later: bool = False
) -> Lesion:
    """Draw one focus; the later foci of a patient are smaller and have less edema."""
    axes = np.exp(rng.uniform(-0.28, 0.28, 3))
    x, y, z = (float(axis) for axis in axes / np.cbrt(axes.prod()))
    wet = rng.random() >= kind.dry
    edema = float(rng.uniform(*kind.edema_mm)) if wet else 0.0
    spotted = rng.random() < kind.spotted
    return Lesion(
        center,
        radius_mm=float(rng.uniform(*(LATER_CORE_MM if later else kind.core_mm))),
        axes=(x, y, z),
        roughness=float(rng.uniform(0.15, 0.4)),
        rim_mm=float(rng.uniform(*kind.rim_mm)) if kind.rim_mm else 0.0,
        gaps=float(rng.uniform(*kind.gaps)),
        spots=float(rng.uniform(*kind.spots)) if spotted else 0.0,
        edema_mm=edema * (LATER_EDEMA if later else 1.0),
        edge_mm=float(rng.uniform(0.8, 3.0)),
        core=kind.core,
    )
