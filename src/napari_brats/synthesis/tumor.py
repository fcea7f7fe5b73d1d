"""Tumors whose truth is known: soft shares for the image, `Tissue` codes as the truth.

The core is a noisy ellipsoid, measured along the shortest way through the brain, so that it
stops at falx, tentorium and ventricles. Edema spreads from the core likewise: cheaply
along white matter, dearly through cortex and sulci, never into ventricles.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.regions import Tissue
from napari_brats.synthesis.anatomy import Spacing
from napari_brats.synthesis.brain import Box, Brain, box_around, offsets_mm
from napari_brats.synthesis.fields import Field, fractal_noise
from napari_brats.synthesis.kinds import Lesion

PARTS = ("edema", "nonenhancing", "necrosis", "enhancing")
"""What a tumor is made of, in the order of `Growth.parts`."""

CORE_COST: Mapping[str, float] = {
    "csf": 5.0, "ventricle": 12.0, "choroid": 12.0,
    "cortex": 1.0, "deep": 1.0, "stem": 1.3, "white": 1.0,
}  # fmt: skip
EDEMA_COST: Mapping[str, float] = {
    "csf": 8.0, "ventricle": 40.0, "choroid": 40.0,
    "cortex": 2.6, "deep": 2.0, "stem": 1.8, "white": 1.0,
}  # fmt: skip
"""Cost of a millimeter's way through each class."""

_NOWHERE = -1e3
_WAY_STEP_MM = 2.0
_RANK = np.array([0, 2, 1, 3], np.uint8)


@dataclass(frozen=True)
class Growth:
    """What has grown in a brain; `grow` writes into both arrays.

    Parameters
    ----------
    parts : NDArray[np.float32], shape (4, X, Y, Z)
        Soft share of each of `PARTS`, 0-1.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes; non-enhancing tumor counts as necrosis, as BraTS has it since 2017.
    """

    parts: NDArray[np.float32]
    tissues: NDArray[np.uint8]


def no_growth(brain: Brain) -> Growth:
    """Return a healthy brain's growth: all zero."""
    parts = np.zeros((len(PARTS), *brain.shape), np.float32)
    return Growth(parts, np.zeros(brain.shape, np.uint8))


def grow(rng: np.random.Generator, lesion: Lesion, brain: Brain, growth: Growth) -> None:
    """Let one focus grow, adding to what has grown before.

    Parameters
    ----------
    rng : np.random.Generator
        Source of randomness.
    lesion : Lesion
        What grows.
    brain : Brain
        Where it grows; nothing grows outside its mask.
    growth : Growth
        Changed in place. Where foci overlap, enhancing wins over necrosis over edema.
    """
    reach = lesion.radius_mm * 1.9 + lesion.edema_mm * 1.6 + 5
    box = box_around(lesion.center, reach, brain.shape, brain.spacing_mm)
    here = brain.cut(box)
    depth = _core_depth(rng, lesion, here, box)
    spread = _edema_depth(rng, lesion, here, depth)
    solid = _step(depth / 0.4) if lesion.core else np.zeros(depth.shape)
    alive, dead = _enhancement(rng, lesion, depth, brain.spacing_mm)
    soft = {
        "edema": _step(2 * spread / lesion.edge_mm) * (1 - 0.8 * _fluid(here)),
        "nonenhancing": solid * (1 - alive) * (1 - dead),
        "necrosis": solid * dead,
        "enhancing": solid * alive,
    }
    codes = np.zeros(depth.shape, np.uint8)
    codes[soft["edema"] > 0.5] = Tissue.EDEMA
    codes[solid > 0.5] = Tissue.NECROSIS
    codes[(solid > 0.5) & (alive > 0.5)] = Tissue.ENHANCING
    codes[~here.mask] = Tissue.BACKGROUND
    old = growth.tissues[box]
    old[...] = np.where(_RANK[codes] > _RANK[old], codes, old)
    for name, part in zip(PARTS, growth.parts, strict=True):
        target = part[box]
        np.maximum(target, soft[name] * here.mask, out=target, casting="same_kind")


def _step(depth: Field) -> Field:
    """Return the logistic function: 0 far outside, 0.5 on the border, 1 far inside."""
    return 0.5 * (1 + np.tanh(0.5 * depth))


def _fluid(brain: Brain) -> NDArray[np.float32]:
    return brain.share("csf") + brain.share("ventricle") + brain.share("choroid")


def _core_depth(rng: np.random.Generator, lesion: Lesion, brain: Brain, box: Box) -> Field:
    """Return mm inside the core's surface, negative outside, shape of the box."""
    spacing = brain.spacing_mm
    offsets = offsets_mm(box, lesion.center, spacing)
    straight = np.sqrt(sum(offset**2 for offset in offsets))
    scaled = (offset / axis for offset, axis in zip(offsets, lesion.axes, strict=True))
    distance = np.sqrt(sum(offset**2 for offset in scaled))
    seeds = straight < max(1.5 * max(spacing), 0.25 * lesion.radius_mm)
    way = _shortest_way(_cost(brain, CORE_COST), brain.mask, seeds, spacing)
    # A way from voxel to voxel is up to 13 % longer than the straight line.
    detour = np.clip(way + 0.25 * lesion.radius_mm - 1.13 * straight - 1.0, 0, None)
    length = float(np.clip(lesion.radius_mm * rng.uniform(0.9, 1.6), 6, 34))
    rough = lesion.roughness * fractal_noise(rng, brain.shape, spacing, length)
    wet = 9 * (brain.share("ventricle") + brain.share("choroid"))
    return lesion.radius_mm * (1 + np.clip(rough, -0.75, 0.75)) - distance - detour - wet


def _edema_depth(rng: np.random.Generator, lesion: Lesion, brain: Brain, core: Field) -> Field:
    """Return mm inside the edema's border, negative outside, shape of the box."""
    if not lesion.edema_mm:
        return np.full(core.shape, _NOWHERE)
    uneven = fractal_noise(rng, brain.shape, brain.spacing_mm, 18.0, 2)
    cost = _cost(brain, EDEMA_COST) * np.exp(0.35 * uneven)
    barred = ~brain.mask | (brain.share("ventricle") + brain.share("choroid") > 0.5)
    way = _shortest_way(cost, ~barred, core > 0, brain.spacing_mm)
    reach = fractal_noise(rng, brain.shape, brain.spacing_mm, 22.0)
    depth = lesion.edema_mm * np.clip(1 + 0.35 * reach, 0.2, 2) - way
    if not lesion.core:
        depth = np.maximum(depth, core)
    return np.where(barred, _NOWHERE, depth)


def _cost(brain: Brain, prices: Mapping[str, float]) -> Field:
    total = np.zeros(brain.shape)
    for name, price in prices.items():
        total += price * brain.share(name)
    return total


def _shortest_way(
    cost: Field, passable: NDArray[np.bool_], seeds: NDArray[np.bool_], spacing_mm: Spacing
) -> Field:
    """Return the cost of the cheapest way from the seeds to each voxel.

    It is found on every second or third voxel, about 2 mm apart: smooth enough, and several
    times faster. What cannot be reached costs 1,000.
    """
    from skimage.graph import MCP_Geometric

    steps = [max(1, round(_WAY_STEP_MM / mm)) for mm in spacing_mm]
    coarse = tuple(slice(None, None, step) for step in steps)
    cost = np.where(passable, cost, -1)[coarse]
    starts = np.argwhere(seeds[coarse] & (cost > 0))
    if not len(starts):
        return np.full(passable.shape, -_NOWHERE)
    sampling = [step * mm for step, mm in zip(steps, spacing_mm, strict=True)]
    search = MCP_Geometric(np.ascontiguousarray(cost), sampling=sampling)
    way: Field = np.minimum(search.find_costs(starts)[0], -_NOWHERE)
    if max(steps) == 1:
        return way
    # Walls have no cost to interpolate with: give them that of the nearest open voxel.
    nearest = ndimage.distance_transform_edt(
        way >= -_NOWHERE, return_distances=False, return_indices=True
    )
    index = [np.arange(n) / step for n, step in zip(passable.shape, steps, strict=True)]
    places = np.meshgrid(*index, indexing="ij")
    fine: Field = ndimage.map_coordinates(way[tuple(nearest)], places, order=1, mode="nearest")
    return fine


def _enhancement(
    rng: np.random.Generator, lesion: Lesion, depth: Field, spacing_mm: Spacing
) -> tuple[Field, Field]:
    """Return how much of each core voxel enhances and how much is dead, shape of the box."""
    nothing = np.zeros(depth.shape)
    inside = depth > 0
    if not lesion.core or not inside.any():
        return nothing, nothing
    patch = fractal_noise(rng, depth.shape, spacing_mm, float(rng.uniform(8, 18)))
    if lesion.rim_mm:
        uneven = np.exp(0.5 * fractal_noise(rng, depth.shape, spacing_mm, 12.0))
        # Small tumors die in the middle only once they outgrow their vessels.
        rim = min(lesion.rim_mm, 0.25 * lesion.radius_mm + 0.45 * lesion.rim_mm)
        dead = _step((depth - rim * uneven) / 0.45)
        gap = np.quantile(patch[inside], lesion.gaps)
        return _step((patch - gap) / 0.1) * (1 - dead), dead
    if not lesion.spots:
        return nothing, nothing
    top = np.quantile(patch[inside], 1 - lesion.spots)
    return _step((patch - top) / 0.12) * _step((depth - 1.5) / 0.5), nothing
