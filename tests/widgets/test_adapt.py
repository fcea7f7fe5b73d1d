"""The Adapt widget: which cases count and why, following, the result, new and old."""

import json
import sys
from threading import Event

import numpy as np
import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.review import mark, read_review
from napari_brats.editing.states import State
from napari_brats.naming import recognize

pytestmark = pytest.mark.gui

PROGRESS = {
    "step": 50, "seconds": 60.0, "fraction": 0.25, "loss": 0.7, "learning_rate": 1e-3,
    "waiting": 0.0, "holdout_dice": None,
}  # fmt: skip


@pytest.fixture
def widget(qtbot):
    from napari_brats.widgets.adapt import AdaptWidget

    adapt = AdaptWidget()
    qtbot.addWidget(adapt)
    yield adapt
    adapt.process.stop()
    assert adapt.process.wait(30)


@pytest.fixture
def cases(tmp_path, make_patient_folder):
    """A reviewed case, one with a mask that nobody reviewed, and one without a mask."""
    root = tmp_path / "cases"
    for number in range(3):
        folder = make_patient_folder(root, case_id=f"BraTS2021_0000{number}", reference=False)
        case = load_case(folder)
        empty = segmentation_of(case, np.zeros(case.shape, np.uint8))
        if number < 2:
            save_segmentation(empty, folder / f"{case.case_id}_net_mask.nii.gz")
    mark(recognize(root / "BraTS2021_00000"), State.DONE, "Ada")
    return root


def show(widget, qtbot, folder):
    widget.cases.path.setText(str(folder))
    widget.cases.path.returnPressed.emit()
    listed(widget, qtbot)


def listed(widget, qtbot):
    qtbot.waitUntil(lambda: widget.search.idle, timeout=20_000)


def texts(widget):
    items = [widget.cases.list.topLevelItem(n) for n in range(3)]
    return [item.text(1) for item in items]


def speaking(*lines):
    """Return a program that prints lines and ends when its stdin does."""
    text = "\n".join(json.dumps(line) for line in lines)
    program = f"import sys; print({text!r}, flush=True); sys.stdin.read()"
    return [sys.executable, "-c", program]


def result(installed, objections=()):
    dice = {"WT": 0.5, "TC": 0.4, "ET": 0.3}
    better = {"WT": 0.8, "TC": 0.7, "ET": 0.6}
    row = {"case": "case-1", "group": "held back", "before": dice, "after": better}
    found = {"installed": installed, "objections": list(objections), "compared": [row]}
    return {"adaptation": found, "stopped": False}


def finish(widget, qtbot, *lines):
    with qtbot.waitSignal(widget.process.ended, timeout=20_000):
        widget.process.run(speaking(*lines))
        widget.process.stop()


def test_the_list_says_which_mask_counts_and_why_others_do_not(widget, qtbot, cases):
    """Nothing to start without a folder; then each case with its mask or its reason."""
    assert not widget.start.isEnabled()
    show(widget, qtbot, cases)
    mask, nobody, none = texts(widget)
    assert mask == "net, Ada"
    assert "not reviewed: BraTS2021_00001_net_mask.nii.gz" in nobody
    assert "no saved mask" in none
    assert widget.cases.counted.text() == "1 of 3 cases count"
    assert widget.start.isEnabled()
    widget.cases.every.setChecked(True)
    listed(widget, qtbot)
    assert widget.cases.count() == 2
    show(widget, qtbot, cases / "gone")
    assert "does not exist" in widget.words.text()
    assert not widget.start.isEnabled()


def test_cases_are_looked_for_beside_the_window(widget, qtbot, cases, monkeypatch):
    """Nothing starts meanwhile, and an answer that comes too late is not shown."""
    from napari_brats.widgets import adapt

    released, find = Event(), adapt.find_corrections

    def slow(folders, *args, **options):
        if folders == [cases]:
            assert released.wait(20)
        return find(folders, *args, **options)

    monkeypatch.setattr(adapt, "find_corrections", slow)
    widget.cases.path.setText(str(cases))
    widget.cases.path.returnPressed.emit()
    qtbot.waitUntil(lambda: widget.words.text() == "looking for cases", timeout=20_000)
    assert not widget.start.isEnabled()
    widget.cases.path.setText(str(cases / "gone"))
    widget.cases.path.returnPressed.emit()
    released.set()
    listed(widget, qtbot)
    assert "does not exist" in widget.words.text()
    assert widget.cases.count() == 0


def test_the_home_in_a_path(widget, qtbot, cases, monkeypatch):
    """A folder below ~ is found, as in the other docks; the training gets it whole."""
    monkeypatch.setenv("HOME", str(cases.parent))
    show(widget, qtbot, f"~/{cases.name}")
    assert widget.cases.counted.text() == "1 of 3 cases count"
    assert widget.cases.folder() == str(cases)


def test_a_case_is_marked_from_the_list(widget, qtbot, cases):
    """The chosen case counts at once, with the name in the field; nobody's name is refused."""
    show(widget, qtbot, cases)
    assert not widget.cases.mark.isEnabled()
    widget.cases.list.topLevelItem(1).setSelected(True)
    widget.cases.reader.setText("")
    widget.cases.mark.click()
    listed(widget, qtbot)
    assert "nobody is named" in widget.words.text()
    widget.cases.list.topLevelItem(1).setSelected(True)
    widget.cases.reader.setText("Ben")
    widget.cases.mark.click()
    listed(widget, qtbot)
    assert texts(widget)[1] == "net, Ben"
    assert read_review(recognize(cases / "BraTS2021_00001")).state == State.DONE


def test_an_adaptation_is_followed_and_stopped(widget, qtbot, cases):
    """Progress moves bar, words and curve; a stopped one says that nothing was installed."""
    show(widget, qtbot, cases)
    widget.process.run(speaking({"notice": "begins"}, {"progress": PROGRESS}))
    qtbot.waitUntil(lambda: widget.bar.value() == 250, timeout=20_000)
    assert "step 50, loss 0.700, 3 min left" in widget.words.text()
    (loss,) = widget.curves.figure.axes
    assert loss.lines[0].get_ydata().tolist() == [0.7]
    widget.stop.setEnabled(True)
    widget.stop.click()
    qtbot.waitUntil(lambda: not widget.process.running(), timeout=20_000)
    assert widget.start.isEnabled()


def test_not_better(widget, qtbot):
    """The table and the reasons; nothing to choose."""
    finish(widget, qtbot, result(None, ["ET fell"]))
    assert "Not better, so nothing was installed: ET fell." in widget.words.text()
    assert widget.table.item(0, 1).text() == "0.50 > 0.80"
    assert widget.use_new.isHidden()
    assert widget.use_old.isHidden()


def test_one_click_forth_and_back(widget, qtbot, make_napari_viewer, monkeypatch):
    """New and old are chosen for open docks and for those to come."""
    from napari_brats.widgets import adapt
    from napari_brats.widgets.model_panel import ModelPanel

    preferred, shown = [], []
    monkeypatch.setattr(adapt, "prefer_model", preferred.append)
    monkeypatch.setattr(ModelPanel, "choose", lambda self, name: shown.append(name))
    panel = ModelPanel("dresunet3d", "cpu")
    qtbot.addWidget(panel)
    finish(widget, qtbot, result("ward"))
    assert "installed as ward" in widget.words.text()
    widget.use_new.click()
    assert (preferred, shown) == (["ward"], ["ward"])
    assert not widget.use_new.isEnabled()
    widget.use_old.click()
    assert preferred == ["ward", "dresunet3d"]
    assert widget.use_new.isEnabled()


@pytest.mark.slow
def test_a_mistake_is_one_line(widget, qtbot, cases):
    """What the command line would say is what the widget says; the form is free again."""
    show(widget, qtbot, cases)
    widget.start.click()
    qtbot.waitUntil(lambda: not widget.process.running(), timeout=60_000)
    assert "1 of 3 cases can be learned from" in widget.words.text()
    assert widget.cases.isEnabled()
