"""Start, stop and deliver segmentations."""

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_brats.errors import CaseError, CheckpointError
from napari_brats.plugin.display import VIEW_CONVENTIONS
from napari_brats.widgets.background import Task, notify_error
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.model_panel import ModelPanel
from napari_brats.widgets.pace import duration
from napari_brats.widgets.run_panel import RunPanel
from napari_brats.widgets.runs import Finished, Run, Segment, running
from napari_brats.widgets.steps import Notice, Step

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel


@dataclass(frozen=True)
class Unfinished:
    """A run that goes on, and masks (by their patients' files) that were not shown yet."""

    task: Task | None
    waiting: "dict[tuple[Path, ...], Any]"


class RunControl:
    """One run at a time; its mask goes to the patient it was made for.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where masks go.
    desk : Desk
        Holds the patient at hand.
    models : ModelPanel
        Says with what and where.
    panel : RunPanel
        The view.

    Attributes
    ----------
    segment : callable or None
        Stands in for `workflows.segment.segment`.
    """

    def __init__(
        self, viewer: "ViewerModel", desk: Desk, models: ModelPanel, panel: RunPanel
    ) -> None:
        self._viewer = viewer
        self._desk = desk
        self._models = models
        self._panel = panel
        self._task: Task | None = None
        self._waiting: dict[tuple[Path, ...], Any] = {}
        self.segment: Segment | None = None
        panel.run_asked.connect(self.start)
        panel.cancel_asked.connect(self.cancel)

    @property
    def idle(self) -> bool:
        """Whether no run goes on."""
        return self._task is None

    def close(self) -> None:
        """Stop the run, and tell nobody."""
        if self._task is not None:
            self._task.forget()

    def start(self) -> None:
        """Segment the patient at hand with the chosen model."""
        run, tag = self.asked(), self._desk.tag()
        if run is None or tag is None:
            return
        self._panel.set_running(True)
        self._panel.say(f"loading {self._models.title()}")
        self._task = Task(
            lambda stop: self._work(run, stop),
            f"Segmenting {tag.case_id}",
            on_report=self._reported,
            on_result=self._finished,
            on_end=self._ended,
            in_dock=True,
        )

    def asked(self) -> Run | None:
        """Return what the dock asks for; None, and a notice why, where that cannot be done."""
        tag = self._desk.tag()
        model = self._models.model()
        if tag is None:
            notify_error(CaseError("no patient is open; choose one under Patient first"))
            return None
        if model is None:
            notify_error(CheckpointError(self._models.refusal()))
            return None
        return Run(
            patient=self._desk.case() or tag.sources[0],
            model=model,
            device=self._models.device(),
            mirror=self._models.mirror.isChecked(),
            view_convention=next(
                name
                for name, directions in VIEW_CONVENTIONS.items()
                if directions == tag.display.directions
            ),
        )

    def hand_over(self) -> Unfinished:
        """Give away the run that goes on and the masks that wait for their patient."""
        unfinished = Unfinished(self._task, self._waiting)
        self._task, self._waiting = None, {}
        return unfinished

    def take_over(self, unfinished: Unfinished) -> None:
        """Go on with what a dock that was closed had begun."""
        self._waiting.update(unfinished.waiting)
        if unfinished.task is not None:
            self._task = unfinished.task
            self._task.report_to(self._reported, self._finished, self._ended)
            self._panel.set_running(True)
            self._panel.say("running")

    def cancel(self) -> None:
        """Stop the run at its next window."""
        if self._task is not None:
            self._task.cancel()

    def deliver_waiting(self) -> None:
        """Hand over a mask that was ready before its patient was open."""
        for sources in [sources for sources in self._waiting if self._desk.holds(sources)]:
            self._add(self._waiting.pop(sources))

    def deliver(self, layer: Any) -> bool:
        """Show a mask with its patient, or keep it until the patient is open.

        Returns
        -------
        bool
            Whether it is shown now.
        """
        sources = mask_tag(layer).sources
        if self._desk.holds(sources):
            self._add(layer)
            return True
        self._waiting[sources] = layer
        return False

    def _work(self, run: Run, stop: Event) -> Any:
        return running(run, stop, self.segment)

    def _reported(self, report: Step | Notice) -> None:
        from napari.utils.notifications import show_info

        if isinstance(report, Notice):
            show_info(report.text)
            return
        self._panel.show_step(report.done, report.total)
        if self._task is not None:
            self._task.show_progress(report.done, report.total)

    def _finished(self, finished: Finished) -> None:
        from napari.utils.notifications import show_info

        self._models.show_expected()
        if self._models.device() == "auto":
            self._models.tell_device(finished.device)
        self._panel.say(f"done in {duration(finished.seconds)}")
        if not self.deliver(finished.layer):
            show_info(f"The mask of {finished.case_id} is ready; open that patient to see it.")

    def _ended(self) -> None:
        self._task = None
        stopped = not self._panel.words.text().startswith("done")
        self._panel.set_running(False)
        if stopped:
            self._panel.say("stopped; nothing was changed")

    def _add(self, layer: Any) -> None:
        from napari.utils.notifications import show_warning

        tag, shown = mask_tag(layer), self._desk.tag()
        if shown is not None and shown.display.directions != tag.display.directions:
            show_warning(f"The mask of {tag.case_id} was made for another view; segment it again.")
            return
        self._viewer.add_layer(layer)
