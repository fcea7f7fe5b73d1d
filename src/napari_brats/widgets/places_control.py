"""Go from place to place where masks differ, and settle each: one undo step, one decision."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.editing.codes import as_codes
from napari_brats.editing.decisions import Decision, Verdict
from napari_brats.editing.disagreements import Place
from napari_brats.editing.limits import Limits
from napari_brats.widgets.centering import show_place
from napari_brats.widgets.doubt import KEY, Doubt, read_doubt
from napari_brats.widgets.latest import Latest
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.places_panel import NEXT_KEY, PREVIOUS_KEY, PlacesPanel
from napari_brats.widgets.places_take import take
from napari_brats.widgets.places_work import (
    DOUBT,
    FROM_FILE,
    Line,
    Source,
    count_text,
    decided,
    finding,
    lines_of,
    mask_name,
    row_of,
    sources_of,
)
from napari_brats.widgets.review_file import ReviewFile
from napari_brats.widgets.tool_work import CHANGED_MEANWHILE

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_brats.widgets.edits import LayerEdits

_KEYS = {NEXT_KEY: 1, PREVIOUS_KEY.replace("+", "-"): -1}


class PlacesControl:
    """Keeps the list of places up to date with the mask, and does what is decided.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Its views are centered.
    book : MaskBook
        Knows the masks.
    panel : PlacesPanel
        The view.
    reviews : ReviewFile
        Keeps the decisions.
    limits : callable
        Returns what may change.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        book: MaskBook,
        panel: PlacesPanel,
        reviews: ReviewFile,
        limits: Callable[[], Limits],
    ) -> None:
        self._viewer, self._book, self._panel = viewer, book, panel
        self._reviews, self._limits = reviews, limits
        self._mask: Any = None
        self._sources: list[Source] = []
        self._places: list[Place] = []
        self._lines: list[Line] = []
        self._here = -1
        self._seen, self._title = 0, ""
        self._latest = Latest(self._found, parent=panel)
        self._connect()
        panel.setVisible(False)

    @property
    def idle(self) -> bool:
        """Whether the list is up to date."""
        return self._latest.idle

    def close(self) -> None:
        """Let go of the mask."""
        self._latest.forget()
        self._let_go()

    def choose(self, mask: Any) -> None:
        """Compare another mask, or none."""
        self._let_go()
        self._mask, self._here = mask, -1
        self._panel.setVisible(mask is not None)
        if mask is not None:
            edits = self._book.edits(mask)
            edits.on_paint.append(self._on_paint)
            edits.on_replace.append(self.look)
            for key, step in _KEYS.items():
                mask.bind_key(key, lambda _, step=step: self.step(step))
        self._list_sources()
        self.look()

    def look(self) -> None:
        """Find the places anew, once the strokes pause."""
        source = self._source()
        if self._mask is None or source is None or not self._panel.head.isChecked():
            self._latest.forget()
            return
        self._latest.ask(partial(self._prepare, self._mask, source))

    def step(self, by: int) -> None:
        """Go to the next place that is not decided, or to the one before; around at the end."""
        if not self._panel.head.isChecked():
            self._panel.head.setChecked(True)
            return
        count = len(self._lines)
        start = self._here if self._here >= 0 else (-1 if by > 0 else count)
        for ahead in range(1, count + 1):
            row = (start + by * ahead) % count
            if self._lines[row].open:
                self.go(row)
                return

    def go(self, row: int) -> None:
        """Show one place in the middle of all views."""
        self._here = row
        self._panel.mark_row(row)
        self._show_state()
        if 0 <= row < len(self._lines) and self._mask is not None:
            index = mask_tag(self._mask).display.display_index(self._lines[row].voxel)
            show_place(self._viewer, self._mask.data_to_world(index))

    def answer(self, verdict: str) -> None:
        """Settle the place at hand, and go on to the next unless it is to be edited."""
        source, place = self._source(), self._place()
        if source is None or place is None or self._mask is None:
            return
        words = ""
        if verdict == Verdict.TAKE_B:
            words = self._take_b(source, place)
            if words:
                self._panel.say(words)
                self.look()
                return
        self._reviews.decide(self._decision(source, place, Verdict(verdict)))
        here = self._here
        self._show(self._lines[here].place)
        if verdict == Verdict.EDIT:
            self._viewer.layers.selection.active = self._mask
            self._mask.mode = "paint"
        else:
            self._here = here
            self.step(1)

    def _connect(self) -> None:
        panel = self._panel
        panel.opened.connect(self._on_opened)
        panel.listing.connect(self._list_sources)
        panel.changed.connect(self._on_choice)
        panel.row_chosen.connect(self.go)
        panel.step_asked.connect(self.step)
        panel.verdict_asked.connect(self.answer)
        self._reviews.changed.connect(self._on_review)

    def _let_go(self) -> None:
        if self._mask in self._book.masks():
            edits: LayerEdits = self._book.edits(self._mask)
            if self._on_paint in edits.on_paint:
                edits.on_paint.remove(self._on_paint)
                edits.on_replace.remove(self.look)
        if self._mask is not None:
            for key in _KEYS:
                self._mask.bind_key(key, None)
        self._places, self._lines, self._mask = [], [], None

    def _on_paint(self, atoms: Any) -> None:
        self.look()

    def _on_opened(self, on: bool) -> None:
        self._list_sources()
        self.look()

    def _on_choice(self) -> None:
        """Compare with another mask, or list other places."""
        source = self._source()
        if source is not None and source.title == FROM_FILE:
            self._open_probabilities()
            return
        if source is None or source.title != self._title:
            self._places = []
        self._here = -1
        self._show()
        self.look()

    def _on_review(self) -> None:
        self._show(self._place())

    def _source(self) -> Source | None:
        title = self._panel.sources.currentText()
        return next((source for source in self._sources if source.title == title), None)

    def _place(self) -> Place | None:
        lines = self._lines
        return lines[self._here].place if 0 <= self._here < len(lines) else None

    def _list_sources(self) -> None:
        self._sources = [] if self._mask is None else sources_of(self._book, self._mask)
        self._panel.show_sources([source.title for source in self._sources])

    def _prepare(self, mask: Any, source: Source) -> Callable[[], Any] | None:
        if mask is not self._mask or mask not in self._book.masks():
            return None
        edits = self._book.edits(mask)
        edits.settle()
        other = None if source.voxels is None else source.voxels()
        voxels = as_codes(np.array(mask.data))
        job = finding(voxels, other, source.doubt, mask_tag(mask))
        seen = edits.voxels
        return lambda: (mask, source.title, seen, job())

    def _open_probabilities(self) -> None:
        mask, tag = self._mask, mask_tag(self._mask)
        path = self._panel.ask_for_probabilities(tag.sources[0].parent)
        if path is None:
            self._panel.sources.setCurrentIndex(0)
            self.look()
        else:
            self._latest.ask(lambda: lambda: (mask, read_doubt(path, tag)))

    def _found(self, answer: Any) -> None:
        if answer[0] is not self._mask:
            return
        if isinstance(answer[1], Doubt):
            self._mask.metadata = {**self._mask.metadata, KEY: answer[1]}
            self._list_sources()
            self._panel.sources.setCurrentText(DOUBT)
            self.look()
            return
        _, title, self._seen, found = answer
        source = self._source()
        if source is None or source.title != title:
            return
        here = self._place()
        self._places, self._title = ([] if isinstance(found, str) else found), title
        self._show(here)
        if isinstance(found, str):
            self._panel.say(found)

    def _show(self, here: Place | None = None) -> None:
        """Fill the list; the place at hand stays marked if it is still there."""
        source, review = self._source(), self._reviews.review
        known = {} if source is None or review is None else decided(review.decisions, source)
        panel = self._panel
        self._lines = lines_of(
            self._places, known, panel.regions.currentText(), panel.orders.currentText()
        )
        rows = [
            row
            for row, line in enumerate(self._lines)
            if here is not None and line.place is not None and line.place.digest == here.digest
        ]
        if here is not None:
            # The next step goes on from where the place was.
            self._here = rows[0] if rows else min(self._here, len(self._lines)) - 1
        panel.show_rows([row_of(line) for line in self._lines], rows[0] if rows else -1)
        panel.say(count_text(self._lines, len(self._places)) if source is not None else "")
        self._show_state()

    def _show_state(self) -> None:
        source, place = self._source(), self._place()
        takable = source is not None and source.voxels is not None
        self._panel.show_takable(takable=takable, chosen=place is not None)

    def _take_b(self, source: Source, place: Place) -> str:
        """Let A be as B is in a place; return why not, empty if it is done."""
        edits = self._book.edits(self._mask)
        edits.settle()
        other = None if source.voxels is None else source.voxels()
        if other is None or edits.voxels != self._seen:
            return CHANGED_MEANWHILE
        return take(self._mask, other, place, self._limits())

    def _decision(self, source: Source, place: Place, verdict: Verdict) -> Decision:
        return Decision(
            a=mask_name(mask_tag(self._mask)),
            b=source.name,
            region=place.region,
            kind=place.kind,
            voxel=place.center,
            volume_ml=round(place.volume_ml, 6),
            digest=place.digest,
            verdict=verdict,
        )
