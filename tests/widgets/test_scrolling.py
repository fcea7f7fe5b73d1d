"""Docks that scroll up and down show all of their width."""

import pytest
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_brats.widgets.scrolling import let_scroll

pytestmark = pytest.mark.gui


def test_a_long_path_pushes_nothing_out_of_sight(qtbot):
    """A file's name is one word to Qt; the dock's other parts keep their place."""
    dock, content = QWidget(), QWidget()
    qtbot.addWidget(dock)
    words, button = QLabel(content), QPushButton("Browse", content)
    words.setWordWrap(True)
    column = QVBoxLayout(content)
    column.addWidget(words)
    column.addWidget(button)
    let_scroll(dock, content)
    words.setText(f"done. Weights: /{'a_long_name_' * 10}.safetensors")
    assert words.minimumSizeHint().width() > 500
    assert content.minimumSizeHint().width() < 200
