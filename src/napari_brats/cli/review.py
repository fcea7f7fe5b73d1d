"""``napari-brats review``: say how far the review of a case is, or list how all stand."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json
from napari_brats.editing.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_brats.cli.terminal import Terminal
    from napari_brats.editing.review import Review
    from napari_brats.naming import PatientFiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; without a state the command lists."""
    parser.add_argument(
        "case", type=Path, metavar="CASE",
        help="a patient, also its folder in a cohort's output; to list, also a folder of patients",
    )  # fmt: skip
    states = parser.add_mutually_exclusive_group()
    for state in State:
        states.add_argument(
            f"--{state.replace(' ', '-')}", dest="state", action="store_const", const=state,
            help=f"mark the case: {state}",
        )  # fmt: skip
    parser.add_argument("--reader", metavar="NAME", default="", help="who says so")
    parser.add_argument(
        "--mask", type=Path, metavar="FILE",
        help="the mask they stand for (default: as before, else the case's only saved mask)",
    )  # fmt: skip
    parser.add_argument("--notes", metavar="TEXT", default="", help="kept with the mark")
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Mark one case, or list."""
    from napari_brats.editing.review import read_review
    from napari_brats.editing.standing import outdated
    from napari_brats.errors import CaseError, ReviewError
    from napari_brats.naming import why_not_a_patient
    from napari_brats.workflows.review_list import patients_at

    patients = patients_at(args.case)
    if not patients:
        raise CaseError(why_not_a_patient(args.case))
    if args.state is not None:
        return _mark(patients, args, terminal)
    if args.reader or args.mask or args.notes:
        states = ", ".join(f"--{state.replace(' ', '-')}" for state in State)
        raise ReviewError(f"nothing was marked: say how far the review is with one of {states}")
    rows, failed = [], {}
    for files in patients:
        try:
            review = read_review(files)
            rows.append({**_shown(review), "outdated": outdated(files, review.last)})
        except ReviewError as error:
            failed[files.case_id] = str(error)
    for row in rows:
        if row["outdated"]:
            terminal.notice(f"{row['case']}: {row['outdated']}")
    for case, why in failed.items():
        terminal.notice(f"{case}: {why}")
    if terminal.json:
        terminal.result({"reviews": rows, "failed": failed})
        return 0
    headings = ("case", "<state", "<reader", "<mask", "<notes")
    terminal.table(headings, [_cells(row) for row in rows])
    return 0


def _mark(
    patients: "Sequence[PatientFiles]", args: argparse.Namespace, terminal: "Terminal"
) -> int:
    from napari_brats.editing.review import mark
    from napari_brats.errors import CaseError

    if len(patients) > 1:
        raise CaseError(
            f"{str(args.case)!r} holds {len(patients)} patients where one was expected; choose "
            "the folder of one of them"
        )
    review = mark(patients[0], args.state, args.reader, mask=args.mask, notes=args.notes)
    what = f" ({review.last.mask})" if review.last.mask else ""
    text = f"{review.case_id}{what}: {review.state}, says {review.last.reader}"
    return terminal.answer(text, **_shown(review))


def _cells(row: "Mapping[str, str]") -> tuple[str, ...]:
    """Return a row of the table; a state that holds no longer says so."""
    state = f"{row['state']}, outdated" if row["outdated"] else row["state"]
    return row["case"], state, row["reader"], row["mask"], row["notes"]


def _shown(review: "Review") -> dict[str, str]:
    """Return what is printed of a case, as ``--json`` names it."""
    last = review.last
    return {
        "case": review.case_id,
        "state": str(last.state),
        "reader": last.reader,
        "mask": last.mask,
        "notes": last.notes,
    }
