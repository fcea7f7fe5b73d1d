"""When a patient is open: bring back what a crash left unsaved, and notice a second window."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_brats.editing.claim import Claim, Holder
from napari_brats.editing.codes import as_codes
from napari_brats.editing.owner import HEARTBEAT_S
from napari_brats.editing.unsaved import Unsaved, find_unsaved, require_untouched
from napari_brats.errors import JournalError
from napari_brats.plugin.layers import tagged_mask
from napari_brats.plugin.tags import LayerTag
from napari_brats.widgets.background import notify_error
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.edits import checksum
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.recovery_panel import Confirm, RecoveryPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel


class Recovery:
    """Looks for unsaved edits of the patient at hand, offers them, and does what is asked.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where masks are shown.
    desk : Desk
        Holds the patient at hand.
    masks : MaskControl
        Its masks and their journals.
    panel : RecoveryPanel
        The view.
    confirm : callable
        Asks a yes-or-no question.
    defer : callable
        Runs a function soon, after the event at hand.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        desk: Desk,
        masks: MaskControl,
        panel: RecoveryPanel,
        confirm: Confirm,
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        self._viewer = viewer
        self._desk = desk
        self._book, self._journals = masks.book, masks.journals
        self._panel = panel
        self._confirm = confirm
        self._defer = defer
        self._offers: list[Unsaved] = []
        self._sources: tuple[Path, ...] = ()
        self._claim: Claim | None = None
        self._looking = self._again = self._closed = False
        self._lookout = _Lookout()
        self._lookout.ended.connect(self._looked, Qt.ConnectionType.QueuedConnection)
        viewer.layers.events.inserted.connect(self._on_layers)
        viewer.layers.events.removed.connect(self._on_layers)
        panel.recover_asked.connect(self.recover)
        panel.discard_asked.connect(self.discard)
        self._timer = QTimer(panel)
        self._timer.timeout.connect(self.look)
        self._timer.start(int(HEARTBEAT_S * 1000))
        defer(self.look)

    @property
    def idle(self) -> bool:
        """Whether nothing is being looked for."""
        return not self._looking

    def close(self) -> None:
        """Let go of the viewer and of the patient."""
        self._closed = True
        self._viewer.layers.events.inserted.disconnect(self._on_layers)
        self._viewer.layers.events.removed.disconnect(self._on_layers)
        with contextlib.suppress(RuntimeError):  # Qt may have deleted it with its panel
            self._timer.stop()
        self._lookout.ended.disconnect(self._looked)
        self._release()

    def look(self) -> None:
        """Look, in the background, for unsaved edits and other windows."""
        if self._closed:  # a look that was put off until the window was gone
            return
        if self._looking:
            self._again = True
            return
        tag = None if self._desk.expecting else self._desk.tag()
        if tag is None or tag.sources != self._sources:
            self._release()
            self._show([])
            self._panel.show_notice("")
        if tag is None:
            return
        if self._claim is None:
            self._sources = tag.sources
            self._claim = Claim.of_case(tag.case_id, tag.sources[0])
        self._looking = True
        self._lookout.start(tag, self._claim)

    def recover(self) -> None:
        """Show the edits on offer: on the mask they belong to, else as a mask of their own."""
        tag = self._desk.tag()
        if not self._offers or tag is None:
            return
        found = self._offers[0]
        try:
            _require_fitting(found, tag)
        except JournalError as error:
            notify_error(error)
            return
        if not self._untouched(found):
            return
        layer = self._owner_of(found)
        if layer is None:
            layer = build_layer(_new_mask(found, tag))
            self._book.expect_unsaved(layer)
            self._journals.expect(layer, found.path)
            self._viewer.add_layer(layer)
        else:
            self._journals.recover(layer, found.path, found.replay)
            self._viewer.layers.selection.active = layer
        self._show(self._offers[1:])

    def discard(self) -> None:
        """Delete the edits on offer, if the person really means it."""
        if not self._offers:
            return
        found = self._offers[0]
        question = f"Delete these edits for good?\n{_words(found)}"
        if self._confirm(question) and self._untouched(found):
            with contextlib.suppress(OSError):
                found.path.unlink(missing_ok=True)
            self._show([offer for offer in self._offers if offer is not found])

    def _untouched(self, found: Unsaved) -> bool:
        """Return whether an offer still stands; another window may have been faster."""
        try:
            require_untouched(found)
        except JournalError as error:
            notify_error(error)
            self.look()
            return False
        return True

    def _on_layers(self, event: Any) -> None:
        self._defer(self.look)

    def _looked(self, sight: "_Sight") -> None:
        self._looking = False
        if sight.error is not None:
            notify_error(sight.error)
        if self._again:
            self._again = False
            self.look()
        elif sight.sources == self._sources:
            self._tell(sight.holder, sight.found)

    def _tell(self, holder: Holder | None, found: Sequence[Unsaved]) -> None:
        self._panel.show_notice(_notice(holder))
        news = []
        for unsaved in found:
            if self._is_saved(unsaved):
                with contextlib.suppress(OSError):
                    unsaved.path.unlink(missing_ok=True)
            elif unsaved.path not in self._journals.paths() and unsaved.path.exists():
                news.append(unsaved)
        self._show(news)

    def _is_saved(self, found: Unsaved) -> bool:
        """Return whether a mask was saved just so: the crash came right after."""
        saved = checksum(found.replay.voxels)
        return any(
            self._book.edits(layer).saved == saved
            and mask_tag(layer).path is not None
            and mask_tag(layer).display.directions == found.replay.subject.directions
            for layer in self._book.masks()
        )

    def _owner_of(self, found: Unsaved) -> Any:
        """Return the untouched mask whose edits these are, or None."""
        subject = found.replay.subject
        for layer in self._book.masks():
            path = mask_tag(layer).path
            same_file = path is not None and path.name == Path(subject.mask).name
            if same_file and found.replay.belongs_to(subject, as_codes(layer.data)):
                return layer
        return None

    def _show(self, offers: list[Unsaved]) -> None:
        self._offers = offers
        words = _words(offers[0]) if offers else ""
        if len(offers) > 1:
            words += f" ({len(offers) - 1} more to come.)"
        self._panel.show_offer(words)

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()
        self._claim, self._sources = None, ()


@dataclass(frozen=True)
class _Sight:
    """What was seen of a patient: who else has it open, and unsaved edits."""

    sources: tuple[Path, ...]
    holder: Holder | None = None
    found: tuple[Unsaved, ...] = ()
    error: Exception | None = None


class _Lookout(QObject):
    """Looks in a thread of its own; napari's workers would be listed in the window each time."""

    ended = Signal(object)

    def start(self, tag: LayerTag, claim: Claim) -> None:
        """Look once; `ended` gets a `_Sight`."""
        Thread(target=self._work, args=(tag, claim), name="napari-brats", daemon=True).start()

    def _work(self, tag: LayerTag, claim: Claim) -> None:
        try:
            found = find_unsaved(tag.case_id, tag.sources[0])
            sight = _Sight(tag.sources, claim.renew(), tuple(found))
        except Exception as error:  # a bug here must be seen, and later looks still happen
            sight = _Sight(tag.sources, error=error)
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self.ended.emit(sight)


def _require_fitting(found: Unsaved, tag: LayerTag) -> None:
    """Raise a `JournalError` if the edits lie on another grid than the patient at hand."""
    subject = found.replay.subject
    same_grid = np.allclose(subject.affine, tag.display.affine.ravel(), atol=1e-3)
    if subject.directions != tag.display.directions:
        raise JournalError(
            "these edits were made in the other view; choose it under Preferences > Plugins > "
            "BraTS, open the patient again, and recover them then"
        )
    if not same_grid or found.replay.voxels.shape != tag.display.display_shape:
        raise JournalError(
            f"these edits lie on another grid than {tag.case_id!r} has now; "
            "open the patient's files as they were when the edits were made"
        )


def _new_mask(found: Unsaved, tag: LayerTag) -> Any:
    tissues = tag.display.to_file(found.replay.voxels)
    title = f"{found.replay.subject.title} recovered"
    return tagged_mask(replace(tag, path=None), tissues, title)


def _words(found: Unsaved) -> str:
    subject = found.replay.subject
    mask = Path(subject.mask).name if subject.mask else subject.title
    return (
        f"Edits of the mask {mask!r} were not saved; the last one was made on "
        f"{_moment(found.replay.changed_at)}."
    )


def _notice(holder: Holder | None) -> str:
    if holder is None:
        return ""
    return (
        f"This patient is open in another window (process {holder.owner.process} on "
        f"{holder.owner.host}, since {_moment(holder.since)}). "
        "Correct it in one of them only; a mask that is saved in both comes to lie in two files."
    )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%d %B %Y, %H:%M}"
