"""The Scores dock: three generations, sorting, lesions to jump to, copies and figures."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from napari_brats.metrics.case_scores import score_case
from napari_brats.metrics.tasks import TASKS
from napari_brats.workflows.tables import LESION_HEADER, SCORE_HEADER

pytestmark = [pytest.mark.gui, pytest.mark.slow]


@pytest.fixture
def prediction(case):
    """The reference without its last slices, and an island where there is no tumor."""
    tissues = case.reference.copy()
    tissues[:, :, -6:] = 0
    tissues[0, 0, 0] = 3
    assert case.reference[0, 0, 0] == 0
    return tissues


@pytest.fixture
def dock(make_napari_viewer, qtbot, notices, case, prediction):
    """The dock in a window that shows a patient and a mask of it."""
    from napari_brats.plugin.layers import case_layers, mask_layer
    from napari_brats.widgets.opening import build_layer
    from napari_brats.widgets.scores import ScoresWidget

    viewer = make_napari_viewer(show=True)
    for data in (*case_layers(case), mask_layer(case, prediction, "net")):
        viewer.add_layer(build_layer(data))
    widget = ScoresWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Scores")
    widget.viewer, widget.notices = viewer, notices
    yield widget
    qtbot.waitUntil(lambda: widget.control._task is None, timeout=20_000)
    widget.control.close()


def scored(dock, qtbot):
    """Click Score and wait; return the panel."""
    dock.panel.score.click()
    qtbot.waitUntil(lambda: dock.control._scores is not None, timeout=20_000)
    qtbot.waitUntil(lambda: dock.control._task is None, timeout=20_000)
    return dock.panel


def test_every_number_is_that_of_evaluate(dock, qtbot, case, prediction):
    """All regions and generations, with the rules in words; nothing before it is asked for."""
    assert dock.panel.tabs.isHidden()
    assert (dock.panel.masks.currentText()[:3], dock.panel.references.currentText()[:9]) == (
        "net", "reference",
    )  # fmt: skip
    panel = scored(dock, qtbot)
    expected = score_case(prediction, case.reference, (1, 1, 1), TASKS["GLI"])
    rows = {row[0]: row for row in panel.whole.numbers.texts()}
    assert set(expected.regions) <= set(rows)
    assert rows["WT"][1] == f"{expected.regions['WT'].dice:.3f}"
    assert "directed" in panel.whole.rule.text()
    for year, scores in (("2023", expected.lesionwise_2023), ("2026", expected.lesionwise_2026)):
        page = panel.pages[year]
        assert page.rule.text() == expected.rules[f"lesionwise_{year}"]
        assert page.lesions.rowCount() == sum(len(one.lesions) for one in scores.values())
        shown = {row[0]: row[1:] for row in page.numbers.texts()}
        assert shown["ET"][0] == f"{scores['ET'].dice:.3f}"
        assert int(shown["ET"][5]) == scores["ET"].count("false positive") == 1


def test_a_click_goes_to_the_lesion_in_any_order(dock, qtbot):
    """After sorting, too: the slice and the voxel are those of the row."""
    from qtpy.QtCore import Qt

    panel = scored(dock, qtbot)
    table = panel.pages["2026"].lesions
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        table.sortByColumn(2, order)
        volumes = [float(row[2]) for row in table.texts()]
        assert volumes == sorted(volumes, reverse=order is Qt.SortOrder.DescendingOrder)
        statuses = [row[1] for row in table.texts()]
        table.cellClicked.emit(statuses.index("false positive"), 0)
        layer = dock.panel.masks.currentData()
        index = np.round(layer.world_to_data(dock.viewer.dims.point)).astype(int)
        assert index[0] == layer.data.shape[0] - 1  # the file's first slice is the lowest
        camera = dock.viewer.scene.camera.center[-2:]
        place = np.round(layer.world_to_data((dock.viewer.dims.point[0], *camera))).astype(int)
        assert layer.data[tuple(place)] == 3
        dock.viewer.dims.set_point(0, 0)


def test_copies_are_whole_tables(dock, qtbot):
    """CSV with the columns of evaluate, Markdown to read; lesions too."""
    from qtpy.QtWidgets import QApplication

    scored(dock, qtbot)
    for table, header in (("scores", SCORE_HEADER), ("lesions", LESION_HEADER)):
        dock.control.copy(table, "csv")
        rows = list(csv.reader(io.StringIO(QApplication.clipboard().text())))
        assert tuple(rows[0]) == header
        assert rows[1][:2] == ["BraTS2021_00005", "GLI"]
        dock.control.copy(table, "markdown")
        lines = QApplication.clipboard().text().splitlines()
        assert len(lines) == len(rows) + 1
        assert lines[1].startswith("| --- | --- |")


def test_figures_show_the_layers_voxels(dock, qtbot, case):
    """Drawn beside the patient from what is in the window, saved or not."""
    folder = next(iter(case.image_paths.values())).parent
    names = {action.text().split(":")[0] for action in dock.panel.figure.menu().actions()}
    assert {"difference", "confusion", "rotation"} <= names
    dock.control.draw("difference")
    file = folder / "BraTS2021_00005_net_difference.png"
    qtbot.waitUntil(lambda: "Drawn" in dock.panel.words.text(), timeout=60_000)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.as_uri() in dock.panel.words.text()


def test_figures_of_a_patient_whose_files_have_any_names(dock, qtbot, tmp_path):
    """As a manifest gives them: the images come from the window, as nothing else knows them."""
    from napari_brats.plugin.tags import tag_of

    for layer in dock.viewer.layers:
        own = replace(tag_of(layer.metadata), case_id="P7", sources=(tmp_path / "scan.nii.gz",))
        layer.metadata.update(own.metadata())
    dock.control.draw("overview")
    qtbot.waitUntil(lambda: "Drawn" in dock.panel.words.text(), timeout=60_000)
    assert (tmp_path / "P7_net_overview.png").read_bytes().startswith(b"\x89PNG")


def test_a_hidden_dock_rests(dock, qtbot):
    """It follows no layer; shown again it knows what went meanwhile."""
    from qtpy.QtWidgets import QApplication

    panel = scored(dock, qtbot)
    events = dock.viewer.layers.events.removed
    listeners = len(events.callbacks)
    dock.hide()
    QApplication.processEvents()
    assert len(events.callbacks) == listeners - 1
    dock.viewer.layers.remove(panel.masks.currentData())
    dock.show()
    QApplication.processEvents()
    assert len(events.callbacks) == listeners
    assert panel.tabs.isHidden()
    assert panel.masks.count() == 0


def test_undo_makes_scores_stale(dock, qtbot):
    """Undo and redo are changes like strokes, another slice is none; copies still say so."""
    layer = dock.panel.masks.currentData()
    layer.data_setitem((np.array([1]),) * 3, 2)
    panel = scored(dock, qtbot)
    dock.viewer.dims.set_point(0, 3)
    assert "against" in panel.words.text()
    assert "changed" not in panel.words.text()
    layer.undo()
    assert "changed" in panel.words.text()
    dock.control.copy("scores", "csv")
    assert panel.words.text().startswith("Copied")
    assert "changed" in panel.words.text()
    assert "changed" not in scored_again(dock, qtbot).words.text()


def scored_again(dock, qtbot):
    """Click Score once more."""
    dock.control._scores = None
    return scored(dock, qtbot)


def test_what_changes_is_said(dock, qtbot, case, prediction):
    """Painting makes scores stale; without a layer there is nothing to score; mistakes are told."""
    from napari_brats.plugin.layers import mask_layer
    from napari_brats.widgets.opening import build_layer

    panel = scored(dock, qtbot)
    layer = panel.masks.currentData()
    layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    assert "changed" in panel.words.text()
    layer.data[1, 1, 1] = 99
    panel.score.click()
    qtbot.waitUntil(lambda: dock.control._task is None, timeout=20_000)
    assert panel.tabs.isHidden()  # not the numbers of before
    other = dock.viewer.add_layer(build_layer(mask_layer(case, prediction, "reader")))
    assert panel.references.findText(other.name) >= 0
    dock.viewer.layers.remove(layer)
    assert panel.tabs.isHidden()
    assert panel.masks.currentData() is other
    other.data[0, 0, 0] = 99
    panel.score.click()
    qtbot.waitUntil(lambda: dock.control._task is None, timeout=20_000)
    assert any("99" in text for text in dock.notices)
    assert panel.words.text() == ""
    dock.viewer.layers.remove(other)
    assert not panel.score.isEnabled()
    assert "Open a patient" in panel.words.text()
