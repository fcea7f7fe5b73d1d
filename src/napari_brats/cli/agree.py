"""``napari-brats agree``: how far readers and models agree, and a consensus of their masks."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_labels
from napari_brats.errors import CaseError, OutputError
from napari_brats.metrics.consensus import CONSENSUS_RULES

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.metrics.agreement import Agreement
    from napari_brats.workflows.agree import Compared, Panel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "masks", type=Path, nargs="+", metavar="MASK",
        help="masks of one case; or folders, of which the first tells the cases",
    )  # fmt: skip
    add_labels(parser, "what the codes mean in masks that do not say so themselves")
    parser.add_argument(
        "--consensus", choices=tuple(CONSENSUS_RULES),
        help="join the masks: "
        + "; ".join(f"{name}: {text}" for name, text in CONSENSUS_RULES.items()),
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="FILE",
        help="where the consensus goes: a file, or a folder, which it must be for folders of masks",
    )  # fmt: skip
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Compare, join and report."""
    if (args.output is None) != (args.consensus is None):
        raise OutputError("--consensus and --output belong together; give both or none")
    for path in args.masks:
        if not os.path.exists(path):
            raise CaseError(f"{str(path)!r} does not exist; check the path of the masks")
    folders = [path for path in args.masks if os.path.isdir(path)]
    if folders and len(folders) < len(args.masks):
        raise CaseError("files and folders are mixed; give masks of one case, or folders only")
    from napari_brats.workflows.agree import agree, agree_many, name_readers
    from napari_brats.workflows.pairing import group_masks

    options = {"labels": args.labels, "rule": args.consensus, "output": args.output}
    if not folders:
        case = args.masks[0].name.partition(".")[0]
        compared = agree(name_readers(args.masks), case_id=case, **options)
        _notices(compared, terminal)
        if terminal.json:
            terminal.result(_content(compared))
        else:
            _show(compared, terminal)
        return 0
    groups = group_masks(args.masks)
    with terminal.progress("cases") as on_step:
        panel = agree_many(groups.cases, unmatched=groups.unmatched, on_step=on_step, **options)
    for case in panel.cases.values():
        _notices(case, terminal)
    for line in (*panel.unmatched, *(f"{case}: {why}" for case, why in panel.failed.items())):
        terminal.notice(f"not compared: {line}")
    if terminal.json:
        terminal.result(_panel_content(panel))
    else:
        _show_panel(panel, terminal)
    return 0


def _notices(compared: "Compared", terminal: "Terminal") -> None:
    for note in compared.notes:
        terminal.notice(note)


def _show(compared: "Compared", terminal: "Terminal") -> None:
    from napari_brats.metrics.agreement import KAPPA_RULE
    from napari_brats.metrics.scores import EMPTY_RULE
    from napari_brats.regions import TISSUE_TITLES

    found, readers = compared.agreement, tuple(compared.masks)
    for region, matrix in found.dice.items():
        rows = zip(readers, matrix, found.volumes_ml[region], strict=True)
        terminal.table(
            (f"Dice, {region}", *readers, "volume ml"),
            [(name, *(f"{one:.3f}" for one in row), f"{ml:.1f}") for name, row, ml in rows],
        )
    kappa = {**found.region_kappa, **{TISSUE_TITLES[k]: v for k, v in found.tissue_kappa.items()}}
    terminal.table(
        ("class", "Fleiss' kappa"),
        [(name, _number(value)) for name, value in {**kappa, "all tissues": found.kappa}.items()],
    )
    terminal.say(EMPTY_RULE)
    terminal.say(KAPPA_RULE)
    _show_consensus(compared, readers, terminal)


def _show_consensus(compared: "Compared", readers: tuple[str, ...], terminal: "Terminal") -> None:
    if compared.consensus is None:
        return
    if compared.consensus.raters:
        terminal.table(
            ("STAPLE", "<mask", "sensitivity", "specificity"),
            [
                (region, name, f"{rater.sensitivity:.3f}", f"{rater.specificity:.4f}")
                for region, raters in compared.consensus.raters.items()
                for name, rater in zip(readers, raters, strict=True)
            ],
        )
    terminal.say(f"consensus: {compared.output}")


def _show_panel(panel: "Panel", terminal: "Terminal") -> None:
    from napari_brats.metrics.agreement import ICC_RULE, KAPPA_RULE
    from napari_brats.regions import REGIONS

    readers = panel.readers
    terminal.say(f"{len(panel.cases)} cases; Dice: mean over the cases that both have")
    for region in REGIONS:
        rows = zip(readers, panel.mean_dice(region), strict=True)
        terminal.table(
            (f"Dice, {region}", *readers),
            [(name, *(_number(float(one)) for one in row)) for name, row in rows],
        )
    table = []
    for region in REGIONS:
        kappas = [one.agreement.region_kappa[region] for one in panel.cases.values()]
        known = [value for value in kappas if value is not None]
        value, cases = panel.icc(region)
        mean = sum(known) / len(known) if known else None
        low = min(known, default=None)
        table.append((region, _number(mean), _number(low), _number(value), str(cases)))
    terminal.table(("region", "mean kappa", "lowest kappa", "ICC of volumes", "ICC cases"), table)
    terminal.say(KAPPA_RULE)
    terminal.say(ICC_RULE)
    written = [case.output for case in panel.cases.values() if case.output]
    if written:
        terminal.say(f"consensus: {len(written)} masks in {written[0].parent}")


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.3f}"


def _content(compared: "Compared") -> dict[str, object]:
    found = _agreement(compared.agreement)
    joined = compared.consensus
    content: dict[str, object] = {
        "masks": {reader: str(path) for reader, path in compared.masks.items()}, **found
    }  # fmt: skip
    if joined is not None:
        content["consensus"] = {
            "output": str(compared.output),
            "staple": {
                region: [asdict(rater) for rater in raters]
                for region, raters in joined.raters.items()
            },
        }
    return content


def _agreement(found: "Agreement") -> dict[str, object]:
    from napari_brats.regions import TISSUE_TITLES

    return {
        "dice": {region: matrix.tolist() for region, matrix in found.dice.items()},
        "kappa": {
            "all": found.kappa,
            "regions": dict(found.region_kappa),
            "tissues": {TISSUE_TITLES[key]: value for key, value in found.tissue_kappa.items()},
        },
        "volumes_ml": {region: list(values) for region, values in found.volumes_ml.items()},
    }


def _panel_content(panel: "Panel") -> dict[str, object]:
    from napari_brats.regions import REGIONS

    return {
        "readers": list(panel.readers),
        "mean_dice": {
            region: [[None if one != one else one for one in row] for row in matrix.tolist()]
            for region, matrix in ((name, panel.mean_dice(name)) for name in REGIONS)
        },
        "icc": {
            region: {"icc": value, "cases": cases}
            for region, (value, cases) in ((name, panel.icc(name)) for name in REGIONS)
        },
        "cases": {case: _content(compared) for case, compared in panel.cases.items()},
        "unmatched": list(panel.unmatched),
        "failed": dict(panel.failed),
    }
