"""Write the tables of the README and of these pages from the registries.

    python docs/tables.py            # rewrite the tables in place
    python docs/tables.py --check    # exit with 1 if one is out of date

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from model_tables import cases, markdown, missing, models, variants, weights

from napari_brats.editing.brushes import region_brushes
from napari_brats.editing.limits import Tissues
from napari_brats.editing.tools.table import TOOLS, Number
from napari_brats.metrics.ranking import PARTS
from napari_brats.metrics.surface import HD95_RULES
from napari_brats.metrics.table import METRICS
from napari_brats.metrics.tasks import TASKS
from napari_brats.naming import NAMINGS
from napari_brats.networks.card_text import facts
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.regions import LABEL_CONVENTIONS, TISSUE_TITLES, Tissue
from napari_brats.training.losses import LOSSES
from napari_brats.training.presets import AUGMENTATIONS, PRESETS, SAMPLINGS, Preset
from napari_brats.training.schedules import SCHEDULES
from napari_brats.workflows.convert import CONVERSIONS
from napari_brats.workflows.figures import ANIMATIONS, FIGURES, CohortFigure, TrainingFigure

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def editions() -> str:
    """Editions, their file names and what their codes mean."""
    rows = []
    for naming in NAMINGS.values():
        codes = LABEL_CONVENTIONS[naming.convention].codes
        rows.append(
            [
                f"`{naming.name}`",
                naming.title,
                f"`{naming.example}`",
                " ".join(f"`{suffix}`" for suffix in naming.suffixes.values()),
                ", ".join(f"{code} {TISSUE_TITLES[tissue]}" for code, tissue in codes.items()),
            ]
        )
    return markdown(("naming", "edition", "patient", "files end in", "codes of the mask"), rows)


def recipes() -> str:
    """Preprocessing recipes."""
    rows = [[f"`{row.name}`", row.title, ", ".join(row.modalities)] for row in RECIPES.values()]
    return markdown(("recipe", "what it does", "channels"), rows)


def losses() -> str:
    """Losses: what they are and which outputs they take."""
    rows = [[f"`{row.name}`", row.title, row.outputs, row.source] for row in LOSSES.values()]
    return markdown(("loss", "what it is", "outputs", "source"), rows)


def presets() -> str:
    """Presets: our numbers, and those of every network's authors, a column each."""
    ours = next(iter(PRESETS["ours"].values()))
    columns = [preset_facts(preset) for preset in (ours, *PRESETS["seed"].values())]
    header = ("", "`ours`", *(f"`seed`, `{model}`" for model in PRESETS["seed"]))
    return markdown(header, [[name, *(one[name] for one in columns)] for name in columns[0]])


def preset_facts(preset: Preset) -> dict[str, str]:
    """Return a preset's entries in words, by what they are."""
    options = facts({key: f"{value:g}" for key, value in preset.optimizer_options.items()})
    length = f"{preset.steps} steps" if preset.steps else f"{preset.epochs} epochs"
    patience = f", or {preset.patience} without a better Dice" if preset.patience else ""
    return {
        "size": preset.size,
        "recipe": f"`{preset.recipe}`",
        "loss": f"`{preset.loss}`",
        "optimizer": preset.optimizer + (f" ({options})" if options else ""),
        "learning rate": f"{preset.learning_rate:g}",
        "schedule": SCHEDULES[preset.schedule].title,
        "length": length + patience,
        "batch": str(preset.batch),
        "sample": " x ".join(map(str, preset.crop)),
        "sampling": SAMPLINGS[preset.sampling],
        "patients": f"tumor in over {preset.least_tumor:.2%} of the grid"
        if preset.least_tumor
        else "all",
        "augmentation": "; ".join(AUGMENTATIONS[name] for name in preset.augmentation) or "none",
        "network": facts(preset.options) or "as its size has it",
        "largest gradient": f"{preset.gradient_clip:g}" if preset.gradient_clip else "any",
        "weights kept": f"running average, {preset.weight_average:g}"
        if preset.weight_average
        else "the last or best",
    }


def left_out() -> str:
    """List what the authors' code does and the seed presets do not."""
    return "".join(
        f"- `{model}`: {'; '.join(preset.left_out)}.\n" for model, preset in PRESETS["seed"].items()
    )


def metrics() -> str:
    """Every number that `evaluate` gives."""
    rows = [
        [f"`{row.name}`", row.title, row.unit, row.better, row.formula, row.source]
        for row in METRICS.values()
    ]
    return markdown(("name", "metric", "unit", "better", "formula", "source"), rows)


def hd95() -> str:
    """Return the readings of HD95."""
    rows = [
        [f"`{row.name}`", row.surface, row.formula, row.programs] for row in HD95_RULES.values()
    ]
    return markdown(("`--hd95`", "surface made of", "percentile", "programs"), rows)


def tasks() -> str:
    """Tasks of BraTS and the numbers in their rules."""
    rows = [
        [
            f"`{row.name}`",
            row.title,
            ", ".join(f"`{name}`" for name in row.conventions) or "by choice only",
            ", ".join(row.regions),
            ", ".join(row.tissues) or "-",
            str(row.dilations),
            f"{row.ignored_mm3:g}",
            "matched lesions"
            if row.least_mm3 is None
            else f"all from {row.least_mm3:g} mm3 on, and false ones",
            row.borrowed or "-",
        ]
        for row in TASKS.values()
    ]
    header = (
        "task", "tumor", "label conventions", "regions", "whole only", "2023: dilations",
        "2023: ignored up to, mm3", "2026: mean over", "borrowed",
    )  # fmt: skip
    return markdown(header, rows)


def brushes() -> str:
    """Tell what strokes make of each tissue, region by region, where an edition has all."""
    convention = LABEL_CONVENTIONS["brats2024-gli"]
    known = [Tissue.BACKGROUND, *convention.codes.values()]

    def change(tissues: Tissues | None, becomes: Tissue) -> str:
        names = [TISSUE_TITLES[tissue] for tissue in known if tissue in (tissues or known)]
        return f"{', '.join(names)} → {TISSUE_TITLES[becomes]}"

    rows = [
        [row.name, change(row.over, row.becomes), change(row.erases, row.leaves)]
        for row in region_brushes(convention)
    ]
    return markdown(("region", "paint", "erase"), rows)


def tools() -> str:
    """Whole-volume tools and their parameters."""
    rows = []
    for tool in TOOLS.values():
        parameters = [
            f"{row.title}: {row.low:g} to {row.high:g} {row.unit} ({row.default:g})"
            if isinstance(row, Number)
            else f"{row.title}: {', '.join(row.choices.values())}"
            for row in tool.parameters
        ]
        rows.append([tool.title, tool.text, "; ".join(parameters), ", or ".join(tool.applies_to)])
    return markdown(("tool", "what it does", "parameters (default)", "applies to"), rows)


def figures() -> str:
    """Pictures and animations, and what each is made of."""
    rows = []
    for command, table in (("figure", FIGURES), ("animate", ANIMATIONS)):
        for row in table.values():
            if isinstance(row, CohortFigure):
                needs = "one or more tables of `evaluate --csv`"
            elif isinstance(row, TrainingFigure):
                needs = "the folder of a training"
            else:
                masks = "one mask or more" if row.several else "one mask"
                needs = f"a patient, {masks}{', a reference' if row.reference else ''}"
            rows.append([f"`{command} {row.name}`", row.title, needs])
    return markdown(("command", "shows", "made of"), rows)


def conversions() -> str:
    """Return what can be converted into what."""
    rows = [
        [f"`convert {row.name}`", row.title, row.takes, row.gives] for row in CONVERSIONS.values()
    ]
    return markdown(("command", "does", "takes", "gives"), rows)


def queue() -> str:
    """Reasons that lift a patient in the review queue."""
    rows = [
        [f"`{row.name}`", row.title, f"{row.start:g}", f"{row.full:g}", f"{row.weight:g}"]
        for row in PARTS.values()
    ]
    return markdown(("part", "measure", "from", "to", "points"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    make.__name__: make
    for make in (
        models,
        cases,
        variants,
        missing,
        weights,
        editions,
        recipes,
        losses,
        presets,
        left_out,
        metrics,
        hd95,
        tasks,
        brushes,
        tools,
        figures,
        conversions,
        queue,
    )
}


def fill(text: str) -> str:
    """Return a page with its tables made anew."""
    return BLOCK.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}", text)


def main() -> int:
    """Rewrite or check all pages."""
    stale = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        new = fill(text)
        if new != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(new, encoding="utf-8")
    if stale:
        print("out of date:" if "--check" in sys.argv else "rewritten:", ", ".join(stale))
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
