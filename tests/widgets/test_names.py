"""Everything in the Segment dock that can be worked has a name for screen readers and a tip."""

import pytest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QTreeWidget,
    QWidget,
)

pytestmark = [pytest.mark.gui, pytest.mark.slow]

KINDS = (
    QAbstractButton,
    QAbstractSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QComboBox,
    QTreeWidget,
    QTableView,
)
MADE_OF_PARTS = (QComboBox, QAbstractSpinBox, QLineEdit, QTableView)


def controls_of(widget):
    return [
        control
        for control in widget.findChildren(QWidget)
        if isinstance(control, KINDS) and not isinstance(control.parent(), MADE_OF_PARTS)
    ]


def nameless(controls):
    """Return those without a name; a button's own words count as its name."""
    worded = [one for one in controls if isinstance(one, QAbstractButton) and one.text()]
    return [one for one in controls if not one.accessibleName() and one not in worded]


def test_every_control_has_a_name_and_a_tip(widget):
    """Folded panels too."""
    controls = controls_of(widget)
    assert len(controls) > 40
    assert nameless(controls) == []
    assert [one.accessibleName() for one in controls if not one.toolTip()] == []


@pytest.mark.parametrize("name", ["Train", "Adapt", "Cohort", "Scores"])
def test_every_control_of_the_other_docks_has_a_name(name, make_napari_viewer):
    """Also those that magicgui makes of settings."""
    _, dock = make_napari_viewer().window.add_plugin_dock_widget("napari-brats", name)
    controls = controls_of(dock)
    assert len(controls) > 7
    assert nameless(controls) == []
