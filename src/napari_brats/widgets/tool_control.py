"""What happens when a whole-volume tool is used: preview, apply as one undo step, cancel."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.editing.codes import as_codes
from napari_brats.editing.limits import Limits
from napari_brats.editing.tools.table import MODEL, OTHER
from napari_brats.editing.tools.work import Work
from napari_brats.widgets.background import Task
from napari_brats.widgets.mask_book import MaskBook
from napari_brats.widgets.run_control import RunControl
from napari_brats.widgets.steps import Notice, Step
from napari_brats.widgets.tool_apply import apply_box
from napari_brats.widgets.tool_layers import brushes_of, images_of, others_of, slice_axis
from napari_brats.widgets.tool_place import ToolPlace
from napari_brats.widgets.tool_preview import Preview
from napari_brats.widgets.tool_work import (
    CHANGED_MEANWHILE,
    LIMITS_CHANGED,
    NOTHING,
    STALE,
    ToolResult,
    ToolRun,
    asked_of,
    change_text,
    computing,
    what_is_missing,
)
from napari_brats.widgets.tools_panel import ToolsPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray


class ToolControl:
    """Uses the tools of a panel on the chosen mask, in the background.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Holds masks and images.
    book : MaskBook
        Knows the masks.
    panel : ToolsPanel
        The view.
    runs : RunControl
        Says which model is chosen, and whether one is running.
    limits : callable
        Returns what may change.
    defer : callable
        Runs a function soon, after the event at hand.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        book: MaskBook,
        panel: ToolsPanel,
        runs: RunControl,
        limits: Callable[[], Limits],
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        self._viewer, self._book, self._panel = viewer, book, panel
        self._runs, self._limits, self._defer = runs, limits, defer
        self._preview = Preview(viewer, self._dropped)
        self._place = ToolPlace(viewer, panel, self.preview)
        self._mask: Any = None
        self._task: Task | None = None
        self._next: bool | None = None
        self._run: ToolRun | None = None
        self._answered = False
        self._shown: ToolResult | None = None
        self._predicted: tuple[tuple[str, bool], NDArray[np.uint8]] | None = None
        self._connect()

    @property
    def idle(self) -> bool:
        """Whether no tool is at work."""
        return self._task is None

    def close(self) -> None:
        """Stop, and let go of the viewer."""
        self._let_go()
        self._place.close()
        if self._task is not None:
            self._task.forget()
        self._preview.close()

    def choose(self, mask: Any) -> None:
        """Work on another mask, or on none."""
        self._let_go()
        self.cancel()
        self._place.choose(mask)
        self._mask, self._predicted = mask, None
        if mask is not None:
            self._panel.show_brushes(brushes_of(mask))
            self._book.edits(mask).on_touch.append(self._touched)
        self._list()
        self._panel.say("")
        self._show_state()

    def preview(self) -> None:
        """Show what the tool would change."""
        self._start(applying=False)

    def apply(self) -> None:
        """Change the mask: what is shown if something is, else what the tool finds."""
        if self._shown is not None:
            self._write(self._shown)
        else:
            self._start(applying=True)

    def cancel(self) -> None:
        """Stop the tool, take the preview away."""
        self._next = self._run = None
        if self._task is not None:
            self._task.cancel()
        if self._shown is not None:
            self._panel.say("")
        self._clear()

    def _connect(self) -> None:
        panel = self._panel
        panel.preview_asked.connect(self.preview)
        panel.apply_asked.connect(self.apply)
        panel.cancel_asked.connect(self.cancel)
        panel.changed.connect(self._rethink)
        panel.opened.connect(self._list)

    def _let_go(self) -> None:
        if self._mask in self._book.masks():
            listeners = self._book.edits(self._mask).on_touch
            if self._touched in listeners:
                listeners.remove(self._touched)

    def _list(self) -> None:
        """Offer what lies on the mask's grid: other masks, the reference, images."""
        if self._mask is None:
            self._panel.show_others([])
            return
        self._panel.show_others(others_of(self._book, self._mask))
        self._panel.show_images(list(images_of(self._viewer, self._mask)))

    def _start(self, *, applying: bool) -> None:
        """Use the tool once whatever is going on has ended."""
        if self._task is not None:
            self._next, self._run = applying, None
            self._task.cancel()
            return
        run = self._asked(applying)
        if run is None:
            self._clear()
            return
        self._run, self._answered, self._shown = run, False, None
        self._panel.say(f"{run.tool.title}: working")
        self._task = Task(
            lambda stop: computing(run, stop, self._runs.segment),
            run.tool.title,
            on_report=self._reported,
            on_result=self._finished,
            on_end=self._ended,
            in_dock=run.model is not None,
        )
        self._show_state()

    def _asked(self, applying: bool) -> ToolRun | None:
        """Return what the panel asks for; None where something is missing, and say what."""
        mask, tool = self._mask, self._panel.tool()
        if mask is None:
            return None
        images = images_of(self._viewer, mask)
        chosen = [images[title].data for title in self._panel.modalities() if title in images]
        reason = what_is_missing(
            tool,
            seed=self._place.seed is not None,
            other=self._panel.other() is not None,
            images=bool(chosen),
            idle=self._runs.idle,
        )
        model = self._runs.asked() if MODEL in tool.needs and not reason else None
        if reason or (MODEL in tool.needs and model is None):
            self._panel.say(reason)
            return None
        other = as_codes(self._panel.other().data).copy() if OTHER in tool.needs else None
        if (
            model is not None
            and self._predicted is not None
            and self._predicted[0] == asked_of(model)
        ):
            model, other = None, self._predicted[1]
        edits = self._book.edits(mask)
        edits.settle()
        work = Work(
            mask=as_codes(np.array(mask.data)),
            spacing_mm=tuple(float(size) for size in mask.scale),
            brush=self._panel.brush(),
            brushes=brushes_of(mask),
            limits=self._limits(),
            axis=slice_axis(self._viewer, mask),
            seed=self._place.seed,
            other=other,
            images=chosen,
        )
        return ToolRun(mask, edits.voxels, tool, work, self._panel.form.values(), model, applying)

    def _reported(self, report: Step | Notice) -> None:
        if isinstance(report, Step) and self._task is not None:
            self._panel.say(f"the model: {report.done} of {report.total}")
            self._task.show_progress(report.done, report.total)

    def _finished(self, result: ToolResult) -> None:
        if result.run.model is not None and result.predicted is not None:
            self._predicted = asked_of(result.run.model), result.predicted
        if result.run is not self._run:  # it was cancelled, or asked anew
            return
        self._answered = True
        if result.box is None or self._is_stale(result):
            self._clear()
            self._panel.say(NOTHING if result.box is None else CHANGED_MEANWHILE)
        elif result.run.applying:
            self._write(result)
        else:
            self._shown = result
            self._preview.show(self._mask, result.box)
            self._panel.say("would change:\n" + self._words(result))

    def _ended(self) -> None:
        self._task = self._run = None
        if not self._answered and self._next is None:
            self._panel.say("stopped; nothing was changed")
        following, self._next = self._next, None
        self._show_state()
        if following is not None:
            self._start(applying=following)

    def _write(self, result: ToolResult) -> None:
        self._clear()
        layer, box = result.run.layer, result.box
        assert box is not None
        allowed = self._limits().allowed(layer.data, box.new, box.place)
        if not allowed[box.new != box.old].all():
            self._panel.say(LIMITS_CHANGED)
            return
        if self._is_stale(result) or not apply_box(layer, box):
            self._panel.say(CHANGED_MEANWHILE)
            return
        self._panel.say(f"{result.run.tool.title}:\n" + self._words(result))

    def _is_stale(self, result: ToolResult) -> bool:
        edits = self._book.edits(result.run.layer)
        edits.settle()
        return edits.voxels != result.run.voxels

    def _words(self, result: ToolResult) -> str:
        assert result.box is not None
        return change_text(result.box, result.run.work.voxel_ml)

    def _touched(self) -> None:
        """Take a preview away whose mask is being changed, after the event at hand."""
        if self._shown is not None:
            self._shown = None
            self._panel.say(STALE)
            self._defer(self._clear)

    def _rethink(self) -> None:
        """Bring a preview, shown or on its way, up to date with the panel."""
        coming = self._run is not None and not self._run.applying
        if self._shown is not None or coming:
            self._start(applying=False)

    def _clear(self) -> None:
        self._shown = None
        self._preview.clear()
        self._show_state()

    def _dropped(self) -> None:
        """Note that a person took the preview away."""
        self._shown = None
        self._panel.say("")
        self._show_state()

    def _show_state(self) -> None:
        self._panel.set_state(
            ready=self._mask is not None,
            busy=self._task is not None,
            shown=self._shown is not None,
        )
