"""What lives as long as the window is left out of collections, and taken back."""

import gc

import pytest
from qtpy.QtWidgets import QMessageBox

from napari_brats.widgets.close_guard import Answer, ask_person
from napari_brats.widgets.long_lived import set_aside, take_back


def test_set_aside_and_back():
    """Set aside: nothing old is scanned. Taken back: everything is again."""
    try:
        set_aside()
        assert gc.get_freeze_count() > 0
    finally:
        take_back()
    assert gc.get_freeze_count() == 0


@pytest.mark.gui
def test_the_question(qtbot, monkeypatch):
    """The dialog names the masks; its three buttons are the three answers, Escape stays."""
    asked = []
    buttons = QMessageBox.StandardButton
    choices = [buttons.Save, buttons.Discard, buttons.Cancel, buttons.NoButton]
    answers = iter(choices)

    def execute(box):
        asked.append(box.text())
        return next(answers)

    monkeypatch.setattr(QMessageBox, "exec", execute)
    ask = ask_person(None)
    found = [ask(["net BraTS2021_00001"]) for _ in choices]
    assert found == [Answer.SAVE, Answer.DISCARD, Answer.STAY, Answer.STAY]
    assert "net BraTS2021_00001" in asked[0]
