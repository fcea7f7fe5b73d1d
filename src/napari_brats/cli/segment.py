"""``napari-brats segment``: find the tumor in one patient and save the mask."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_labels, add_running
from napari_brats.networks.registry import DEFAULT_MODEL

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.workflows.segmented import SegmentResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="a patient's folder, or one of its files"
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|CHECKPOINT[+...]",
        help="network with bundled weights (see napari-brats models), or a .safetensors file; "
        "several joined by + are averaged, and all averages all bundled ones "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="mask to write (default: beside the case, <case>_<model>_mask.nii.gz)",
    )
    add_running(parser)
    parser.add_argument(
        "--probabilities",
        type=Path,
        metavar="FILE",
        help="also write the probabilities of WT, TC, ET as one 4D NIfTI",
    )
    add_labels(parser, "what the codes mean, in the reference and in the mask to write")
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Segment, save, report."""
    from napari_brats.workflows.outputs import folder_beside
    from napari_brats.workflows.segment import segment

    with terminal.progress("segmenting") as on_step:
        result = segment(
            args.path,
            model=args.model,
            device=args.device,
            engine=args.engine,
            precision=args.precision,
            mirror=args.mirror,
            output=args.output or folder_beside(args.path),
            probabilities=args.probabilities,
            labels=args.labels,
            on_step=on_step,
            on_notice=terminal.notice,
        )
    if terminal.json:
        terminal.result(result.to_json())
    else:
        report(result, terminal)
    return 0


def report(result: "SegmentResult", terminal: "Terminal") -> None:
    """Print what a person wants to know of a segmentation."""
    from napari_brats.metrics.scores import EMPTY_RULE

    where = f"{result.device} ({result.engine}), {result.seconds['total']:.1f} s"
    terminal.say(f"{result.case.case_id}: {result.maker} on {where}")
    if result.scores is None:
        rows = [(name, f"{volume:.1f}") for name, volume in result.volumes_ml.items()]
        terminal.table(("region", "volume ml"), rows)
    else:
        terminal.table(
            ("region", "Dice", "volume ml", "reference ml"),
            [
                (name, f"{score.dice:.3f}", f"{score.volume_ml:.1f}", f"{score.reference_ml:.1f}")
                for name, score in result.scores.items()
            ],
        )
        if any(min(score.volume_ml, score.reference_ml) == 0 for score in result.scores.values()):
            terminal.say(EMPTY_RULE)
    if result.output is not None:
        terminal.say(f"mask: {result.output}")
