"""Ask before a window closes, or a patient is put away, with unsaved edits."""

from collections.abc import Callable, Sequence
from enum import Enum
from weakref import WeakSet

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget


class Answer(Enum):
    """What the person wants to happen to unsaved edits."""

    SAVE = "save"
    DISCARD = "discard"
    STAY = "stay"


Ask = Callable[[Sequence[str]], Answer]


def ask_person(parent: QWidget | None) -> Ask:
    """Return a question in a dialog.

    Parameters
    ----------
    parent : QWidget or None
        What the dialog stands over; where it is not to be seen, the active window.
    """

    def ask(titles: Sequence[str]) -> Answer:
        buttons = QMessageBox.StandardButton
        visible = parent is not None and parent.isVisible()
        box = QMessageBox(parent if visible else QApplication.activeWindow())
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Unsaved masks")
        box.setText("These masks have edits that are not saved:\n" + "\n".join(titles))
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        answers = {buttons.Save: Answer.SAVE, buttons.Discard: Answer.DISCARD}
        return answers.get(QMessageBox.StandardButton(box.exec()), Answer.STAY)

    return ask


class CloseGuard(QObject):
    """Holds a window open until its unsaved edits are settled.

    Parameters
    ----------
    window : QWidget
        The main window; its close events pass through here first, and the guard lives as long.
    may_close : callable
        Asks if need be, saves if asked to, and says whether the window may close. What it
        belongs to lives on with the guard, also when its dock is closed.
    """

    def __init__(self, window: QWidget, may_close: Callable[[], bool]) -> None:
        super().__init__(window)
        self._may_close = may_close
        _guards.add(self)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hold back a close event that the person takes back."""
        if event is None or event.type() != QEvent.Type.Close or self._settled(watched):
            return False
        event.ignore()
        return True

    def _settled(self, window: QObject | None) -> bool:
        """Ask; where napari is about to quit, it empties all viewers before their windows close."""
        if not getattr(window, "_quit_app", False):
            return self._may_close()
        settled = all(guard._may_close() for guard in list(_guards))
        if not settled:
            window._quit_app = False  # type: ignore[union-attr]  # else the next close quits
        return settled


_guards: "WeakSet[CloseGuard]" = WeakSet()
