"""`score_case`: every number of one case, all regions, all three generations of BraTS."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.lesions import Lesion, Lesions
from napari_brats.metrics.lesionwise import (
    LesionScore,
    lesionwise_2023,
    lesionwise_2026,
    rule_2023,
    rule_2026,
)
from napari_brats.metrics.masks import MaskPair, bounding_box
from napari_brats.metrics.overlap import Overlap, joint_counts, region_overlap, require_same_shape
from napari_brats.metrics.scores import (
    EMPTY_DISTANCE_RULE,
    EMPTY_RULE,
    FullRegionScore,
    full_score,
)
from napari_brats.metrics.surface import HD95_RULES, NSD_TOLERANCE_MM, surface_distances
from napari_brats.metrics.tasks import Task
from napari_brats.regions import REGIONS, region_mask


@dataclass(frozen=True)
class CaseScores:
    """All scores of one case.

    Parameters
    ----------
    regions : Mapping[str, FullRegionScore]
        WT, TC, ET as a whole.
    subregions : Mapping[str, FullRegionScore]
        What else the task scores, then its other tissues, by key of `SUBREGIONS`.
    lesionwise_2023 : Mapping[str, LesionScore]
        WT, TC, ET by the rule of 2023.
    lesionwise_2026 : Mapping[str, LesionScore]
        All regions of the task by the rule of 2026.
    rules : Mapping[str, str]
        Each generation's rule in words, and what stands where a region is empty.
    """

    regions: Mapping[str, FullRegionScore]
    subregions: Mapping[str, FullRegionScore]
    lesionwise_2023: Mapping[str, LesionScore]
    lesionwise_2026: Mapping[str, LesionScore]
    rules: Mapping[str, str]

    def to_json(self) -> dict[str, object]:
        """Return the scores by generation and region, then the rules in words."""
        parts: dict[str, Mapping[str, FullRegionScore] | Mapping[str, LesionScore]] = {
            "regions": self.regions,
            "subregions": self.subregions,
            "lesionwise_2023": self.lesionwise_2023,
            "lesionwise_2026": self.lesionwise_2026,
        }
        scores = {
            part: {region: score.to_json() for region, score in content.items()}
            for part, content in parts.items()
        }
        return {**scores, "rules": dict(self.rules)}

    def rows(self) -> dict[str, dict[str, float | None]]:
        """Return the `METRICS` of each region, WT, TC and ET first; infinite where undefined."""
        return {
            region: {
                **asdict(whole),
                "volume_difference_ml": whole.volume_difference_ml,
                **_lesionwise("2023", self.lesionwise_2023.get(region), "dice", "hd95_mm"),
                **_lesionwise("2026", self.lesionwise_2026.get(region), "dice", "hd95_mm", "nsd"),
            }
            for region, whole in {**self.regions, **self.subregions}.items()
        }

    def lesion_rows(self) -> list[dict[str, str | int | float | None]]:
        """Return one row of `LESION_COLUMNS` for each lesion by each lesion-wise rule."""
        return [
            {
                "generation": generation,
                "region": region,
                "lesion": number,
                **asdict(lesion),
                **dict(zip("xyz", lesion.center, strict=True)),
            }
            for generation, scores in (
                ("2023", self.lesionwise_2023), ("2026", self.lesionwise_2026),
            )
            for region, score in scores.items()
            for number, lesion in enumerate(score.lesions, 1)
        ]  # fmt: skip


LESION_COLUMNS = (
    "generation", "region", "lesion", "status", "x", "y", "z",
    *(field.name for field in fields(Lesion) if field.name not in ("status", "center")),
)  # fmt: skip
"""What a row says of a lesion; x, y, z are a voxel of it, in the file's own order from 0 on."""


def _lesionwise(year: str, score: LesionScore | None, *names: str) -> dict[str, float | None]:
    return {
        f"lesionwise_{year}_{name}": None if score is None else getattr(score, name)
        for name in names
    }


def score_case(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    spacing_mm: NDArray[np.floating] | tuple[float, float, float],
    task: Task,
    *,
    hd95: str = "directed",
    tolerance_mm: float = NSD_TOLERANCE_MM,
) -> CaseScores:
    """Score a prediction by everything there is.

    Parameters
    ----------
    prediction, reference : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    spacing_mm : three floats
        Voxel size along X, Y, Z.
    task : Task
        Row of `TASKS`, for the lesion-wise rules and the regions beside WT, TC and ET.
    hd95 : str
        Row of `HD95_RULES` for the regions as a whole.
    tolerance_mm : float
        For their NSD.

    Returns
    -------
    CaseScores

    Raises
    ------
    CaseError
        If the shapes differ.
    LabelError
        If a value is not a `Tissue` code.
    """
    require_same_shape(prediction, reference)
    volume = prediction.size
    box = bounding_box((prediction != 0) | (reference != 0))
    prediction, reference = (
        np.ascontiguousarray(prediction[box]),
        np.ascontiguousarray(reference[box]),
    )
    joint = joint_counts(prediction, reference)
    joint[0, 0] += volume - prediction.size
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    whole: dict[str, FullRegionScore] = {}
    by_2023: dict[str, LesionScore] = {}
    by_2026: dict[str, LesionScore] = {}
    for region in (*task.regions, *task.tissues):
        pair = MaskPair.cropped(
            region_mask(prediction, region), region_mask(reference, region), spacing_mm
        ).moved(tuple(edge.start for edge in box))
        overlap = region_overlap(joint, region)
        whole[region] = _whole(pair, overlap, voxel_ml, hd95, tolerance_mm)
        if region in task.tissues:
            continue
        predicted = Lesions.of(pair.prediction)
        by_2026[region] = lesionwise_2026(pair, predicted, task)
        if region in REGIONS:
            by_2023[region] = lesionwise_2023(pair, predicted, task)
    return CaseScores(
        regions={name: whole[name] for name in REGIONS},
        subregions={name: whole[name] for name in (*task.subregions, *task.tissues)},
        lesionwise_2023=by_2023,
        lesionwise_2026=by_2026,
        rules=_rules(task, hd95, tolerance_mm),
    )


def _whole(
    pair: MaskPair, overlap: Overlap, voxel_ml: float, hd95: str, tolerance_mm: float
) -> FullRegionScore:
    """Return the scores of one region as a whole; surfaces are found once where they can be."""
    distances = surface_distances(pair)
    surface = HD95_RULES[hd95].surface
    ruled = distances if surface == "voxels" else surface_distances(pair, surface)
    return full_score(
        overlap, voxel_ml, distances, hd95_mm=ruled.hd95(hd95), tolerance_mm=tolerance_mm
    )


def _rules(task: Task, hd95: str, tolerance_mm: float) -> dict[str, str]:
    rule = HD95_RULES[hd95]
    return {
        "task": task.name + (f" ({task.borrowed})" if task.borrowed else ""),
        "empty": f"{EMPTY_RULE} {EMPTY_DISTANCE_RULE}",
        "hd95_mm": f"{rule.name}: {rule.formula} ({rule.programs})",
        "nsd": f"share of both surfaces' voxels within {tolerance_mm:g} mm of the other surface",
        "lesionwise_2023": rule_2023(task),
        "lesionwise_2026": rule_2026(task),
    }
