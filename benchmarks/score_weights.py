"""Score models on patients with reference masks, and write the scores into their cards.

    python benchmarks/score_weights.py PATIENT_ROOT
    python benchmarks/score_weights.py PATIENT_ROOT --model dresunet3d all --mirror --write-card
    python benchmarks/score_weights.py PATIENT_ROOT --model kermi2018 --without --write-card

Dice of WT, TC and ET per patient at the full resolution of the patient's own files, by the
rule for empty regions of `napari_brats.metrics`. ``--mirror`` also runs each model mirrored,
``--without`` also with each modality missing that its card says may be. All variants run on a
patient before the next one is read, so that their times can be compared: with that of the
default model, where it is among them. With ``--write-card`` what was measured goes into the
bundled cards, with this command.
"""

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_brats.case import Case, load_case
from napari_brats.errors import BratsError
from napari_brats.naming import find_patients
from napari_brats.networks.card import bundled_stem
from napari_brats.networks.catalog import ALL
from napari_brats.networks.ensembles import (
    fingerprints,
    may_lack,
    read_cards,
    scores_path,
)
from napari_brats.networks.registry import DEFAULT_MODEL, MODELS
from napari_brats.regions import REGIONS
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.segment import segment

DATASET = "8 BraTS 2018 training cases, none used in training"
METRIC = "Dice at full resolution; two empty regions 1, one empty region 0"


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to run a model: mirrored or not, with a modality missing or none."""

    model: str
    mirror: bool = False
    lost: str | None = None

    @property
    def title(self) -> str:
        """What the table calls it."""
        return self.model + ", mirrored" * self.mirror + (f", no {self.lost}" if self.lost else "")


@dataclasses.dataclass(frozen=True)
class Row:
    """Dice by region, and seconds that the networks took."""

    dice: Mapping[str, float]
    seconds: float


Measured = Mapping[Variant, Mapping[str, Row]]


def variants(models: Sequence[str], *, mirror: bool, without: bool) -> Iterator[Variant]:
    """Yield what is to be run."""
    for model in models:
        yield Variant(model)
        if mirror:
            yield Variant(model, mirror=True)
        spared = may_lack(read_cards(model)) if without else ()
        if without and not spared:
            print(f"{model}: by its card no modality may be missing", file=sys.stderr)
        for name in spared:
            yield Variant(model, lost=name)


def measure(root: Path, chosen: Sequence[Variant], device: str) -> Measured:
    """Return the scores of every patient with a reference below ``root``."""
    found: dict[Variant, dict[str, Row]] = {variant: {} for variant in chosen}
    for patient in find_patients(root):
        if patient.reference is None:
            continue
        case = load_case(patient.folder)
        for variant in chosen:
            row = run(case, variant, device)
            found[variant][patient.case_id] = row
            print(line(patient.case_id, variant.title, row), flush=True)
    return found


def run(case: Case, variant: Variant, device: str) -> Row:
    """Score one patient."""
    images = {name: image for name, image in case.images.items() if name != variant.lost}
    result = segment(
        dataclasses.replace(case, images=images),
        model=variant.model, mirror=variant.mirror, device=device,
    )  # fmt: skip
    scores = result.scores or {}
    dice = {name: round(scores[name].dice, 4) for name in REGIONS}
    return Row(dice, round(result.seconds["network"], 3))


def mean(rows: Mapping[str, Row]) -> Row:
    """Return the mean Dice and the median time of some patients."""
    dice = {
        name: round(statistics.fmean(row.dice[name] for row in rows.values()), 4)
        for name in REGIONS
    }
    return Row(dice, round(statistics.median(row.seconds for row in rows.values()), 3))


def line(case: str, title: str, row: Row) -> str:
    """Return a line of the table."""
    dice = " | ".join(f"{row.dice[name]:.3f}" for name in REGIONS)
    return f"| {case} | {title} | {dice} | {row.seconds:.2f} |"


def times(rows: Mapping[str, Row], measured: Measured) -> float | None:
    """Return how many times as long as the default model's the networks' work took.

    The median over patients; None where the default model was not measured beside them.
    """
    base = measured.get(Variant(DEFAULT_MODEL))
    if base is None:
        return None
    return round(statistics.median(rows[case].seconds / base[case].seconds for case in base), 2)


def scores_of(model: str, measured: Measured, dataset: str, command: str) -> dict[str, Any]:
    """Return what a card says about its scores."""
    plain = measured[Variant(model)]
    scores: dict[str, Any] = {
        "dataset": dataset,
        "metric": METRIC,
        "per_case": {case: dict(row.dice) for case, row in plain.items()},
        "mean": dict(mean(plain).dice),
        "times": times(plain, measured),
        "command": command,
    }
    if mirrored := measured.get(Variant(model, mirror=True)):
        scores["mirrored"] = {
            "mean": dict(mean(mirrored).dice),
            "times": times(mirrored, measured),
        }
    without = {
        variant.lost: dict(mean(rows).dice)
        for variant, rows in measured.items()
        if variant.model == model and variant.lost
    }
    return scores | ({"without": without} if without else {})


def write(model: str, scores: Mapping[str, Any]) -> None:
    """Write scores into a bundled card, or beside the cards those of all together."""
    cards = read_cards(model)
    if model == ALL:
        path, content = scores_path(), {"members": fingerprints(cards), **scores}
    else:
        path = bundled_stem(model).with_suffix(".json")
        content = dataclasses.replace(cards[0], scores={**cards[0].scores, **scores}).to_json()
    write_json_atomic(path, content)
    print(f"wrote the scores into {path}")


def main() -> None:
    """Score, print, and write the cards if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="folder of patients with reference masks")
    parser.add_argument(
        "--model",
        nargs="+",
        default=[DEFAULT_MODEL],
        help="as in napari-brats segment: a, a+b, all",
    )
    parser.add_argument("--mirror", action="store_true", help="also mirrored")
    parser.add_argument("--without", action="store_true", help="also without each modality")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dataset", default=DATASET)
    parser.add_argument("--write-card", action="store_true", help="write into the bundled cards")
    options = parser.parse_args()
    if options.write_card and not set(options.model) <= {*MODELS, ALL}:
        parser.error(f"--write-card is for bundled weights: {', '.join(MODELS)} or {ALL}")
    try:
        for model in options.model:
            read_cards(model)
        chosen = list(variants(options.model, mirror=options.mirror, without=options.without))
    except BratsError as error:
        parser.error(str(error))
    header = ("patient", "model", *REGIONS, "networks, s")
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    measured = measure(options.root, chosen, options.device)
    for variant, rows in measured.items():
        print(line("mean Dice, median s", variant.title, mean(rows)))
    if options.write_card:
        command = f"python benchmarks/score_weights.py {' '.join(sys.argv[1:])}"
        command = command.removesuffix(" --write-card")
        for model in options.model:
            write(model, scores_of(model, measured, options.dataset, command))


if __name__ == "__main__":
    main()
