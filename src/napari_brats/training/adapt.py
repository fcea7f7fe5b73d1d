"""`adapt`: learn from corrections, and keep the result only where it is better."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from napari_brats.errors import (
    BratsError,
    Cancelled,
    CaseError,
    CheckpointError,
    OutputError,
    TakenError,
    TrainingError,
)
from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.ensembles import members_of
from napari_brats.networks.installing import add_model, check_folder, check_new_name
from napari_brats.networks.lineage import fingerprint, next_version, seen_by
from napari_brats.regions import REGIONS
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.candidates import candidate, least_enough, shares_in_time
from napari_brats.training.corrections import (
    Correction,
    Lesson,
    find_corrections,
    require_enough,
    sample_lessons,
    tell,
)
from napari_brats.training.reports import Progress
from napari_brats.training.settings import check_numbers
from napari_brats.training.verdict import (
    HELD_BACK,
    SAMPLE,
    Adaptation,
    Compared,
    objections,
)
from napari_brats.volumes import write_json_atomic

_Dice = Mapping[str, float]

_LEAST_SECONDS = 20.0


def adapt(
    config: AdaptConfig,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_notice: Callable[[str], None] = print,
    stop: Callable[[], bool] = lambda: False,
) -> Adaptation:
    """Fine-tune a model on reviewed masks, compare on cases held back, install it if better.

    The model that is adapted stays as it is. What is worked with lies in a temporary folder.

    Parameters
    ----------
    config : AdaptConfig
        What to adapt, to which cases.
    on_progress : callable
        Takes a `Progress` every few steps.
    on_notice : callable
        Takes one line about each case and each phase.
    stop : callable
        Asked after each step and between the phases; if it returns True nothing is installed.

    Returns
    -------
    Adaptation

    Raises
    ------
    Cancelled
        If it was stopped.
    CaseError
        If there is no such folder.
    CheckpointError
        If the model has no weights, or the new name cannot be given.
    TrainingError
        If there are too few cases or too little time, or the loss is no number any more.
    OutputError
        If something cannot be written. Nothing is installed in any of these cases.
    """
    began = time.monotonic()
    check_numbers(config)
    if len(members_of(config.model)) > 1:
        raise CheckpointError(f"{config.model!r} is several models; adapt one of them with --model")
    card = read_card(config.model)
    name = config.name or next_version(config.model)
    check_new_name(name)
    check_folder()
    corrections = find_corrections(config.cases, card.modalities, card.name, unreviewed=config.all)
    tell(corrections, on_notice)
    require_enough(corrections)
    try:
        # Windows keeps files that are still mapped; that must not undo what was installed.
        with TemporaryDirectory(prefix="napari-brats-adapt-", ignore_cleanup_errors=True) as folder:
            run = _Run(config, card, name, Path(folder), began, on_progress, on_notice, stop)
            return run.result(corrections)
    except OSError as error:
        raise OutputError(
            f"adapting needs room for temporary files: {error}; nothing was installed: make "
            "room, or name another folder in TMPDIR"
        ) from error


@dataclass(frozen=True)
class _Run:
    """What the phases of one adaptation share."""

    config: AdaptConfig
    card: Card
    name: str
    folder: Path
    began: float
    on_progress: Callable[[Progress], None]
    say: Callable[[str], None]
    stop: Callable[[], bool]

    def result(self, corrections: Sequence[Correction]) -> Adaptation:
        """Do everything."""
        from napari_brats.training.adapting import measure, mixed_in

        samples = self._read(corrections)
        held_back = self._held_back(list(samples))
        learned = {lesson: path for lesson, path in samples.items() if lesson not in held_back}
        # One bundled patient is mixed in against forgetting, the other tells whether it helped.
        bundled = sample_lessons(self.card.modalities)
        folders, number = self.config.mix, 0 if self.config.mix else 1
        mixed = mixed_in(folders, bundled[:number], list(samples), self.card, self.folder, self.say)
        compared, count = [*held_back, *bundled[number:]], len(held_back)
        self.say(f"comparing on {len(held_back)} held-back cases and a bundled sample")
        clock = time.monotonic()
        before = measure(self.config.model, compared, self.config.device, self.stop)
        # The machine may slow down.
        a_case = 1.6 * (time.monotonic() - clock) / len(compared)
        shares = shares_in_time(self._left(), len(compared), count, a_case)
        later = a_case * (len(compared) + count * (len(shares) - 1))
        steps = self._train(learned, mixed, shares, later)
        self.say("comparing again")
        share, rows = self._least_enough(shares, held_back, before[:count])
        rows += self._compared(share, compared[count:], before[count:], SAMPLE)
        against = objections(rows)
        new = self.name if against else self._install(rows, candidate(self.folder, share))
        return Adaptation(
            model=self.card.name,
            candidate=new,
            installed=not against,
            objections=against,
            compared=tuple(rows),
            trained_on=tuple(lesson.files.case_id for lesson in learned),
            steps=steps,
            minutes=self._passed() / 60,
        )

    def _least_enough(
        self, shares: Sequence[float], held_back: Sequence[Lesson], before: Sequence[_Dice]
    ) -> tuple[float, list[Compared]]:
        """Return how far to go to the new weights, and what that does to the held-back cases."""
        found = {share: self._compared(share, held_back, before, HELD_BACK) for share in shares}
        gains = {share: float(np.mean([row.gain for row in rows])) for share, rows in found.items()}
        told = ", ".join(f"{gain:+.3f} at {share:g}" for share, gain in gains.items())
        self.say(f"gain on the held-back cases by share of the new weights: {told}")
        share = least_enough(gains)
        return share, found[share]

    def _compared(
        self, share: float, lessons: Sequence[Lesson], before: Sequence[_Dice], group: str
    ) -> list[Compared]:
        """Measure the new model of a share beside what the old one scored."""
        from napari_brats.training.adapting import measure

        after = measure(candidate(self.folder, share), lessons, self.config.device, self.stop)
        return [
            Compared(lesson.files.case_id, group, old, new)
            for lesson, old, new in zip(lessons, before, after, strict=True)
        ]

    def _read(self, corrections: Sequence[Correction]) -> dict[Lesson, Path]:
        """Put the cases that count on the recipe's grid; one that cannot be read costs no other.

        A copy of a case counts once: else it could be held back and be learned from.
        """
        from napari_brats.training.adapting import put_on_grid

        read: dict[Lesson, Path] = {}
        images: dict[str, Path] = {}
        seen = []
        for correction in corrections:
            self._check_stop()
            try:
                if (lesson := correction.lesson) is not None:
                    first = images.setdefault(fingerprint(lesson.image), lesson.image)
                    if first != lesson.image:
                        raise CaseError(f"its images are those of {str(first)!r}")
                    read[lesson] = put_on_grid(lesson, self.card, self.folder)
                seen.append(correction)
            except BratsError as error:
                seen.append(replace(correction, lesson=None, why_not=str(error)))
                tell(seen[-1:], self.say)
        require_enough(seen)
        return read

    def _held_back(self, lessons: list[Lesson]) -> list[Lesson]:
        """Return who is held back; nobody whom the old model has learned from already."""
        seen = seen_by(self.card)
        new = [lesson for lesson in lessons if fingerprint(lesson.image) not in seen]
        if not new:
            raise TrainingError(
                f"{self.card.name!r} has learned from all {len(lessons)} cases already, so none "
                "can be held back to compare on; review at least one more case"
            )
        wanted = min(self.config.holdout or math.ceil(len(lessons) / 3), len(lessons) - 1)
        order = np.random.default_rng(self.config.seed).permutation(len(new))
        return [new[number] for number in sorted(order[:wanted])]

    def _train(
        self,
        samples: dict[Lesson, Path],
        mixed: dict[str, Path],
        shares: Sequence[float],
        later: float,
    ) -> int:
        """Fine-tune for all but the seconds needed later, and return the steps taken."""
        from napari_brats.training.adapting import fine_tune

        left = self._left() - later
        if left < _LEAST_SECONDS:
            raise TrainingError(
                f"{self.config.minutes:g} minutes leave no time to train: all else takes "
                f"{self._passed() + later:.0f} s here; give more with --minutes"
            )
        self.say(f"learning from {len(samples)} cases, for {left / 60:.1f} minutes at most")
        card = replace(self.card, name=self.name)
        return fine_tune(
            self.config, card, self.folder, samples, mixed, shares, left / 60,
            on_progress=self.on_progress, stop=self.stop,
        )  # fmt: skip

    def _install(self, rows: Sequence[Compared], weights: Path) -> str:
        """Put the new model into the user's folder, with what it scored; return its name."""
        self._check_stop()
        held_back = [row for row in rows if row.group == HELD_BACK]
        mean = {
            when: {
                name: round(float(np.mean([getattr(row, when)[name] for row in held_back])), 4)
                for name in REGIONS
            }
            for when in ("before", "after")
        }
        scores = {
            "dataset": f"{len(held_back)} held-back cases of those it was adapted to",
            "metric": "Dice at full resolution; two empty regions 1, one empty region 0",
            "before": mean["before"],
            "mean": mean["after"],
        }
        card = replace(read_card(weights), scores=scores)
        write_json_atomic(weights.with_suffix(".json"), card.to_json())
        return self._added(weights)

    def _added(self, weights: Path) -> str:
        """Add the new model; a name that another took during the learning costs nothing."""
        name = self.name
        while True:
            try:
                return add_model(weights, name).name
            except (CheckpointError, TakenError) as error:
                free = next_version(self.config.model)
                if free == name:
                    raise
                self.say(f"{name!r} was taken meanwhile, so the new model is {free!r} ({error})")
                name = free

    def _left(self) -> float:
        return self.config.minutes * 60 - self._passed()

    def _passed(self) -> float:
        return time.monotonic() - self.began

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled("stopped; nothing was installed")
