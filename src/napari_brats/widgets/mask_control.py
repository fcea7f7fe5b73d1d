"""Choose, score, compare and save masks, and guard their unsaved edits."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import QFileDialog

from napari_brats.plugin.host import on_written
from napari_brats.plugin.tags import REFERENCE, LayerTag, tag_of
from napari_brats.widgets.background import Task, notify_error
from napari_brats.widgets.close_guard import Answer, Ask
from napari_brats.widgets.comparison import Comparison
from napari_brats.widgets.journals import Journals
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.mask_panel import UNSAVED, MaskPanel
from napari_brats.widgets.origins import origin_of
from napari_brats.widgets.saving import Saving, default_path, keep_untouched
from napari_brats.widgets.scoring import ScoreBoard

if TYPE_CHECKING:
    from napari.components import ViewerModel

Then = Callable[[Path], None]
TAKEN_OVER = (
    "{before!r} was changed by somebody else since it was read or saved here, and stays as it is; "
    "this mask was saved as {path!r}."
)


class MaskControl:
    """What happens to the masks in a viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Its labels layers are the masks.
    panel : MaskPanel
        The view.
    ask : callable
        Asks the person what to do with unsaved edits.
    defer : callable
        Runs a function soon, after the event at hand.

    Attributes
    ----------
    on_saved : list of callable
        Get a mask's tag, with the file it was saved in.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        panel: MaskPanel,
        ask: Ask,
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        self._viewer = viewer
        self._panel = panel
        self._ask = ask
        self._defer = defer
        self._saving: Task | None = None
        self._finish: Callable[[], None] = _nothing
        self._due: deque[tuple[Any, Path | None, Then | None]] = deque()
        self._comparison = Comparison()
        self.on_saved: list[Callable[[LayerTag], None]] = []
        self.book = MaskBook(viewer, defer)
        self.journals = Journals(self.book)
        self._board = ScoreBoard(self.book, panel.show_scores, panel)
        self.book.on_change.append(self._list)
        self.book.on_unseen.append(self._show_alone)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.selection.events.active.connect(self._on_active)
        panel.mask_chosen.connect(self._choose)
        panel.masks.activated.connect(lambda _: self._show_alone(panel.mask()))
        panel.save_asked.connect(lambda: self.save())
        panel.save_as_asked.connect(self._save_as)
        panel.compare_toggled.connect(self._compare)
        on_written.append(self._written_by_napari)
        self._list()
        self._choose(panel.mask())

    def close(self) -> None:
        """Save what is still to be saved, and let go of the viewer."""
        if self._written_by_napari in on_written:
            on_written.remove(self._written_by_napari)
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        if self._due:
            self._finish_saves()
        elif self._saving is not None:
            self._saving.finish_unheard()
            self._saving = None
        self._comparison.stop()
        self._board.close()
        self.journals.close()
        self.book.close()

    def chosen(self) -> Any:
        """Return the mask that is scored and saved, or None."""
        return self._panel.mask()

    def may_close(self) -> bool:
        """Ask about unsaved edits, save them if asked to, and say whether to go on.

        What is being saved is waited for: nobody is asked about it, and its older copy cannot
        come to lie over what is saved now.
        """
        self._finish_saves()
        unsaved = self.book.unsaved()
        if not unsaved:
            return True
        answer = self._ask([layer.name for layer in unsaved])
        if answer is Answer.DISCARD:
            self.journals.give_up()
        if answer is not Answer.SAVE:
            return answer is Answer.DISCARD
        # One mask that cannot be saved must not keep the others from being saved.
        failed = [layer for layer in unsaved if not self._save_now(layer)]
        return not failed

    def save(self, path: Path | None = None, then: Then | None = None) -> None:
        """Save the chosen mask in the background; strokes may go on meanwhile.

        Parameters
        ----------
        path : Path, optional
            File to write; by default the mask's own, or a new one beside its patient.
        then : callable, optional
            Takes the file's path once it is written.
        """
        layer = self._panel.mask()
        if layer is None:
            return
        if self._saving is None:
            self._start_saving(layer, path, then)
        else:
            self._due.append((layer, path, then))

    def _start_saving(self, layer: Any, path: Path | None, then: Then | None) -> None:
        def done(saved: Path) -> None:
            self._finish = _nothing
            self._saved(layer, saved, snapshot, path)
            if then is not None:
                then(saved)

        tag, snapshot = mask_tag(layer), np.array(layer.data)
        job = Saving(tag, snapshot, path, origin_of(layer))
        self._finish = lambda: done(job.finish())
        self._saving = Task(
            lambda stop: job.work(),
            f"Saving {(path or default_path(tag)).name}",
            on_report=_ignore,
            on_result=done,
            on_end=self._saving_ended,
        )

    def _save_as(self) -> None:
        layer = self._panel.mask()
        if layer is None:
            return
        start = str(default_path(mask_tag(layer)))
        chosen, _ = QFileDialog.getSaveFileName(
            self._panel, "Save mask", start, "Masks (*.nii.gz *.nii *.mha)"
        )
        if chosen:
            self.save(Path(chosen))

    def _finish_saves(self) -> None:
        """Bring to its end, here and now, all that was asked to be saved, in that order."""
        task, self._saving = self._saving, None
        if task is not None:
            task.finish_unheard()
            self._try(self._finish)
        while self._due:
            self._save_now(*self._due.popleft())

    def _save_now(self, layer: Any, path: Path | None = None, then: Then | None = None) -> bool:
        def save() -> None:
            written = Saving(mask_tag(layer), layer.data, path, origin_of(layer)).finish()
            self._saved(layer, written, layer.data, path)
            if then is not None:
                then(written)

        return self._try(save)

    def _try(self, save: Callable[[], None]) -> bool:
        """Save, and return whether it succeeded."""
        try:
            save()
        except Exception as error:  # whatever went wrong, the window must stay open
            notify_error(error)
            return False
        return True

    def _saved(
        self, layer: Any, path: Path, voxels: NDArray[Any], asked: Path | None = None
    ) -> None:
        """Note that a mask was saved, and tell; ``asked`` is the file that was asked for."""
        from napari.utils.notifications import show_info, show_warning

        before = mask_tag(layer)
        if before.path is not None and asked is None and path != before.path:
            show_warning(TAKEN_OVER.format(before=before.path.name, path=path.name))
        if layer in self.book.masks():
            self.book.saved(layer, path, voxels)
        show_info(f"Saved {path}")
        for listener in self.on_saved:
            listener(replace(before, path=path))

    def _written_by_napari(self, path: Path, voxels: NDArray[Any]) -> None:
        """Take File > Save for what it is: the mask lies in that file from now on."""
        for layer in self.book.masks():
            if layer.data is voxels:
                keep_untouched(mask_tag(layer), voxels, origin_of(layer), path)
                self._saved(layer, path, voxels, path)

    def _saving_ended(self) -> None:
        self._saving, self._finish = None, _nothing
        if self._due:
            self._start_saving(*self._due.popleft())

    def _list(self) -> None:
        masks = self.book.masks()
        titles = [(UNSAVED if self.book.edits(layer).dirty else "") + layer.name for layer in masks]
        chosen = self._panel.mask()
        self._panel.show_masks(list(zip(masks, titles, strict=True)), chosen)

    def _choose(self, layer: Any) -> None:
        self._panel.compare.setChecked(False)
        self._board.choose(None)
        if layer is not None:
            # Counting takes 40 ms: not in the turn in which napari adds the layer.
            self._defer(lambda: self._score(layer))
        reference = None if layer is None else self.book.reference_of(layer)
        self._panel.show_comparable(reference is not None)
        if layer is not None and self._viewer.layers.selection.active is not layer:
            self._viewer.layers.selection.active = layer

    def _score(self, layer: Any) -> None:
        if layer in self.book.masks() and layer is self._panel.mask():
            self._board.choose(layer)

    def _compare(self, on: bool) -> None:
        layer = self._panel.mask()
        reference = None if layer is None else self.book.reference_of(layer)
        if on and reference is not None:
            self._comparison.start(layer, reference)
        else:
            self._comparison.stop()

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        if layer in self.book.masks():
            self._panel.compare.setChecked(False)
            # napari is busy enough in the turn in which it adds a layer.
            self._defer(lambda: self._show_alone(layer))
            self._panel.choose(layer)
        elif _is_reference(layer) and self._panel.mask() is not None:
            self._choose(self._panel.mask())

    def _on_removed(self, event: Any) -> None:
        mask = self._panel.mask()
        if _is_reference(event.value) and mask in self.book.masks():
            self._choose(mask)

    def _on_active(self, event: Any) -> None:
        if event.value in self.book.masks():
            self._panel.choose(event.value)

    def _show_alone(self, mask: Any) -> None:
        """Hide other masks and references: two fills over each other cannot be told apart."""
        masks = self.book.masks()
        if mask not in masks:
            return
        for layer in (*masks, self.book.reference_of(mask)):
            # napari cuts and draws a layer anew (30 ms) even if it is told what it is already.
            if layer is not None and layer.visible != (layer is mask):
                layer.visible = layer is mask


def _is_reference(layer: Any) -> bool:
    tag = tag_of(layer.metadata)
    return tag is not None and tag.role == REFERENCE


def _ignore(_: object) -> None:
    """Take a report that says nothing."""


def _nothing() -> None:
    """Finish no save: none goes on."""
