"""Score a mask of the window by everything there is, beside one's work, and go to lesions."""

from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_brats.metrics.case_scores import CaseScores
from napari_brats.metrics.lesions import Lesion
from napari_brats.plugin.tags import IMAGE, MASK, REFERENCE, tag_of
from napari_brats.widgets.background import Task
from napari_brats.widgets.centering import show_place
from napari_brats.widgets.edits import checksum
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.score_panel import PICTURES, Choice, ScorePanel
from napari_brats.widgets.score_work import drawing, scoring
from napari_brats.workflows.tables import (
    LESION_HEADER,
    SCORE_HEADER,
    csv_text,
    lesion_cells,
    markdown_text,
    score_cells,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel

NO_MASK = "Open a patient and a mask of it; both are chosen here."
NO_REFERENCE = "This mask has nothing to be compared with: no reference, no other mask."
STALE = "The voxels have changed since; Score again."


class ScoreControl:
    """What happens behind the Scores dock.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Its labels layers are the masks and references.
    panel : ScorePanel
        The view.
    """

    def __init__(self, viewer: "ViewerModel", panel: ScorePanel) -> None:
        self._viewer = viewer
        self._panel = panel
        self._task: Task | None = None
        self._scored: Choice | None = None
        self._scores: CaseScores | None = None
        self._caption, self._stale = "", False
        self._links: list[tuple[Any, Any]] = []
        self._events = (viewer.layers.events.inserted, viewer.layers.events.removed)
        self._awake = False
        for combo in (panel.masks, panel.references):
            combo.opening.connect(self._list)
        panel.masks.currentIndexChanged.connect(lambda _: self._list_references())
        panel.score_asked.connect(self.score)
        panel.copy_asked.connect(self.copy)
        panel.figure_asked.connect(self.draw)
        panel.lesion_chosen.connect(self.go_to)

    def wake(self) -> None:
        """Follow the viewer's layers, while the dock is seen."""
        if not self._awake:
            self._awake = True
            for event in self._events:
                event.connect(self._on_layers)
            self._on_layers()

    def rest(self) -> None:
        """Leave the viewer's layers alone: a closed dock is hidden, not destroyed."""
        if self._awake:
            self._awake = False
            for event in self._events:
                event.disconnect(self._on_layers)

    def close(self) -> None:
        """Let go of the viewer and of what is computed."""
        self.rest()
        self._forget()
        if self._task is not None:
            self._task.forget()
            self._task = None

    def score(self) -> None:
        """Compute all scores of the chosen mask in the background."""
        choice = self._panel.choice()
        if self._task is not None or choice.mask is None or choice.reference is None:
            return
        self._forget()
        tag = mask_tag(choice.mask)
        voxels = [np.array(layer.data) for layer in (choice.mask, choice.reference)]
        self._follow(choice)
        self._start(
            lambda _: scoring(tag, choice, voxels),
            f"Scoring {choice.mask.name}",
            lambda scores: self._show(choice, scores),
        )

    def draw(self, name: str) -> None:
        """Draw a row of `PICTURES` of the chosen mask in the background, beside the patient."""
        choice = self._panel.choice()
        if self._task is not None or choice.mask is None:
            return
        tag = mask_tag(choice.mask)
        layers = [layer for layer in (choice.mask, choice.reference) if layer is not None]
        voxels = [np.array(layer.data) for layer in layers]
        images = {
            own.title: np.asarray(layer.data)
            for layer in self._viewer.layers
            if (own := tag_of(layer.metadata)) is not None
            and (own.role, own.case_id, own.image) == (IMAGE, tag.case_id, tag.image)
        }
        self._start(
            lambda _: drawing(PICTURES[name], tag, images, voxels), f"Drawing {name}", self._drawn
        )

    def copy(self, table: str, form: str) -> None:
        """Put ``"scores"`` or ``"lesions"`` on the clipboard as ``"csv"`` or ``"markdown"``."""
        clipboard = QApplication.clipboard()
        if self._scored is None or self._scores is None or clipboard is None:
            return
        header, cells = {
            "scores": (SCORE_HEADER, score_cells),
            "lesions": (LESION_HEADER, lesion_cells),
        }[table]
        tag = mask_tag(self._scored.mask)
        rows = cells(tag.case_id, self._scores.rules["task"].split(" ")[0], self._scores)
        clipboard.setText({"csv": csv_text, "markdown": markdown_text}[form](header, rows))
        self._say(f"Copied: {len(rows)} rows of {table}.")

    def go_to(self, lesion: Lesion) -> None:
        """Bring a lesion to the middle of every view."""
        if self._scored is None:
            return
        layer = self._scored.mask
        index = mask_tag(layer).display.display_index(lesion.center)
        show_place(self._viewer, layer.data_to_world(index)[-3:])

    def _start(self, work: Any, title: str, on_result: Any) -> None:
        self._panel.words.setText(f"{title} ...")
        self._task = Task(
            work, title, on_report=lambda _: None, on_result=on_result, on_end=self._ended
        )
        self._show_state()

    def _ended(self) -> None:
        self._task = None
        if self._panel.words.text().endswith(" ..."):  # it failed, and a notification says why
            self._say(self._caption)
        if self._scored is not None and self._scores is None:
            self._panel.show_scores(None)
        self._show_state()

    def _say(self, text: str) -> None:
        """Tell something; that the numbers shown are of other voxels is told with all of it."""
        self._panel.words.setText(f"{text} {STALE}".strip() if self._stale else text)

    def _show(self, choice: Choice, scores: CaseScores) -> None:
        if self._scored is not choice:
            return  # a layer went meanwhile
        self._scores = scores
        self._caption = (
            f"{choice.mask.name} against {choice.reference.name}, {scores.rules['task']}"
        )
        self._panel.show_scores(scores)
        self._say(self._caption)

    def _drawn(self, path: Path) -> None:
        name = escape(path.name)
        self._say(f'Drawn: <a href="{path.as_uri()}">{name}</a>')

    def _follow(self, choice: Choice) -> None:
        self._scored, self._stale = choice, False
        for layer in (choice.mask, choice.reference):
            events, undone = layer.events, partial(self._undone, layer, checksum(layer.data))
            for event in (events.paint, events.labels_update, events.data):
                self._link(event, self._on_voxels)
            self._link(events.set_data, undone)

    def _link(self, event: Any, slot: Any) -> None:
        event.connect(slot)
        self._links.append((event, slot))

    def _forget(self) -> None:
        for event, slot in self._links:
            event.disconnect(slot)
        self._links.clear()
        self._scored = self._scores = None
        self._caption, self._stale = "", False

    def _on_voxels(self, _: Any = None) -> None:
        if not self._stale:
            self._stale = True
            self._say(self._caption)

    def _undone(self, layer: Any, scored: int, _: Any) -> None:
        """Look whether voxels changed: undo and redo tell no more than another slice does."""
        if not self._stale and checksum(layer.data) != scored:
            self._on_voxels()

    def _on_layers(self, _: Any = None) -> None:
        scored = () if self._scored is None else (self._scored.mask, self._scored.reference)
        if any(layer not in self._viewer.layers for layer in scored):
            self._forget()
            self._panel.show_scores(None)
            self._say("")
        self._list()

    def _list(self) -> None:
        masks = [layer for layer in self._viewer.layers if _role(layer) == MASK]
        chosen = self._panel.masks.currentData()
        if not any(layer is chosen for layer in masks):
            active = self._viewer.layers.selection.active
            chosen = active if any(layer is active for layer in masks) else (masks or [None])[-1]
        self._panel.show_layers(self._panel.masks, masks, chosen)
        self._list_references()

    def _list_references(self) -> None:
        mask = self._panel.masks.currentData()
        found = [layer for layer in self._viewer.layers if _comparable(layer, mask)]
        found.sort(key=lambda layer: _role(layer) != REFERENCE)
        chosen = self._panel.references.currentData()
        if not any(layer is chosen for layer in found):
            chosen = next(iter(found), None)
        self._panel.show_layers(self._panel.references, found, chosen)
        self._show_state()

    def _show_state(self) -> None:
        choice, idle = self._panel.choice(), self._task is None
        self._panel.score.setEnabled(idle and choice.reference is not None)
        self._panel.figure.setEnabled(idle and choice.mask is not None)
        if choice.mask is None:
            self._panel.words.setText(NO_MASK)
        elif choice.reference is None:
            self._panel.words.setText(NO_REFERENCE)
        elif self._panel.words.text() in (NO_MASK, NO_REFERENCE):
            self._say(self._caption)


def _role(layer: Any) -> str:
    tag = tag_of(layer.metadata)
    return "" if tag is None else tag.role


def _comparable(layer: Any, mask: Any) -> bool:
    """Return whether a layer is another mask or reference of a mask's patient, on its grid."""
    if mask is None or layer is mask or _role(layer) not in (MASK, REFERENCE):
        return False
    one, other = mask_tag(layer), mask_tag(mask)
    return (
        one.sources == other.sources
        and one.display.directions == other.display.directions
        and layer.data.shape == mask.data.shape
    )
