"""Small pictures of masks, read when they are looked at, and not in the window's thread."""

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QImage, QPixmap

SIZE = 36
_KEPT = 1000
_WAITING = 64
"""Rows that were scrolled past long ago need no picture any more."""


class Thumbnails(QObject):
    """Pictures by patient.

    Attributes
    ----------
    ready : Signal(str)
        The picture of this patient has come.
    """

    ready = Signal(str)
    _read = Signal(str, str, QImage)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = Path()
        self._pictures: OrderedDict[tuple[str, str], QPixmap | None] = OrderedDict()
        self._asked: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self._busy = False
        self._read.connect(self._keep)

    def look_in(self, root: Path) -> None:
        """Forget all pictures; those to come lie below this folder."""
        self._root = root
        self._pictures.clear()
        self._asked.clear()

    def get(self, patient: str, figure: str) -> QPixmap | None:
        """Return a patient's picture, or None for now: `ready` tells when it has come."""
        key = patient, figure
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        self._asked[key] = None
        self._asked.move_to_end(key)
        while len(self._asked) > _WAITING:
            self._asked.popitem(last=False)
        self._next()
        return None

    def close(self) -> None:
        """Read no more."""
        self._asked.clear()
        self._pool.shutdown(cancel_futures=True)

    def _next(self) -> None:
        """Read what was asked for last: that is what the person looks at."""
        if self._busy or not self._asked:
            return
        (patient, figure), _ = self._asked.popitem()
        self._busy = True
        self._pool.submit(self._work, patient, figure, self._root / figure)

    def _work(self, patient: str, figure: str, path: Path) -> None:
        """Read a picture and make it small; one that cannot be read is empty."""
        image = QImage(str(path))
        if not image.isNull():
            image = image.scaled(
                SIZE,
                SIZE,
                Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation,
            ).copy(0, 0, SIZE, SIZE)
        with suppress(RuntimeError):  # the window was closed meanwhile
            self._read.emit(patient, figure, image)

    def _keep(self, patient: str, figure: str, image: QImage) -> None:
        self._busy = False
        self._pictures[patient, figure] = None if image.isNull() else QPixmap.fromImage(image)
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        self.ready.emit(patient)
        self._next()
