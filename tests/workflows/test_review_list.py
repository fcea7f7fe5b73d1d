"""Table, queue and reviews, put together."""

from collections.abc import Callable
from pathlib import Path

from napari_brats.editing.review import mark
from napari_brats.editing.states import State as ReviewState
from napari_brats.metrics.ranking import Ranked
from napari_brats.naming import recognize
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.review_list import files_of, items_of


def test_items(tmp_path: Path, make_patient_folder: Callable[..., Path]) -> None:
    """Patients in the queue's order, those without a place last; state, warnings and words."""
    sources = {}
    for number in range(3):
        folder = make_patient_folder(tmp_path, case_id=f"BraTS2021_0000{number}")
        sources[folder.name] = str(next(iter(recognize(folder).images.values())))
    first, second, third = sources
    rows = [
        Row(first, "a", State.DONE, source=sources[first], warnings=("turned",)),
        Row(first, "b", State.FAILED, "No Memory", source=sources[first]),
        Row(second, "a", State.DONE, source=sources[second], warnings=("turned", "old")),
        Row(second, "b", State.WAITING, source=sources[second]),
        Row(third, "a", State.DONE, source=sources[third]),
    ]
    mark(recognize(tmp_path / third), ReviewState.IN_PROGRESS, "Ada")
    (tmp_path / first / f"{first}_review.json").write_text("{")
    queue = [Ranked(third, 0.5, {"far": 0.5}, ("2 Far foci",)), Ranked(second, 0.1)]
    found = items_of(rows, queue)
    assert [(item.patient, item.place) for item in found] == [
        (third, 1),
        (second, 2),
        (first, None),
    ]
    assert [item.state for item in found] == [State.DONE, State.WAITING, State.FAILED]
    assert found[0].review == ReviewState.IN_PROGRESS
    assert found[1].warnings == ("turned", "old")
    assert found[2].warnings[:2] == ("b: No Memory", "turned")
    assert "cannot read the reviews" in found[2].notes[0]
    assert "2 far foci" in found[0].words
    assert "no memory" in found[2].words
    assert found[1].row("b") == rows[3]
    assert found[2].row("c") is None
    assert files_of(found[0]).case_id == third
