"""One network's word, or the mean of several, on the patient's own grid."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, require_modalities
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.memory import voxels
from napari_brats.inference.postprocessing import tissues_from_probabilities, without_traces
from napari_brats.inference.runner import OnNotice, Ran
from napari_brats.inference.steps import OnStep, Steps
from napari_brats.networks.checkpoint import Card
from napari_brats.networks.ensembles import joint_name
from napari_brats.preprocessing.recipes import Prepared, prepare, recipe_named
from napari_brats.preprocessing.skull import skull_note

if TYPE_CHECKING:
    from napari_brats.inference.engines import Engine
    from napari_brats.preprocessing.ways import Way


class Member(Protocol):
    """A network whose probabilities can be averaged with others', such as a `Predictor`."""

    card: Card
    device: DeviceChoice

    def regions(
        self, prepared: Prepared, *, on_step: OnStep | None, on_notice: OnNotice | None
    ) -> Ran:
        """Return the probabilities of WT, TC, ET on the recipe's grid, and what made them."""
        ...


@dataclass(frozen=True)
class Prediction:
    """What one network, or several averaged, say about a case, on the patient's own grid.

    Parameters
    ----------
    probabilities : NDArray[np.float32], shape (3, X, Y, Z)
        WT, TC, ET.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes, ET inside TC inside WT.
    device : DeviceChoice
        Where the network ran in the end; of several, where the first one ran that had to
        leave its device.
    engine : str
        What ran it, a key in `ENGINES`.
    seconds : Mapping[str, float]
        Of ``preprocess``, ``network`` and ``postprocess``.
    voxels : int
        That went through networks, after preprocessing.
    memory_bytes : int
        What a network needed at most, beside its weights.
    missing : tuple of str
        Modalities that the networks did without.
    notes : tuple of str
        What people should know, such as a skull, or brain outside a recipe's fixed crop.
    """

    probabilities: NDArray[np.float32]
    tissues: NDArray[np.uint8]
    device: DeviceChoice
    engine: str
    seconds: Mapping[str, float]
    voxels: int
    memory_bytes: int
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def predict_average(
    members: Sequence[Member],
    case: Case,
    *,
    on_step: OnStep | None = None,
    on_notice: OnNotice | None = None,
) -> Prediction:
    """Segment a case with the mean of some networks' probabilities.

    Members with the same recipe share one preprocessing and one way back. Where there is less
    enhancing tumor than the mean of the members' limits, it is taken for necrosis.

    Parameters
    ----------
    members : sequence of Member
        One at least; each weighs the same.
    case : Case
        Any grid and orientation; must have the modalities of all cards, but for one that they
        may lack.
    on_step : callable, optional
        Called with (done, total) windows, and between the stages with the last of them again;
        may raise `Cancelled`. Before the first window it is (0, 0). Each member is an equal
        part of the work, so that the total may differ from one to the next.
    on_notice : callable, optional
        Called with lines for people: notes, and changes of plan when memory runs out.

    Returns
    -------
    Prediction

    Raises
    ------
    CaseError
        If a modality is missing that a member needs.
    DeviceError
        If memory does not suffice.
    """
    passage = Passage(members, case, on_notice=on_notice)
    steps = Steps(on_step)
    for recipe in passage.recipes:
        passage.prepare(recipe, steps.repeat)
        steps.repeat()
        passage.run(recipe, steps)
        passage.undo(recipe)
        steps.repeat()
    return passage.prediction()


class Passage:
    """A case on its way through some networks, stage by stage.

    Each recipe is prepared, run and undone, in this order. Different stages may run in
    different threads, one after the other: while a network is at work on one case the next
    is prepared.

    Parameters
    ----------
    members, case, on_notice
        As `predict_average` takes them.

    Raises
    ------
    CaseError
        If a modality is missing that a member needs.
    """

    def __init__(
        self, members: Sequence[Member], case: Case, *, on_notice: OnNotice | None = None
    ) -> None:
        self._members = members
        self._case = case
        self._say = on_notice or _ignore
        self._missing = _missing(members, case, self._say)
        self._groups = _by_recipe(members)
        self._prepared: dict[str, Prepared] = {}
        self._sums: dict[str, tuple[Way, NDArray[np.float32]]] = {}
        self._total: NDArray[np.float32] | None = None
        self._engines: list[Engine] = []
        self._memory_bytes = self._voxels = 0
        self._notes = _notes(members, case)
        for note in self._notes:
            self._say(note)
        self._seconds = dict.fromkeys(("preprocess", "network", "postprocess"), 0.0)

    @property
    def recipes(self) -> tuple[str, ...]:
        """Rows of `RECIPES` that the members need."""
        return tuple(self._groups)

    def prepare(self, recipe: str, between: Callable[[], object] | None = None) -> None:
        """Preprocess the case by a recipe; what ``between`` its steps is raised ends it."""
        case, row = self._case, recipe_named(recipe)
        with _timed(self._seconds, "preprocess"):
            prepared = prepare(row, case.images, case.affine, self._missing, between)
        for note in prepared.way.notes:
            self._say(note)
            self._notes.append(note)
        self._prepared[recipe] = prepared

    def run(self, recipe: str, on_step: OnStep | None = None) -> None:
        """Run all members that have a recipe; what was prepared is let go."""
        prepared = self._prepared.pop(recipe)
        total = reduce(
            np.add, (self._of(member, prepared, on_step) for member in self._groups[recipe])
        )
        self._sums[recipe] = prepared.way, total

    def undo(self, recipe: str) -> None:
        """Take what the members say back to the case's grid."""
        way, total = self._sums.pop(recipe)
        with _timed(self._seconds, "postprocess"):
            back = way.back(total)
            self._total = back if self._total is None else self._total + back

    def prediction(self) -> Prediction:
        """Return what they say together, when every recipe is undone."""
        if self._total is None:
            raise RuntimeError("nothing was run")
        members, total = self._members, self._total
        with _timed(self._seconds, "postprocess"):
            probabilities = total / np.float32(len(members)) if len(members) > 1 else total
            tissues = _tissues(probabilities, members, self._case.voxel_ml, self._say)
        moved = [engine for engine in self._engines if engine.device != members[0].device]
        told = (moved or self._engines)[0]
        return Prediction(
            probabilities=probabilities,
            tissues=tissues,
            device=told.device,
            engine=told.name,
            seconds=self._seconds,
            voxels=self._voxels,
            memory_bytes=self._memory_bytes,
            missing=self._missing,
            notes=tuple(self._notes),
        )

    def _of(
        self, member: Member, prepared: Prepared, on_step: OnStep | None
    ) -> NDArray[np.float32]:
        part = share(on_step, len(self._engines), len(self._members))
        with _timed(self._seconds, "network"):
            ran = member.regions(prepared, on_step=part, on_notice=self._say)
        self._engines.append(ran.engine)
        self._memory_bytes = max(self._memory_bytes, ran.memory_bytes)
        self._voxels += voxels(ran.values.shape[1:])
        return ran.values


def _missing(members: Sequence[Member], case: Case, say: OnNotice) -> tuple[str, ...]:
    """Return the modality that members do without, and tell of it."""
    without: dict[str, list[str]] = {}
    for card in (member.card for member in members):
        who = f"model {card.name!r}"
        for name in require_modalities(case, card.modalities, who, card.may_lack):
            without.setdefault(name, []).append(card.name)
    for name, models in without.items():
        say(f"{case.case_id!r} has no {name}; {' and '.join(models)} must do without it")
    return tuple(without)


def _notes(members: Sequence[Member], case: Case) -> list[str]:
    used = {name for member in members for name in member.card.modalities} & case.images.keys()
    note = skull_note(
        case.case_id, {name: case.images[name] for name in sorted(used)}, case.voxel_ml
    )
    return [note] if note else []


def _by_recipe(members: Sequence[Member]) -> dict[str, list[Member]]:
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.card.recipe, []).append(member)
    return groups


def _tissues(
    probabilities: NDArray[np.float32], members: Sequence[Member], voxel_ml: float, say: OnNotice
) -> NDArray[np.uint8]:
    cards = [member.card for member in members]
    least_ml = float(np.mean([card.least_enhancing_ml for card in cards]))
    tissues = tissues_from_probabilities(probabilities)
    tissues, gone_ml = without_traces(tissues, voxel_ml, least_ml)
    if gone_ml:
        say(
            f"{gone_ml:.2f} ml of enhancing tumor, less than the {least_ml:g} ml that "
            f"{joint_name(cards)} can be trusted with, is taken for necrosis"
        )
    return tissues


def share(on_step: OnStep | None, part: int, parts: int) -> OnStep | None:
    """Return what tells ``on_step`` of one of several equal parts of the work.

    Parameters
    ----------
    on_step : callable or None
        Called with (done, total) of the whole.
    part, parts : int
        Which part, from 0, of how many.
    """
    if on_step is None or parts == 1:
        return on_step
    return lambda done, total: on_step(part * total + done, parts * total)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[stage] += perf_counter() - start


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""
