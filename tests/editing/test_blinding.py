"""Second readings are blind until their reader is done."""

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.blinding import hidden_masks, is_blind
from napari_brats.editing.review import Entry, Review, mark, read_review
from napari_brats.editing.states import State
from napari_brats.naming import recognize

HANDED_ON = Entry(State.SECOND_READER, "Ada")


@pytest.mark.parametrize(
    ("entries", "reader", "blind"),
    [
        ((), "Ben", False),
        ((Entry(State.DONE, "Ada"),), "Ben", False),
        ((HANDED_ON,), "Ben", True),
        ((HANDED_ON,), "", True),
        ((HANDED_ON,), " ada ", False),
        ((HANDED_ON, Entry(State.IN_PROGRESS, "Ben")), "Ben", True),
        ((HANDED_ON, Entry(State.DONE, "BEN")), "Ben", False),
        ((HANDED_ON, Entry(State.DONE, "Ben")), "Eve", True),
        ((HANDED_ON, Entry(State.SECOND_READER, "Ben")), "Ada", False),
    ],
)
def test_who_is_blind(entries: tuple[Entry, ...], reader: str, blind: bool) -> None:
    """From when another hands the case on, until one's own reading is finished."""
    assert is_blind(Review("case", entries), reader) is blind


def test_what_is_hidden(tmp_path: Path, make_patient_folder: Callable[..., Path]) -> None:
    """All masks of others, not one's own; nothing for who is not blind, nothing afterwards."""
    folder = make_patient_folder(tmp_path)
    case, files = load_case(folder), recognize(folder)
    assert case.reference is not None
    paths = {}
    for reader in ("ada", "ada-older", "ben"):
        path = folder / f"{case.case_id}_{reader}_mask.nii.gz"
        paths[reader] = save_segmentation(segmentation_of(case, case.reference), path)
    mark(files, State.SECOND_READER, "Ada", mask=paths["ada"])
    mark(files, State.IN_PROGRESS, "Ben", mask=paths["ben"])
    review = read_review(files)
    assert hidden_masks(files, review, "Ben") == {paths["ada"], paths["ada-older"]}
    assert hidden_masks(files, review, "Eve") == set(paths.values())
    assert hidden_masks(files, review, "Ada") == frozenset()
    done = mark(files, State.DONE, "Ben", mask=paths["ben"])
    assert hidden_masks(files, done, "Ben") == frozenset()
