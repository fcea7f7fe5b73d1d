"""A modality's intensities, those of a sample, and the window between two handles."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget
from superqt import QDoubleRangeSlider

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

BINS = 80
SAMPLE_PERCENTILES = (5.0, 95.0)
RANGE_PERCENTILES = (0.1, 99.9)
"""Of the brain: few voxels lie outside, and a vessel does not squeeze all others."""
_HEIGHT = 44
_SAMPLE = QColor("#e69f00")


def window_of(sample: NDArray[Any]) -> tuple[float, float]:
    """Return the intensities between which nine tenths of a sample lie."""
    low, high = (float(value) for value in np.percentile(sample, SAMPLE_PERCENTILES))
    return low, high


class Bars(QWidget):
    """Counts as bars, roots of them so that small tumors are seen beside the brain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self.all: NDArray[np.float64] = np.zeros(BINS)
        self.sample: NDArray[np.float64] = np.zeros(BINS)
        self.inside = (0.0, 1.0)

    def paintEvent(self, event: "QPaintEvent | None") -> None:
        """Draw the window, the brain in the text's color and the sample over it."""
        painter = QPainter(self)
        ink = self.palette().color(self.foregroundRole())
        low, high = (share * self.width() for share in self.inside)
        ink.setAlpha(40)
        painter.fillRect(QRectF(low, 0, high - low, _HEIGHT), ink)
        ink.setAlpha(150)
        for counts, color in ((self.all, ink), (self.sample, _SAMPLE)):
            tallest = float(counts.max())
            if tallest == 0:
                continue
            width = self.width() / BINS
            for place, height in enumerate(np.sqrt(counts / tallest) * _HEIGHT):
                bar = QRectF(place * width, _HEIGHT - float(height), width, float(height))
                painter.fillRect(bar, color)


class Histogram(QWidget):
    """A window of intensity to look at and to set; its ends are open where they touch.

    Attributes
    ----------
    moved : Signal(float, float)
        The person moved a handle: low and high, infinite where open.
    """

    moved = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = Bars(self)
        self.slider: Any = QDoubleRangeSlider(  # type: ignore[no-untyped-call]
            Qt.Orientation.Horizontal, self
        )
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setAccessibleName("Window of intensity")
        self.slider.setToolTip("Only these intensities are painted; an end at its stop is open")
        self.words = QLabel(self)
        self.words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part in (self.bars, self.slider, self.words):
            layout.addWidget(part)
        self._range = self._shown = (0.0, 1.0)
        self._ends = (-np.inf, np.inf)
        self.slider.valueChanged.connect(self._slid)

    def show_image(self, image: NDArray[Any]) -> None:
        """Show the intensities of a modality; its background of 0 is left out."""
        values = image[(image != 0) & np.isfinite(image)]
        low, high = np.percentile(values, RANGE_PERCENTILES).tolist() if values.size else (0, 1)
        self._range = low, high if high > low else low + 1
        self.bars.all = self._counts(values)
        self.show_sample(np.empty(0))
        self.slider.blockSignals(True)
        self.slider.setRange(*self._range)
        self.slider.blockSignals(False)

    def show_sample(self, values: NDArray[Any]) -> None:
        """Show the intensities of a sample."""
        self.bars.sample = self._counts(values)
        self.bars.update()

    def show_window(self, low: float, high: float, words: str) -> None:
        """Show a window, infinite where it is open."""
        start, stop = self._range
        self._ends = low, high
        self.slider.blockSignals(True)
        self.slider.setValue(tuple(float(np.clip(end, start, stop)) for end in self._ends))
        self.slider.blockSignals(False)
        self._shown = ends = self.slider.value()
        self.bars.inside = (ends[0] - start) / (stop - start), (ends[1] - start) / (stop - start)
        self.bars.update()
        self.words.setText(words)

    def _counts(self, values: NDArray[Any]) -> NDArray[np.float64]:
        return np.histogram(values, BINS, self._range)[0].astype(np.float64)

    def _slid(self, ends: tuple[float, float]) -> None:
        """Tell where the handles are; one that was not moved stays what it stood for."""
        start, stop = self._range
        low, high = (
            known if now == before else now
            for now, before, known in zip(ends, self._shown, self._ends, strict=True)
        )
        self.moved.emit(low if low > start else -np.inf, high if high != stop else np.inf)
