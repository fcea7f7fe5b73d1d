"""The window: the only code that knows napari and Qt.

Plain logic (`live_scores`, `steps`, `pace`, `session`, `comparison`, `edits`) stands apart
from the panels that show it, so that it can be tested without a window.
"""
