"""`adapt`: learn from corrections, and keep the result only where it is better."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from napari_brats.errors import BratsError, Cancelled, OutputError, TrainingError
from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.installing import add_model, check_new_name
from napari_brats.networks.lineage import fingerprint, next_version, seen_by
from napari_brats.regions import REGIONS
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.candidates import candidate, least_enough, shares_in_time
from napari_brats.training.corrections import Correction, Lesson, find_corrections, sample_lessons
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

LEAST_CASES = 2
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
    card = read_card(config.model)
    name = config.name or next_version(config.model)
    check_new_name(name)
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
        if not against:
            self._install(rows, candidate(self.folder, share))
        return Adaptation(
            model=self.card.name,
            candidate=self.name,
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
        """Put the cases that count on the recipe's grid; one that cannot be read costs no other."""
        from napari_brats.training.adapting import put_on_grid

        read: dict[Lesson, Path] = {}
        seen = []
        for correction in corrections:
            self._check_stop()
            try:
                if correction.lesson is not None:
                    read[correction.lesson] = put_on_grid(correction.lesson, self.card, self.folder)
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

    def _install(self, rows: Sequence[Compared], weights: Path) -> None:
        """Put the new model into the user's folder, with what it scored."""
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
        add_model(weights, self.name)

    def _left(self) -> float:
        return self.config.minutes * 60 - self._passed()

    def _passed(self) -> float:
        return time.monotonic() - self.began

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled("stopped; nothing was installed")


def tell(corrections: Sequence[Correction], on_notice: Callable[[str], None]) -> None:
    """Say of each case which mask counts, or why none does."""
    for found in corrections:
        if found.lesson is None:
            on_notice(f"left out {found.files.case_id}: {found.why_not}")
        else:
            by = f"reviewed by {found.reader}" if found.reader else "not reviewed"
            on_notice(f"{found.files.case_id}: {found.lesson.mask.name}, {by}")


def require_enough(corrections: Sequence[Correction]) -> None:
    """Raise TrainingError if fewer cases count than can be learned from and compared on."""
    count = sum(found.lesson is not None for found in corrections)
    if count >= LEAST_CASES:
        return
    why = sorted({found.why_not for found in corrections if found.why_not})
    because = f" ({'; '.join(why[:3])}{'; ...' * (len(why) > 3)})" if why else ""
    raise TrainingError(
        f"{count} of {len(corrections)} cases can be learned from{because}; expected "
        f"{LEAST_CASES} or more, better 5: mark corrected masks with `napari-brats review CASE "
        "--done`, or take every mask with --all"
    )
