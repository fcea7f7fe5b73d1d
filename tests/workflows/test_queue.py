"""The queue of a cohort's folder: measured from its masks, written, and read again."""

from pathlib import Path

import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.metrics.ranking import PARTS
from napari_brats.regions import LABEL_CONVENTIONS, Tissue, encode_labels
from napari_brats.volumes import write_bytes_atomic, write_mask, write_probabilities
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import write_table
from napari_brats.workflows.queue import build_queue, read_queue
from napari_brats.workflows.report.run import report_run

GLI = LABEL_CONVENTIONS["brats2023-gli"]
SHAPE = (24, 24, 24)


def tumor(size: int = 6) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[8 : 8 + size, 8:14, 8:14] = Tissue.EDEMA
    mask[9 : 7 + size, 9:13, 9:13] = Tissue.ENHANCING
    return mask


class Cohort:
    """Writes a cohort's folder, mask by mask."""

    def __init__(self, root: Path) -> None:
        self.layout, self.rows = Layout(root), []

    def add(self, patient: str, model: str, mask: np.ndarray, **more: object) -> None:
        path = self.layout.mask(patient, model, Path("t1.nii.gz"))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mask(path, encode_labels(mask, GLI), np.eye(4), convention=GLI.name)
        volume = {"WT": float((mask > 0).sum()) / 1000}
        names = {"mask": self.layout.relative(path), "volume_ml": volume}
        self.rows.append(Row(patient, model, State.DONE, **{**names, **more}))

    def build(self):
        write_table(self.layout.csv, self.rows)
        return build_queue(self.layout.root)


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """Six patients on whom two models agree."""
    found = Cohort(tmp_path)
    for number in range(6):
        for model in ("a", "b"):
            found.add(f"p{number}", model, tumor())
    return found


def test_nothing_unusual(cohort: Cohort) -> None:
    """Patients who are all alike have no points and stand in the order of their ids."""
    queue = cohort.build()
    assert [one.case for one in queue] == [f"p{n}" for n in range(6)]
    assert not any(one.reasons for one in queue)


def test_each_reason_lifts_its_patient(cohort: Cohort) -> None:
    """Failure, disagreement, an empty mask, warnings, unsure and unnested volumes: in words."""
    empty = np.zeros(SHAPE, np.uint8)
    cohort.rows.append(Row("failed", "a", State.FAILED, "t1 is missing"))
    cohort.add("apart", "a", tumor())
    cohort.add("apart", "b", tumor(3))
    for model in ("a", "b"):
        cohort.add("empty", model, empty)
        cohort.add("warned", model, tumor(), warnings=("turned grid",))
        cohort.add("unsure", model, tumor(), unsure_ml={"WT": 0.1})
        cohort.add("unnested", model, tumor(), unnested_ml=0.01)
    queue = {one.case: one for one in cohort.build()}
    assert next(iter(queue)) == "failed"
    assert queue["failed"].reasons == ("a failed: t1 is missing",)
    assert "models disagree: Dice WT 0." in queue["apart"].reasons[0]
    assert "no tumor found (a)" in queue["empty"].reasons
    assert queue["warned"].reasons == ("turned grid (a)",)
    assert "46% of the volume is unsure (a)" in queue["unsure"].reasons
    assert "regions not nested in 4.6% of the tumor (a)" in queue["unnested"].reasons
    assert all(queue[f"p{n}"].score == 0 for n in range(6))


def test_outlying_volume(cohort: Cohort) -> None:
    """One tumor many times larger than the others' is said with both volumes."""
    big = np.full(SHAPE, Tissue.EDEMA, np.uint8)
    for model in ("a", "b"):
        cohort.add("big", model, big)
    first = cohort.build()[0]
    assert first.case == "big"
    assert "WT of 13.8 ml is far above the cohort's 0.2 ml" in first.reasons[0]


def test_probabilities(cohort: Cohort) -> None:
    """Where probabilities were kept, the entropy around the tumor counts."""
    layout = cohort.layout
    for patient, around in (("hesitant", 0.4), ("sure", 0.0)):
        maps = np.full((3, *SHAPE), around, np.float32)
        maps[:, tumor() > 0] = 1
        path = layout.probabilities(patient, "a")
        path.parent.mkdir(parents=True)
        write_probabilities(path, maps, np.eye(4))
        cohort.add(patient, "a", tumor(), probabilities=layout.relative(path))
    queue = {one.case: one for one in cohort.build()}
    assert "entropy" in queue["hesitant"].points
    assert "unsure around the tumor: entropy 0.9" in queue["hesitant"].reasons[0]
    assert queue["sure"].score == 0


def test_damaged_mask(cohort: Cohort) -> None:
    """A mask that is not what the run wrote puts its patient first, and costs no other."""
    (cohort.layout.root / cohort.rows[4].mask).write_bytes(b"no mask")
    first, *others = cohort.build()
    assert first.case == cohort.rows[4].patient
    assert "cannot be read" in first.reasons[0] or "damaged" in first.reasons[0]
    assert len(others) == 5


def test_written_and_read(cohort: Cohort, tmp_path: Path) -> None:
    """queue.csv holds rank, score, reasons and points; reading gives them back."""
    assert read_queue(tmp_path) == []
    cohort.add("apart", "a", tumor())
    cohort.add("apart", "b", tumor(2))
    cohort.rows[0] = Row("p0", "a", State.FAILED, 'odd "reason"; with, marks')
    queue = cohort.build()
    head = f"rank,patient,score,why,{','.join(PARTS)}\n1,"
    assert cohort.layout.queue.read_text().startswith(head)
    for kept, made in zip(read_queue(tmp_path), queue, strict=True):
        assert (kept.case, kept.reasons) == (made.case, made.reasons)
        assert kept.score == pytest.approx(made.score, abs=1e-4)
        assert list(kept.points) == sorted(made.points, key=list(PARTS).index)


def test_mistakes(tmp_path: Path) -> None:
    """No cohort, an empty one, and a damaged queue are said."""
    with pytest.raises(CaseError, match="output folder of napari-brats cohort"):
        build_queue(tmp_path)
    write_table(tmp_path / "cohort.csv", [])
    with pytest.raises(CaseError, match="has no patients"):
        build_queue(tmp_path)
    write_bytes_atomic(Layout(tmp_path).queue, b"one,two\n1,2\n")
    with pytest.raises(CaseError, match="is no queue"):
        read_queue(tmp_path)


def test_the_page_shows_the_order_with_its_reasons(cohort: Cohort) -> None:
    """The worst first, each with its words and its masks; a page without a queue has none."""
    cohort.add("<odd>", "a", tumor(), warnings=("turned grid",))
    cohort.add("empty", "a", np.zeros(SHAPE, np.uint8))
    report_run(cohort.layout, cohort.rows)
    assert "Look at these first" not in cohort.layout.html.read_text()
    queue = cohort.build()
    assert [one.case for one in queue[:2]] == ["empty", "<odd>"]
    page = cohort.layout.html.read_text().partition("Look at these first")[2]
    first, _, rest = page.partition("&lt;odd&gt;")
    assert "no tumor found" in first
    assert 'href="sub-empty/empty_a_mask.nii.gz"' in first
    assert "turned grid" in rest
    assert 'href="queue.csv"' in rest


def test_a_page_of_patients_who_are_all_alike(cohort: Cohort) -> None:
    """It says so, instead of an empty table."""
    cohort.build()
    assert "Nothing unusual was found in any mask." in cohort.layout.html.read_text()


def test_a_table_is_no_folder(cohort: Cohort) -> None:
    """The queue goes into the folder, so the table's own file is refused before any work."""
    cohort.build()
    with pytest.raises(CaseError, match="is a file; give the output folder"):
        build_queue(cohort.layout.csv)
