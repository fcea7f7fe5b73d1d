"""Score a model on patients with reference masks, and write the scores into its card.

    python benchmarks/score_weights.py ../shared/data/validation
    python benchmarks/score_weights.py ../shared/data/validation --model dresunet3d --write-card

Dice of WT, TC and ET per patient at the full resolution of the patient's own files, by the
rule for empty regions of `napari_brats.metrics`. With ``--write-card`` the table goes into
the bundled card, with this command.
"""

import argparse
import dataclasses
import statistics
from pathlib import Path
from typing import Any

from napari_brats.naming import find_patients
from napari_brats.networks.checkpoint import read_card
from napari_brats.regions import REGIONS
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.segment import segment

WEIGHTS = Path(__file__).parents[1] / "src" / "napari_brats" / "weights"


def score(root: Path, model: str, device: str) -> dict[str, dict[str, float]]:
    """Return {case id: {region: Dice}} of every patient with a reference below ``root``."""
    rows = {}
    for patient in find_patients(root):
        if patient.reference is None:
            continue
        result = segment(patient.folder, model=model, device=device, output=None)
        if result.scores is None:
            continue
        rows[patient.case_id] = {name: round(result.scores[name].dice, 4) for name in REGIONS}
        dice = "  ".join(f"{rows[patient.case_id][name]:.3f}" for name in REGIONS)
        print(f"{patient.case_id:32s} {dice}   {result.seconds['total']:.2f} s", flush=True)
    return rows


def main() -> None:
    """Score, print, and write the card if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="folder of patients with reference masks")
    parser.add_argument("--model", default="dresunet3d", help="bundled model or checkpoint")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dataset", default="8 BraTS 2018 training cases, none used in training")
    parser.add_argument("--write-card", action="store_true", help="write into the bundled card")
    options = parser.parse_args()
    print(f"{'case':32s} {'  '.join(f'{name:>5s}' for name in REGIONS)}")
    rows = score(options.root, options.model, options.device)
    columns = {name: [row[name] for row in rows.values()] for name in REGIONS}
    mean = {name: round(statistics.fmean(values), 4) for name, values in columns.items()}
    print(f"{'mean':32s} {'  '.join(f'{mean[name]:.3f}' for name in REGIONS)}")
    if options.write_card:
        scores: dict[str, Any] = {
            "dataset": options.dataset,
            "metric": "Dice at full resolution; two empty regions 1, one empty region 0",
            "per_case": rows,
            "mean": mean,
            "command": f"python benchmarks/score_weights.py {options.root} --model {options.model}",
        }
        path = WEIGHTS / f"{options.model}-lite.json"
        card = dataclasses.replace(read_card(options.model), scores=scores)
        write_json_atomic(path, card.to_json())
        print(f"wrote the scores into {path}")


if __name__ == "__main__":
    main()
