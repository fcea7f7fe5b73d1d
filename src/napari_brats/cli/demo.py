"""``napari-brats demo``: segment a bundled patient and open napari with the result."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--headless", action="store_true", help="open no window: write mask, figure and numbers"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for mask, figure and numbers (default: ./napari-brats-demo, "
        "written where no window opens)",
    )


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Segment the sample; show it, or say where its files are and why no window opened."""
    from napari_brats.cli.segment import report
    from napari_brats.workflows.demo import DEMO_FOLDER, demo_patient, segment_demo, write_demo
    from napari_brats.workflows.display import why_no_window
    from napari_brats.workflows.outputs import check_folder

    reason = "--headless was given" if args.headless else why_no_window()
    if reason is not None or args.output is not None:
        check_folder(args.output or Path(DEMO_FOLDER), "--output")
    with terminal.progress("segmenting the sample patient") as on_step:
        result = segment_demo(on_step=on_step, on_notice=terminal.notice)
    report(result, terminal)
    if reason is None:
        try:
            # Qt after torch: on Windows torch's libraries do not load the other way round.
            from napari_brats.widgets.launch import open_case
        except ImportError as error:
            reason = f"napari does not load ({error})"
    written = ""
    if reason is not None or args.output is not None:
        files = write_demo(result, args.output or Path(DEMO_FOLDER))
        names = ", ".join(path.name for path in (files.mask, files.figure, files.result))
        written = f"{names} are in {files.mask.parent.resolve()}"
    if reason is not None:
        terminal.say(f"{written}; no window opened: {reason}")
        return 0
    if written:
        terminal.say(written)
    open_case(demo_patient(), model=result.model, result=result)
    return 0
