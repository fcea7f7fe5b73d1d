"""Write the tables of the README and of these pages from the registries.

    python docs/tables.py            # rewrite the tables in place
    python docs/tables.py --check    # exit with 1 if one is out of date

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from napari_brats.naming import NAMINGS
from napari_brats.networks.card import traces_rule
from napari_brats.networks.card_text import facts
from napari_brats.networks.catalog import bundled_models
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, TISSUE_TITLES

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _dice(scores: Mapping[str, float]) -> str:
    return " / ".join(f"{scores[name]:.3f}" if name in scores else "-" for name in REGIONS)


def models() -> str:
    """Networks: size, what the paper reports and what the bundled weights measure."""
    rows = []
    for model in bundled_models():
        spec, card = model.spec, model.card
        mean = card.scores.get("mean") if card else None
        rows.append(
            [
                f"`{spec.name}`",
                f"{spec.title}, {spec.paper}",
                f"{spec.ndim}D",
                f"{spec.parameters['paper']:,}",
                f"{spec.parameters['lite']:,}",
                "; ".join(f"{row.dataset}: {_dice(row.scores)}" for row in spec.published)
                or "none stated",
                _dice(mean) if mean else "no bundled weights yet",
            ]
        )
    header = ("name", "network", "", "parameters, paper", "lite", "published Dice", "ours, lite")
    return markdown(header, rows)


def cases() -> str:
    """Dice per validation patient of every bundled model."""
    rows = []
    for model in bundled_models():
        scores = model.card.scores if model.card else {}
        for case, dice in {**scores.get("per_case", {}), "mean": scores.get("mean", {})}.items():
            if dice:
                rows.append([f"`{model.spec.name}`", case, *(f"{dice[n]:.3f}" for n in REGIONS)])
    return markdown(("model", "patient", *REGIONS), rows)


def weights() -> str:
    """Training and limits, as the bundled cards state them."""
    lines = []
    for model in bundled_models():
        card = model.card
        if card is None:
            continue
        lines += [f"**{card.name}** ({card.license}). Recipe `{card.recipe}`.\n"]
        lines += [f"Training: {facts(card.training)}.\n"]
        lines += [f"- {limit}" for limit in card.limits]
        if card.least_enhancing_ml:
            lines += [f"- {traces_rule(card)}"]
        lines += [f"\nScored with `{card.scores.get('command', 'nothing yet')}`.\n"]
    return "\n".join(lines)


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


TABLES: Mapping[str, Callable[[], str]] = {
    make.__name__: make for make in (models, cases, weights, editions, recipes)
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
