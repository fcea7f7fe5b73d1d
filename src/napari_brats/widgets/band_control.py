"""Windows of intensity: which modalities there are, and windows set from a sample."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.plugin.layers import IMAGE_TITLES
from napari_brats.plugin.tags import IMAGE, tag_of
from napari_brats.widgets.histogram import window_of
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.paint_panel import PaintPanel
from napari_brats.widgets.painter import Band, Painter
from napari_brats.widgets.sample import Sample
from napari_brats.widgets.strokes import Place

if TYPE_CHECKING:
    from napari.components import ViewerModel


class BandControl:
    """Ties the panel's windows to the painter's bands and the images of the patient.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Holds the images.
    panel : PaintPanel
        The view.
    painter : Painter
        Gets the bands.
    """

    def __init__(self, viewer: "ViewerModel", panel: PaintPanel, painter: Painter) -> None:
        self._viewer, self._panel, self._painter = viewer, panel, painter
        self._mask: Any = None
        self._sources: Any = None
        self._sample: Sample | None = None
        viewer.layers.events.inserted.connect(self._list)
        viewer.layers.events.removed.connect(self._list)
        panel.band_chosen.connect(self._choose_band)
        panel.band_moved.connect(self._move)
        panel.sample_toggled.connect(self._begin_sample)

    def close(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._list)
        self._viewer.layers.events.removed.disconnect(self._list)

    def choose(self, mask: Any) -> None:
        """Offer the images of a mask's patient; another patient's windows go."""
        self._end_sample()
        self._mask = mask
        if mask is None:
            return
        sources = mask_tag(mask).sources
        if sources != self._sources:
            self._sources = sources
            self._painter.set_bands(())
        self._list()

    @property
    def sampling(self) -> bool:
        """Whether the next stroke is a sample and paints nothing."""
        return self._sample is not None

    def add(self, place: Place, touched: NDArray[np.bool_]) -> None:
        """Take what a dab touches into the sample, and show it."""
        if self._sample is None:
            return
        self._sample.add(place, touched)
        for number, values in enumerate(self._sample.values(self._painter.bands)):
            self._panel.histograms[number].show_sample(values)

    def on_drag(self, layer: Any, event: Any) -> Generator[None, None, None]:
        """End the sample with the stroke; one of a mask's mouse callbacks."""
        yield
        while event.type == "mouse_move":
            yield
        if self._sample is not None and self._sample.size:
            self._end_sample()

    def _images(self) -> dict[str, Any]:
        """Return the image layers on the chosen mask's grid by modality."""
        found = {}
        for layer in self._viewer.layers:
            tag = tag_of(layer.metadata)
            ours = tag is not None and tag.role == IMAGE and tag.sources == self._sources
            if tag is not None and ours and layer.data.shape == self._mask.data.shape:
                found[tag.title] = layer
        return {title: found[title] for title in IMAGE_TITLES.values() if title in found}

    def _list(self, event: Any = None) -> None:
        if self._mask is None:
            return
        images = list(self._images().values())
        bands = tuple(band for band in self._painter.bands if band.layer in images)
        self._set(bands)

    def _choose_band(self, number: int, title: str) -> None:
        bands = list(self._painter.bands)
        layer = self._images().get(title)
        bands[number : number + 1] = [] if layer is None else [Band(layer, title)]
        self._set(tuple(bands))

    def _move(self, number: int, low: float, high: float) -> None:
        bands = list(self._painter.bands)
        bands[number] = Band(bands[number].layer, bands[number].title, low, high)
        self._painter.set_bands(tuple(bands))

    def _set(self, bands: tuple[Band, ...]) -> None:
        before = self._painter.bands
        for number, band in enumerate(bands):
            if number >= len(before) or before[number].layer is not band.layer:
                self._panel.histograms[number].show_image(np.asarray(band.layer.data))
        self._panel.show_modalities(list(self._images()), [band.title for band in bands])
        self._painter.set_bands(bands)

    def _begin_sample(self, on: bool) -> None:
        self._sample = Sample(self._mask.data.shape) if on and self._mask is not None else None

    def _end_sample(self) -> None:
        """Set each window to nine tenths of the sample."""
        sample, self._sample = self._sample, None
        self._panel.sample.setChecked(False)
        if sample is None or not sample.size:
            return
        values = sample.values(self._painter.bands)
        bands = zip(self._painter.bands, values, strict=True)
        self._painter.set_bands(
            tuple(Band(band.layer, band.title, *window_of(found)) for band, found in bands)
        )
