"""Everything in the Segment dock that can be worked has a name for screen readers and a tip."""

import pytest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTableWidget,
    QTreeWidget,
    QWidget,
)

pytestmark = [pytest.mark.gui, pytest.mark.slow]

KINDS = (QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox, QTreeWidget, QTableWidget)
MADE_OF_PARTS = (QComboBox, QAbstractSpinBox, QTableWidget)


def test_every_control_has_a_name_and_a_tip(widget):
    """Folded panels too; a button's own words count as its name."""
    controls = [
        control
        for control in widget.findChildren(QWidget)
        if isinstance(control, KINDS) and not isinstance(control.parent(), MADE_OF_PARTS)
    ]
    assert len(controls) > 40
    worded = [one for one in controls if isinstance(one, QAbstractButton) and one.text()]
    assert [one for one in controls if not one.accessibleName() and one not in worded] == []
    assert [one.accessibleName() for one in controls if not one.toolTip()] == []
