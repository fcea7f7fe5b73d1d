"""Reviews: who stands for which mask."""

import json

import numpy as np
import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.decisions import Decision, Verdict
from napari_brats.editing.review import (
    Entry,
    decide,
    mark,
    mask_of,
    read_review,
    review_path,
)
from napari_brats.editing.states import State
from napari_brats.errors import OutputError, ReviewError
from napari_brats.naming import recognize
from napari_brats.volumes import sha256_of


@pytest.fixture
def files(tmp_path, make_patient_folder):
    return recognize(make_patient_folder(tmp_path))


def save_mask(files, name="net"):
    case = load_case(files.folder)
    mask = segmentation_of(case, np.zeros(case.shape, np.uint8))
    return save_segmentation(mask, files.folder / f"{files.case_id}_{name}_mask.nii.gz")


def test_nobody_has_begun(files):
    """Empty case: no file is no error, and reading makes none."""
    review = read_review(files)
    assert (review.state, review.entries, review.seconds) == (State.NOT_STARTED, (), 0)
    assert not review_path(files).exists()


def test_the_last_entry_counts_and_all_are_kept(files):
    """Two readers, one after the other: both are in the file, with mask, time and notes."""
    mask = save_mask(files)
    mark(files, State.SECOND_READER, " Ada ", seconds=60.0, notes="tumor at the rim?")
    written = mark(files, State.DONE, "Ben", seconds=30.0)
    review = read_review(files)
    assert review == written
    assert (review.state, review.last.reader, review.seconds) == (State.DONE, "Ben", 90)
    assert [entry.reader for entry in review.entries] == ["Ada", "Ben"]
    assert mask_of(files, review.last) == mask
    value = json.loads(review_path(files).read_text())
    assert value["schema"] == 1
    assert value["entries"][0]["state"] == "needs second reader"
    assert value["entries"][1]["mask"] == mask.name
    assert value["entries"][1]["mask_sha256"] == sha256_of(mask)


def test_a_mask_elsewhere_keeps_its_path(files, tmp_path):
    """Beside the sidecar a name suffices, and moves with the folder; elsewhere it does not."""
    (tmp_path / "mine").mkdir()
    other = save_mask(files).rename(tmp_path / "mine" / "mask.nii.gz")
    assert mask_of(files, mark(files, State.DONE, "Ada", mask=other).last) == other


def test_what_a_reader_stands_for_must_be_certain(files):
    """No mask, or two, is refused with their names; one that was named before is meant again."""
    with pytest.raises(ReviewError, match="no saved mask"):
        mark(files, State.DONE, "Ada")
    assert mark(files, State.IN_PROGRESS, "Ada").last.mask == ""
    first, second = save_mask(files, "one"), save_mask(files, "two")
    with pytest.raises(ReviewError, match=f"2 saved masks.*{first.name}.*{second.name}"):
        mark(files, State.DONE, "Ada")
    mark(files, State.DONE, "Ada", mask=second)
    assert mark(files, State.DONE, "Ben").last.mask == second.name
    with pytest.raises(ReviewError, match="there is no mask"):
        mark(files, State.DONE, "Ada", mask=files.folder / "gone.nii.gz")
    with pytest.raises(ReviewError, match="nobody is named"):
        mark(files, State.DONE, " ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot read the reviews"),
        ("[]", "no reviews of schema 1"),
        ('{"schema": 2}', "schema 1 but 2"),
        ('{"schema": 1, "case": "other", "entries": []}', "of 'other'"),
        ('{"schema": 1, "case": "%s"}', "cannot be read"),
        ('{"schema": 1, "case": "%s", "entries": [{"state": "so-so"}]}', "so-so"),
    ],
)
def test_a_damaged_file_is_named_and_kept(files, text, says):
    """Neither reading nor marking replaces what cannot be understood."""
    path = review_path(files)
    path.write_text(text.replace("%s", files.case_id))
    for attempt in (lambda: read_review(files), lambda: mark(files, State.IN_PROGRESS, "Ada")):
        with pytest.raises(ReviewError, match=says):
            attempt()
    assert path.read_text() == text.replace("%s", files.case_id)


def test_a_later_version_may_add_fields(files):
    """What this version does not know in an entry is passed over."""
    entry = {"state": "done", "reader": "Ada", "mood": "good"}
    value = {"schema": 1, "case": files.case_id, "entries": [entry]}
    review_path(files).write_text(json.dumps(value))
    assert read_review(files).entries == (Entry(State.DONE, "Ada"),)


def test_a_full_disk_keeps_the_reviews(files, monkeypatch):
    """What was written before is whole."""
    mark(files, State.IN_PROGRESS, "Ada")
    before = review_path(files).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="disk is full"):
        mark(files, State.IN_PROGRESS, "Ben")
    assert review_path(files).read_bytes() == before


def a_decision(verdict=Verdict.TAKE_B, digest="0123456789ab"):
    return Decision("net", "reference", "TC", "missing", (3, 4, 5), 0.25, digest, verdict, "Ada")


def test_decisions_are_kept_beside_the_entries(files):
    """Deciding marks nothing, marking loses no decision, and both come back as they were."""
    decide(files, [a_decision()])
    assert read_review(files).state is State.NOT_STARTED
    mark(files, State.IN_PROGRESS, "Ada")
    review = decide(files, [a_decision(Verdict.IGNORE, "fedc76543210")])
    assert review == read_review(files)
    assert review.state is State.IN_PROGRESS
    assert [decision.verdict for decision in review.decisions] == [Verdict.TAKE_B, Verdict.IGNORE]
    assert all(decision.at for decision in review.decisions)
    assert json.loads(review_path(files).read_text())["decisions"][0]["voxel"] == [3, 4, 5]


def test_a_decision_that_makes_no_sense_is_named(files):
    """A verdict that nobody knows: the file is named and stays as it is."""
    decide(files, [a_decision()])
    text = review_path(files).read_text().replace("take B", "take C")
    review_path(files).write_text(text)
    with pytest.raises(ReviewError, match="take C"):
        decide(files, [a_decision()])
    assert review_path(files).read_text() == text
