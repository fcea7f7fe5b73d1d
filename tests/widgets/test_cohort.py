"""The Cohort widget: sorting, filtering, opening, marking, second readings, runs."""

import shutil
import time
from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.review import read_review
from napari_brats.editing.states import State as ReviewState
from napari_brats.naming import recognize
from napari_brats.plugin.tags import MASK, tag_of
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.roster import to_json
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import write_table
from napari_brats.workflows.queue import build_queue
from napari_brats.workflows.review_list import read_items

pytestmark = [pytest.mark.gui, pytest.mark.slow]

CASES = tuple(f"BraTS2021_0000{n}" for n in range(3))


@pytest.fixture
def cohort(tmp_path, make_patient_folder):
    """Three patients with masks of two models, one of them empty, one failed; ranked."""
    layout, rows = Layout(tmp_path / "out"), []
    for place, case_id in enumerate(CASES):
        folder = make_patient_folder(tmp_path / "data", case_id=case_id)
        case = load_case(folder)
        source = str(next(iter(case.image_paths.values())))
        for model in ("net", "other"):
            if (place, model) == (1, "other"):
                rows.append(Row(case_id, model, State.FAILED, "out of memory", source=source))
                continue
            tissues = np.zeros_like(case.reference) if place == 2 else case.reference
            path = layout.mask(case_id, model, case.image_paths["t1"])
            path.parent.mkdir(parents=True, exist_ok=True)
            save_segmentation(segmentation_of(case, tissues), path)
            figure = layout.figure(case_id, model)
            QImage(120, 60, QImage.Format.Format_RGB32).save(str(figure))
            rows.append(
                Row(
                    case_id, model, State.DONE, source=source, mask=layout.relative(path),
                    figure=layout.relative(figure), volume_ml={"WT": 1.0 + place},
                    dice={"WT": 0.9 - 0.3 * place},
                )
            )  # fmt: skip
    write_table(layout.csv, rows)
    build_queue(layout.root)
    return layout.root


@pytest.fixture
def table(qtbot, cohort):
    from napari_brats.widgets.cohort_table import CohortTable
    from napari_brats.workflows.review_list import read_items

    widget = CohortTable()
    qtbot.addWidget(widget)
    widget.thumbnails.look_in(cohort)
    widget.show_items(read_items(cohort))
    yield widget
    widget.thumbnails.close()


def listed(table):
    return [table.filter.item(row).patient[-1] for row in range(table.filter.rowCount())]


def test_worst_first_then_as_asked(table):
    """The queue's order; by a column, where what has no value stays last either way."""
    assert listed(table) == ["1", "2", "0"]
    dice = next(
        n for n in range(10) if "Dice" in table.model.headerData(n, Qt.Orientation.Horizontal)
    )
    table.view.sortByColumn(dice, Qt.SortOrder.AscendingOrder)
    assert listed(table) == ["2", "1", "0"]
    table.models.setCurrentText("other")
    table.view.sortByColumn(dice, Qt.SortOrder.DescendingOrder)
    assert listed(table) == ["0", "2", "1"]
    table.view.sortByColumn(dice, Qt.SortOrder.AscendingOrder)
    assert listed(table) == ["2", "0", "1"]


def test_the_chosen_patient_stays_chosen(table):
    """Sorting, filtering and reading anew keep the patient, not the line."""
    table.choose(CASES[0])
    table.view.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    assert table.current().patient == CASES[0]
    table.view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert table.current().patient == CASES[0]
    from napari_brats.workflows.review_list import read_items

    table.show_items(read_items(table.thumbnails._root))
    assert table.current().patient == CASES[0]
    assert listed(table) == ["2", "1", "0"]


def test_reading_anew_does_not_scroll(table, cohort, qtbot):
    """A table that another process writes to stays where the person has scrolled to."""
    from napari_brats.workflows.review_list import read_items

    table.resize(600, 140)
    table.show()
    table.choose(CASES[1])
    bar = table.view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    table.show_items(read_items(cohort))
    assert table.current().patient == CASES[1]
    assert bar.value() == bar.maximum()


def test_filters(table):
    """By menu and by words in ids, reasons and warnings, together."""
    table.shown.setCurrentText("failed")
    assert listed(table) == ["1"]
    assert table.count.text() == "1 of 3"
    table.shown.setCurrentText("all")
    table.search.setText("NO tumor")
    assert listed(table) == ["2"]
    table.search.setText("out of memory")
    assert listed(table) == ["1"]
    table.search.setText("nothing like it")
    assert listed(table) == []
    assert table.step(1) is None
    table.search.setText("")
    assert table.count.text() == "3 patients"


def test_steps(table):
    """Next and previous follow what is listed and end where it ends."""
    table.choose(CASES[1])
    assert [table.step(1).patient[-1], table.step(1).patient[-1], table.step(1)] == ["2", "0", None]
    assert table.step(-1).patient == CASES[2]


def test_pictures_come_when_looked_at(table, qtbot):
    """Nothing is read for rows that nobody sees; a picture comes later, once."""
    assert not table.thumbnails._pictures
    index = table.model.index(0, 0)
    with qtbot.waitSignal(table.thumbnails.ready, timeout=5000):
        assert table.model.data(index, Qt.ItemDataRole.DecorationRole) is None
    picture = table.model.data(index, Qt.ItemDataRole.DecorationRole)
    assert (picture.width(), picture.height()) == (36, 36)


def test_qt_accepts_the_model(table, qtmodeltester):
    """Qt's own rules for table models hold."""
    qtmodeltester.check(table.model)
    qtmodeltester.check(table.filter)


@pytest.fixture
def widget(make_napari_viewer, qtbot, notices, monkeypatch, cohort):
    """The widget docked in a shown window beside the Segment widget."""
    from napari_brats.widgets.close_guard import Answer
    from napari_brats.widgets.cohort import CohortWidget
    from napari_brats.widgets.segment import SegmentWidget

    monkeypatch.setattr("napari_brats.widgets.segment.set_aside", lambda: None)
    viewer = make_napari_viewer(show=True)
    segment = SegmentWidget(viewer)
    segment.ask = lambda titles: Answer.DISCARD
    viewer.window.add_dock_widget(segment, name="Segment")
    found = CohortWidget(viewer)
    viewer.window.add_dock_widget(found, name="Cohort")
    found.segment = segment
    found.panel.reader.setText("Ada")
    found.look_in(cohort)
    qtbot.waitUntil(lambda: found.table.model.rowCount() == 3, timeout=10_000)
    yield found
    found.work.close()
    found.table.thumbnails.close()


def masks(widget):
    found = [tag_of(layer.metadata) for layer in widget.viewer.layers]
    return [tag for tag in found if tag.role == MASK]


def opened(widget, qtbot, case_id, title):
    def there():
        assert widget.segment.patient_control.idle
        assert [(tag.case_id, tag.title) for tag in masks(widget)][-1:] == [(case_id, title)]

    qtbot.waitUntil(there, timeout=20_000)


def test_open_mark_and_second_reading(widget, qtbot, notices, cohort):
    """From a double-click to a marked case; the second reader sees only the model's mask."""
    widget.table.choose(CASES[0])
    widget.table.view.doubleClicked.emit(widget.table.view.currentIndex())
    opened(widget, qtbot, CASES[0], "net")
    assert masks(widget)[-1].path is None
    widget.panel.second.click()
    assert "not saved" in notices[-1]
    files = recognize(cohort.parent / "data" / CASES[0])
    before = (cohort / widget.table.current().row("net").mask).read_bytes()
    widget.segment.masks.save.click()
    saved = files.folder / f"{CASES[0]}_net_mask.nii.gz"
    qtbot.waitUntil(saved.exists, timeout=10_000)
    qtbot.waitUntil(lambda: masks(widget)[-1].path == saved, timeout=10_000)
    widget.panel.second.click()
    assert read_review(files).last.mask == saved.name
    assert widget.table.current().review == ReviewState.SECOND_READER
    assert "needs second reader" in widget.panel.about.text()
    widget.panel.next.click()
    assert widget.table.current().patient == CASES[0], "it is the last of the list"
    widget.panel.before.click()
    opened(widget, qtbot, CASES[2], "net")

    widget.panel.reader.setText("Ben")
    widget.table.choose(CASES[0])
    assert "hidden until you are done" in widget.panel.about.text()
    widget.open(widget.table.current())
    opened(widget, qtbot, CASES[0], "net")
    assert [tag.path for tag in masks(widget)] == [None], "the first reader's mask is not here"
    widget.segment.masks.save.click()
    own = files.folder / f"{CASES[0]}_net_mask-2.nii.gz"
    qtbot.waitUntil(lambda: read_review(files).last.mask == own.name, timeout=10_000)
    assert read_review(files).last.state == ReviewState.IN_PROGRESS
    saved.touch()  # the first reader's mask is the newest here, and not Ben's for that
    elsewhere = cohort.parent / "elsewhere.nii.gz"
    widget.segment.mask_control.save(elsewhere)
    qtbot.waitUntil(lambda: read_review(files).last.mask == str(elsewhere), timeout=10_000)
    widget.panel.done.click()
    assert read_review(files).last.reader == "Ben"
    assert "hidden" not in widget.panel.about.text()
    assert (cohort / widget.table.current().row("net").mask).read_bytes() == before


def test_patients_of_a_manifest(widget, qtbot, notices, cohort):
    """One who is called otherwise, and one whose files nothing but the manifest names."""
    data = cohort.parent / "data"
    mine = recognize(data / CASES[0])
    odd = data / "far" / "scan0.nii.gz"
    odd.parent.mkdir()
    odd.write_bytes(mine.images["flair"].read_bytes())
    layout = Layout(cohort.parent / "listed")
    patients = [
        replace(mine, case_id="mine", own_id=mine.case_id),
        replace(
            mine, case_id="odd", naming="manifest", images={"flair": odd}, channels={"flair": None}
        ),
    ]
    listed = [to_json(one) for one in patients]
    write_json_atomic(layout.provenance, {"settings": {"labels": None}, "patients": listed})
    made = Layout(cohort).mask(CASES[0], "net", odd).read_bytes()
    rows = []
    for one in patients:
        mask = layout.mask(one.case_id, "net", odd)
        mask.parent.mkdir()
        mask.write_bytes(made)
        where = {"source": str(next(iter(one.images.values()))), "mask": layout.relative(mask)}
        rows.append(Row(one.case_id, "net", State.DONE, **where))
    write_table(layout.csv, rows)
    widget.look_in(layout.root)
    qtbot.waitUntil(lambda: widget.table.model.rowCount() == 2, timeout=10_000)
    notices.clear()
    for patient, own in (("mine", CASES[0]), ("odd", "odd")):
        widget.table.choose(patient)
        widget.open(widget.table.current())
        opened(widget, qtbot, own, "net")
        widget.segment.masks.save.click()
        qtbot.waitUntil(lambda: masks(widget)[-1].path is not None, timeout=10_000)
        widget.panel.done.click()
        assert widget.table.current().review == ReviewState.DONE
        qtbot.waitUntil(lambda: widget.segment.reviews.idle, timeout=10_000)
    assert read_review(mine).last.mask == f"{CASES[0]}_net_mask.nii.gz"
    assert (odd.parent / "odd_net_mask.nii.gz").exists()
    assert (odd.parent / "odd_review.json").exists()
    assert not [one for one in notices if "BraTS patient" in one]


def test_follow_and_rank(widget, qtbot, notices, cohort):
    """What another process writes is seen; ranking reports and ends."""
    (cohort / "queue.csv").unlink()
    widget.work.follow()
    qtbot.waitUntil(lambda: widget.table.current().place is None, timeout=10_000)
    widget.panel.rank.click()
    assert widget.panel.stop.isEnabled()
    qtbot.waitUntil(lambda: widget.table.current().place is not None, timeout=10_000)
    qtbot.waitUntil(lambda: widget.panel.start.isEnabled(), timeout=10_000)
    assert (cohort / "queue.csv").exists()


@pytest.fixture
def running(widget, qtbot, monkeypatch):
    """Start a run that goes on until it is stopped; return the steps it has taken."""
    row = Row(CASES[1], "other", State.DONE, volume_ml={"WT": 5.0})
    steps = []

    def run(*_):
        yield "looking for patients"
        for done in range(1, 600):
            time.sleep(0.05)
            steps.append(done)
            yield SimpleNamespace(rows=(row,), done=done, total=10**6, failed=0, seconds_left=60)

    monkeypatch.setattr("napari_brats.widgets.cohort_work._running", run)
    widget.panel.start.click()
    qtbot.waitUntil(lambda: "of 1000000" in widget.panel.words.text(), timeout=10_000)
    return steps


def test_a_run_reports_and_stops(widget, qtbot, notices, running):
    """Rows appear as they are made; Stop stops."""
    assert widget.work.item(CASES[1]).row("other").state == State.DONE
    widget.panel.stop.click()
    qtbot.waitUntil(lambda: widget.panel.start.isEnabled(), timeout=10_000)
    assert running[-1] < 599
    # The end of a run reads the folder again, where this run of nothing left no trace.
    qtbot.waitUntil(
        lambda: widget.work.item(CASES[1]).row("other").state == State.FAILED, timeout=10_000
    )


def test_another_folder_during_a_run(widget, qtbot, cohort, running):
    """What the run reports is of its own folder, also where patients have the same names."""
    other = shutil.copytree(cohort, cohort.parent / "again")
    widget.look_in(other)
    qtbot.waitUntil(lambda: widget.work._reading is None, timeout=10_000)
    seen = len(running)
    qtbot.waitUntil(lambda: len(running) > seen + 5, timeout=10_000)
    assert widget.work.item(CASES[1]).row("other").state == State.FAILED


def test_a_closed_dock_stops_its_run(widget, qtbot, running):
    """Nobody could stop it any more, and a dock opened anew would start a second one."""
    task = widget.work._long
    with qtbot.waitSignal(task.worker.finished, timeout=10_000):
        widget.viewer.window.remove_dock_widget(widget)
    assert running[-1] < 599
    assert not widget._timer.isActive()


def test_another_folder_while_one_is_read(widget, qtbot, cohort, monkeypatch):
    """The first folder's patients do not appear under the second's name."""
    go_on = Event()

    def slowly(root):
        go_on.wait(10)
        return read_items(root)

    monkeypatch.setattr("napari_brats.widgets.cohort_work.read_items", slowly)
    widget.look_in(cohort)
    task = widget.work._reading
    with qtbot.waitSignal(task.worker.finished, timeout=10_000):
        widget.look_in(cohort.parent / "elsewhere")
        go_on.set()
    assert widget.table.model.rowCount() == 0


def test_the_segment_dock_closed_and_opened_again(widget, qtbot):
    """The next patient opens in the dock that is there now."""
    from napari_brats.widgets.segment import SegmentWidget

    widget.open(widget.table.current())
    opened(widget, qtbot, CASES[1], "net")
    viewer = widget.viewer
    viewer.window.remove_dock_widget(widget.segment)
    widget.segment = SegmentWidget(viewer)
    viewer.window.add_dock_widget(widget.segment, name="Segment")
    qtbot.waitUntil(lambda: widget.segment._guard is not None)
    widget.panel.next.click()
    opened(widget, qtbot, CASES[2], "net")


def test_the_reader_of_the_settings(qtbot, monkeypatch):
    """The name decides what is hidden, so that it is the same in every dock."""
    from napari_brats.widgets.cohort_panel import CohortPanel
    from napari_brats.widgets.preferences import Preferences

    monkeypatch.setattr(
        "napari_brats.widgets.review_file.preferences", lambda: Preferences(reader="Ada")
    )
    panel = CohortPanel()
    qtbot.addWidget(panel)
    assert panel.reader.text() == "Ada"


def test_where_a_run_computes():
    """Nothing means this process; an address means the workers of that scheduler."""
    from napari_brats.widgets.cohort_work import _place
    from napari_brats.workflows.cohort.cluster import Cluster

    assert _place("", print) is None
    assert isinstance(_place("tcp://127.0.0.1:8786", print), Cluster)


def test_mistakes(widget, qtbot, notices, cohort):
    """No folder's table, nothing open, a patient who has gone: each is one line."""
    widget.panel.done.click()
    assert "no patient of this cohort is open" in notices[-1]
    (cohort.parent / "data").rename(cohort.parent / "moved")
    widget.open(widget.table.current())
    assert "does not exist" in notices[-1]
    widget.look_in(cohort.parent / "elsewhere")
    assert "no cohort.csv" in widget.panel.words.text()
    widget.work.follow()
    assert widget.work._reading is None, "there is nothing to read, and nobody to blame"
    assert widget.table.model.rowCount() == 0
    mark_enabled = [one.isEnabled() for one in (widget.panel.done, widget.panel.rank)]
    assert mark_enabled == [False, False]
