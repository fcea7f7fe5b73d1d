"""Compare all scores with the official programs, which run in environments of their own.

How to make these: README.md beside this file. Ends with 1 if a number differs. With
``--golden FOLDER`` the programs' numbers for a few of the pairs are kept, with the masks,
for ``tests/metrics/test_golden.py``.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.metrics.lesionwise import PENALTY_2023_MM, PENALTY_2026_MM
from napari_brats.metrics.tasks import TASKS
from napari_brats.regions import REGIONS, label_convention
from napari_brats.workflows.evaluate import evaluate

HERE = Path(__file__).parent
SHAPE = (34, 30, 26)
CONVENTIONS = {
    "GLI": "brats2024-gli", "MET": "brats-met", "PED": "brats-ped", "MEN": "brats-men",
    "MEN-RT": "brats-men-rt", "GoAT": "brats2023-gli",
}  # fmt: skip
UNIT, UNEVEN = (1.0, 1.0, 1.0), (0.7, 1.0, 2.5)
TOLERANCE = {"rel_tol": 1e-9, "abs_tol": 1e-9}

RULES = {"2023": "surfels", "2026": "pooled"}
GOLDEN = ("blobs 0", "unrelated 1", "noise", "empty and one voxel", "one voxel and full")

Mask = NDArray[np.uint8]
Numbers = dict[str, dict[str, dict[str, float | None]]]


def blobs(rng: np.random.Generator, codes: list[int], count: int) -> Mask:
    """Return smooth shapes of the given codes, and some islands of a few voxels."""
    field = ndimage.gaussian_filter(rng.standard_normal((len(codes), *SHAPE)), (0, 3, 3, 3))
    mask = np.where(field.max(axis=0) > 0.03, np.array(codes)[field.argmax(axis=0)], 0)
    for _ in range(count):
        corner = [int(rng.integers(0, size - 4)) for size in SHAPE]
        size = rng.integers(1, 5, 3)
        box = tuple(slice(a, a + int(b)) for a, b in zip(corner, size, strict=True))
        mask[box] = rng.choice([0, *codes])
    return mask.astype(np.uint8)


def pairs(codes: list[int], seed: int) -> Iterator[tuple[str, Mask, Mask]]:
    """Yield masks that scores get wrong."""
    rng = np.random.default_rng(seed)
    empty, full, voxel = np.zeros((3, *SHAPE), np.uint8)
    full[:], voxel[3, 28, 0] = codes[-1], codes[-1]
    for number in range(3):
        base = blobs(rng, codes, 6)
        near = np.where(rng.random(SHAPE) < 0.02, blobs(rng, codes, 0), base).astype(np.uint8)
        yield f"blobs {number}", np.roll(near, 1, axis=number), base
        yield f"unrelated {number}", blobs(rng, codes, 8), base
    sparse = [
        rng.choice([0, *codes], SHAPE, p=[0.99, *[0.01 / len(codes)] * len(codes)]).astype(np.uint8)
        for _ in range(2)
    ]
    yield "noise", sparse[0], sparse[1]
    yield "empty and empty", empty, empty
    yield "empty and one voxel", empty, voxel
    yield "one voxel and empty", voxel, empty
    yield "one voxel and full", voxel, full
    yield "full and blobs", full, base
    yield "the same", base, base


def written(
    folder: Path, tasks: list[str], spacings: tuple[tuple[float, ...], ...]
) -> list[dict[str, Any]]:
    """Write all pairs for each task and return the jobs."""
    jobs: list[dict[str, Any]] = []
    for task in tasks:
        codes = [code for code in label_convention(CONVENTIONS[task]).codes if code]
        for spacing in spacings:
            for name, *masks in pairs(codes, seed=len(jobs)):
                job: dict[str, Any] = {"task": task, "name": name, "spacing_mm": spacing}
                for role, mask in zip(("prediction", "reference"), masks, strict=True):
                    path = folder / f"{len(jobs)}_{role}.nii.gz"
                    nib.save(nib.Nifti1Image(mask, np.diag([*spacing, 1.0])), path)
                    job[role] = str(path)
                jobs.append(job)
    return jobs


def ours(job: dict[str, Any], year: str) -> dict[str, Any]:
    """Score a job here; `Numbers` with more in them."""
    convention, rule = CONVENTIONS[job["task"]], RULES[year]
    result = evaluate(
        job["prediction"], job["reference"], labels=convention, task=job["task"], hd95=rule
    )
    return result.to_json()


def from_2026(row: dict[str, float | None], job: dict[str, Any]) -> Numbers:
    """Return the package's numbers under our names.

    Left out: whole regions that are empty in both, of which it says nothing; the HD95 of
    whole regions that do not overlap, which it does not measure; the counts of MET's found
    and missed lesions, which go by another overlap there.
    """
    numbers: Numbers = {"regions": {}, "subregions": {}, "lesionwise_2026": {}}
    task = job["task"]
    lesions = {"dice": "dsc", "hd95_mm": "hd95", "nsd": "nsd"}
    counts = {"matched": "tp", "missed": "fn", "false_positives": "fp"}
    for region in TASKS[task].regions:
        key = region.lower()
        if f"global_dsc_{key}" not in row:
            continue
        found = {name: row[f"lesionwise_{short}_mean_{key}"] for name, short in lesions.items()}
        if found["hd95_mm"] == math.inf:
            found["hd95_mm"] = PENALTY_2026_MM
        for name, short in counts.items():
            if task != "MET" or name == "false_positives":
                found[name] = row[f"all_instance_{short}_{key}"]
        numbers["lesionwise_2026"][region] = found
        dice = row[f"global_dsc_{key}"]
        if dice is not None:
            whole = {"dice": dice}
            if dice > 0:
                whole["hd95_mm"] = row[f"global_hd95_{key}"]
            numbers["regions" if region in REGIONS else "subregions"][region] = whole
    return numbers


def from_2023(table: dict[str, dict[str, float]], job: dict[str, Any]) -> Numbers:
    """Return the script's numbers under our names.

    Left out: sensitivity where there is nothing to find, and specificity where there is
    nothing else, for which each has a convention of its own.
    """
    volume = math.prod(SHAPE) * math.prod(job["spacing_mm"])
    numbers: Numbers = {"regions": {}, "lesionwise_2023": {}}
    for region, row in table.items():
        numbers["lesionwise_2023"][region] = {
            "dice": row["LesionWise_Score_Dice"],
            "hd95_mm": row["LesionWise_Score_HD95"],
            "matched": row["Num_TP"],
            "missed": row["Num_FN"],
            "false_positives": row["Num_FP"],
        }
        numbers["regions"][region] = {
            "dice": row["Legacy_Dice"],
            "hd95_mm": None if row["Legacy_HD95"] == PENALTY_2023_MM else row["Legacy_HD95"],
            "reference_ml": row["GT_Complete_Volume"] / 1000,
        }
        if row["GT_Complete_Volume"] < 0.999 * volume:
            numbers["regions"][region]["specificity"] = row["Specificity"]
        if row["GT_Complete_Volume"]:
            numbers["regions"][region]["sensitivity"] = row["Sensitivity"]
    return numbers


def compare(name: str, here: dict[str, Any], there: Numbers) -> tuple[int, list[str]]:
    """Return how many numbers were compared, and one line for each that differs."""
    count, lines = 0, []
    for part, regions in there.items():
        for region, numbers in regions.items():
            for key, other in numbers.items():
                value = here[part][region][key]
                count += 1
                if (value is None) != (other is None) or (
                    value is not None and not math.isclose(value, other or 0.0, **TOLERANCE)
                ):
                    lines.append(f"{name}: {part} {region} {key}: {value} here, {other} there")
    return count, lines


def run(command: list[str], jobs: list[dict[str, Any]], folder: Path) -> list[Any]:
    """Run a program in its own environment on all jobs."""
    (folder / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(
        [*command, str(folder / "jobs.json")], stdout=subprocess.PIPE, check=True, text=True
    )
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def agree(year: str, command: list[str], folder: Path, golden: Path | None) -> bool:
    """Compare with one program, say how it went, and keep what is golden."""
    folder.mkdir()
    jobs = (
        written(folder, ["GLI", "MET", "MEN"], (UNIT, UNEVEN))
        if year == "2023"
        else written(folder, [*CONVENTIONS], (UNIT,))
    )
    translate = {"2023": from_2023, "2026": from_2026}[year]
    total, lines = 0, []
    kept = []
    for job, found in zip(jobs, run(command, jobs, folder), strict=True):
        there = translate(found, job)
        name = f"{year} {job['task']}, {job['name']}, {job['spacing_mm']} mm"
        count, different = compare(name, ours(job, year), there)
        total += count
        lines += different
        if job["name"] in GOLDEN and job["task"] in ("GLI", "MET"):
            kept.append({**job, "year": year, "convention": CONVENTIONS[job["task"]],
                         "hd95": RULES[year], "numbers": there})  # fmt: skip
    print(f"{year}: {total} numbers of {len(jobs)} pairs compared, {len(lines)} differ")
    print("\n".join(lines[:40]))
    if golden is not None:
        keep(golden / year, kept)
    return not lines


def keep(stem: Path, jobs: list[dict[str, Any]]) -> None:
    """Write the program's numbers as JSON and the masks as NPZ."""
    masks = {
        f"{number}_{role}": np.asarray(nib.load(job[role]).dataobj)
        for number, job in enumerate(jobs)
        for role in ("prediction", "reference")
    }
    stem.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(stem.with_suffix(".npz"), **masks)
    for job in jobs:
        del job["prediction"], job["reference"]
    stem.with_suffix(".json").write_text(json.dumps(jobs, indent=1) + "\n")


def main() -> int:
    """Compare with the programs that are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python-2023", help="interpreter of the 2023 script's environment")
    parser.add_argument("--script-2023", help="folder that holds its eval.py")
    parser.add_argument("--python-2026", help="interpreter of brats-evaluation's environment")
    parser.add_argument("--golden", type=Path, metavar="FOLDER", help="keep numbers and masks")
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.python_2023:
            command = [args.python_2023, str(HERE / "run_2023.py"), args.script_2023]
            good &= agree("2023", command, folder / "2023", args.golden)
        if args.python_2026:
            command = [args.python_2026, str(HERE / "run_2026.py")]
            good &= agree("2026", command, folder / "2026", args.golden)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
