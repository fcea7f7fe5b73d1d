r"""Adapt a model to another scanner from five corrected cases, and measure what that brought.

    python benchmarks/adapt.py --anatomy ../shared/anatomy --real ../shared/data/validation \
        --folder /tmp/adapt

Makes synthetic patients as a scanner of other contrast would see them (`SCANNERS`): five to
correct, ten that nobody learns from. Of the five the model makes a mask; whoever corrects it
is replaced by the truth, which is known; each is saved and marked as reviewed. Then
``napari-brats adapt`` does its work within ``--minutes``. Patients that lie in ``--folder``
already are not made again.

Prints the Dice before and after on the ten, and on real patients of other scanners, which
nothing here is chosen by; ``adaptation.json`` in the folder has every report.
"""

import argparse
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.review import mark
from napari_brats.editing.states import State
from napari_brats.naming import find_patients
from napari_brats.plugin.masks import mask_path
from napari_brats.regions import REGIONS
from napari_brats.synthesis import load_anatomy, make_patient, write_patient
from napari_brats.synthesis.contrast import CONTRASTS, Contrasts
from napari_brats.training.adapt import adapt
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.adapting import measure
from napari_brats.training.corrections import Lesson
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.segment import segment

# Weak contrast everywhere: edema hardly brighter than cortex, half the uptake, water not dark.
_LOW_CONTRAST = {
    "t1": {
        "csf": (0.5, 0.7), "ventricle": (0.45, 0.6), "cortex": (0.8, 1.0), "edema": (0.75, 0.95),
        "necrosis": (0.55, 0.8), "enhancing": (0.7, 0.95), "nonenhancing": (0.65, 0.9),
    },
    "t1ce": {
        "csf": (0.5, 0.75), "ventricle": (0.45, 0.6), "cortex": (0.85, 1.1), "edema": (0.75, 0.95),
        "necrosis": (0.5, 0.85), "enhancing": (1.05, 1.4), "nonenhancing": (0.65, 0.95),
    },
    "t2": {
        "csf": (1.3, 1.8), "ventricle": (1.4, 2.0), "choroid": (1.2, 1.8), "cortex": (1.05, 1.25),
        "deep": (0.95, 1.15), "edema": (1.2, 1.5), "necrosis": (1.15, 1.6),
        "enhancing": (1.05, 1.4), "nonenhancing": (1.2, 1.6),
    },
    "flair": {
        "csf": (0.9, 1.2), "ventricle": (0.9, 1.3), "cortex": (1.2, 1.5), "edema": (1.3, 1.65),
        "necrosis": (0.9, 1.6), "enhancing": (1.1, 1.5), "nonenhancing": (1.2, 1.6),
    },
}  # fmt: skip
# Water as bright in FLAIR as in T2, so that it looks like edema; less uptake. Nothing is hidden.
_BRIGHT_WATER = {
    "flair": {"csf": (1.6, 2.4), "ventricle": (1.8, 2.8), "choroid": (1.4, 2.2)},
    "t1ce": {"enhancing": (1.1, 1.7)},
}
SCANNERS: dict[str, Contrasts] = {
    title: {name: {**row, **other.get(name, {})} for name, row in CONTRASTS.items()}
    for title, other in (("low-contrast", _LOW_CONTRAST), ("bright-water", _BRIGHT_WATER))
}
CORRECTED, UNSEEN = 5, 10
FIRST_SEED = 71_000

Dice = list[dict[str, float]]


def make_patients(folder: Path, anatomy: Path, scanner: str) -> None:
    """Make what lacks of the fifteen patients; the brains of the five are none of the ten's."""
    maps = sorted(anatomy.glob("*.nii*"))
    for number in range(CORRECTED + UNSEEN):
        group = "corrected" if number < CORRECTED else "unseen"
        case_id = f"BraTS2021_{FIRST_SEED + number:05d}"
        if (folder / group / case_id).is_dir():
            continue
        print(f"making {case_id} ({group})", flush=True)
        brain = load_anatomy(maps[number % len(maps)])
        patient = make_patient(brain, FIRST_SEED + number, contrasts=SCANNERS[scanner])
        made = write_patient(patient, folder / "partial", case_id)
        if group == "corrected":
            (folder / "truth").mkdir(parents=True, exist_ok=True)
            name = f"{case_id}_seg.nii.gz"
            shutil.move(made / name, folder / "truth" / name)
        (folder / group).mkdir(parents=True, exist_ok=True)
        shutil.move(made, folder / group / case_id)


def correct(folder: Path, model: str, device: str) -> Path:
    """Return a copy of the five with masks: the model's, overwritten by the truth and reviewed."""
    cases = folder / "cases"
    shutil.rmtree(cases, ignore_errors=True)
    shutil.copytree(folder / "corrected", cases)
    for files in find_patients(cases):
        case = load_case(files.folder)
        result = segment(case, model=model, device=device)
        mask = mask_path(next(iter(files.images.values())), case.case_id, result.model)
        save_segmentation(result.segmentation, mask)
        truth = Lesson(files, folder / "truth" / f"{case.case_id}_seg.nii.gz").read()[1]
        save_segmentation(segmentation_of(case, truth), mask)
        mark(files, State.DONE, "benchmark", mask=mask)
    return cases


def score(model: str, root: Path, device: str) -> tuple[list[str], Dice]:
    """Return the ids and the Dice of every patient with a reference below a folder."""
    lessons = [Lesson(files, files.reference) for files in find_patients(root) if files.reference]
    ids = [lesson.files.case_id for lesson in lessons]
    return ids, measure(model, lessons, device, lambda: False)


def table(title: str, ids: Sequence[str], before: Dice, after: Dice) -> None:
    """Print a table of cases and their mean."""
    names = "".join(f"{f'{name} before':>12s}{'after':>8s}" for name in REGIONS)
    print(f"\n{title:28s}{names}{'mean gain':>12s}")

    def line(name: str, take: Callable[[Dice, str], float], mean: bool = False) -> None:
        pairs = [(take(before, region), take(after, region)) for region in REGIONS]
        numbers = "".join(f"{old:12.3f}{new:8.3f}" for old, new in pairs)
        print(f"{name:28s}{numbers}{np.mean([new - old for old, new in pairs]):+12.3f}")

    for number, case_id in enumerate(ids):
        line(case_id, lambda dice, region, number=number: dice[number][region])  # type: ignore[misc]
    line("mean", lambda dice, region: float(np.mean([row[region] for row in dice])))


def main() -> None:
    """Make, correct, adapt, measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--anatomy", type=Path, required=True, help="folder of tissue maps")
    parser.add_argument("--real", type=Path, help="real patients with references, to measure on")
    parser.add_argument("--folder", type=Path, required=True, help="where to work")
    parser.add_argument("--scanner", choices=SCANNERS, default="low-contrast")
    parser.add_argument("--model", default="dresunet3d", help="model to adapt")
    parser.add_argument("--minutes", type=float, default=10.0, help="time for the adaptation")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--make-only", action="store_true", help="make the patients and end")
    options = parser.parse_args()
    options.folder /= options.scanner
    make_patients(options.folder, options.anatomy, options.scanner)
    if options.make_only:
        return
    models = options.folder / "models"
    shutil.rmtree(models, ignore_errors=True)
    os.environ["NAPARI_BRATS_MODELS"] = str(models)
    cases = correct(options.folder, options.model, options.device)
    config = AdaptConfig(
        model=options.model, cases=(cases,), minutes=options.minutes, device=options.device
    )
    reports: list[dict[str, object]] = []
    result = adapt(config, on_progress=lambda at: reports.append(asdict(at)))
    record = {"progress": reports, **result.to_json()}
    write_json_atomic(options.folder / "adaptation.json", record)
    held = [row for row in result.compared if row.group == "held back"]
    ids = [row.case_id for row in held]
    table("held back", ids, [dict(row.before) for row in held], [dict(row.after) for row in held])
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"\n{result.steps} steps, {result.minutes:.1f} minutes of {options.minutes:g}; "
        f"{os.cpu_count()} cores, load {load}"
    )
    if not result.installed:
        print("not installed:", "; ".join(result.objections))
        return
    print("installed as", result.candidate)
    for title, root in (
        ("ten unseen of that scanner", options.folder / "unseen"),
        ("real, other scanners", options.real),
    ):
        if root is not None:
            ids, before = score(options.model, root, options.device)
            table(title, ids, before, score(result.candidate, root, options.device)[1])


if __name__ == "__main__":
    main()
