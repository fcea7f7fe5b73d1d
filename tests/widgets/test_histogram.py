"""The window of intensity: what is shown, and what a handle means."""

import numpy as np
import pytest

from napari_brats.widgets.histogram import BINS, Histogram, window_of


@pytest.fixture
def histogram(qtbot):
    widget = Histogram()
    qtbot.addWidget(widget)
    return widget


def test_an_empty_image(histogram):
    """No brain, no bars, no error; a constant one neither."""
    histogram.show_image(np.zeros((2, 2, 2), np.float32))
    assert histogram.bars.all.sum() == 0
    histogram.show_image(np.full((2, 2, 2), 7.0))
    assert histogram.bars.all.sum() == 8
    histogram.show_window(-np.inf, np.inf, "any")
    assert histogram.grab().width() > 0


def test_bars_and_sample(histogram):
    """The background of 0 is not counted; a sample has its own bars."""
    image = np.concatenate([np.zeros(50), np.linspace(1, 100, BINS)])
    histogram.show_image(image)
    assert histogram.bars.all.sum() >= BINS - 2
    histogram.show_sample(np.array([50.0, 50.1]))
    assert histogram.bars.sample.max() == 2


def test_handles(histogram):
    """A handle at its stop is open; one that is not moved keeps an end beyond the scale."""
    histogram.show_image(np.linspace(1, 101, 1000))
    told = []
    histogram.moved.connect(lambda low, high: told.append((low, high)))
    start, stop = histogram.slider.minimum(), histogram.slider.maximum()
    histogram.show_window(-np.inf, 500.0, "up to 500")
    histogram.slider.setValue((30.0, stop))
    assert told[-1] == (30.0, 500.0)
    histogram.show_window(30.0, np.inf, "from 30")
    histogram.slider.setValue((30.0, 60.0))
    assert told[-1] == (30.0, 60.0)
    histogram.show_window(30.0, 60.0, "30 to 60")
    histogram.slider.setValue((start, 60.0))
    assert told[-1] == (-np.inf, 60.0)


def test_nine_tenths_of_a_sample():
    """By hand: the 5th and 95th of 0 to 100."""
    assert window_of(np.arange(101.0)) == (5.0, 95.0)
