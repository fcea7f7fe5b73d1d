"""``napari-brats adapt``: teach a model from corrected masks, keep it only if it is better."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from napari_brats.cli.flags import add_flags, given_flags
from napari_brats.cli.following import add_events, for_a_person, for_a_program, needs_extra
from napari_brats.cli.options import add_json
from napari_brats.errors import CaseError
from napari_brats.regions import REGIONS
from napari_brats.training.adapt_config import AdaptConfig

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.training.verdict import Adaptation

NOT_BETTER = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag for every field of `AdaptConfig`."""
    add_flags(parser, AdaptConfig)
    add_json(parser)
    add_events(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Adapt, showing every report, and say what came of it."""
    with needs_extra():
        from napari_brats.training.adapt import adapt
    config = AdaptConfig(**given_flags(args, AdaptConfig))
    if not config.cases:
        raise CaseError("nothing to learn from; give --cases folders of patients")
    work = partial(adapt, config)
    if args.events:
        for_a_program(work, lambda result: {"adaptation": result.to_json()})
        return 0
    result, _ = for_a_person(work, terminal)
    if terminal.json:
        terminal.result(result.to_json())
    else:
        _say(result, terminal)
    return 0 if result.installed else NOT_BETTER


def _say(result: "Adaptation", terminal: "Terminal") -> None:
    """Print the table and the verdict."""
    headings = ("case", "<group", *(f"{name} before" for name in REGIONS), *REGIONS, "gain")
    terminal.table(
        headings,
        [
            (
                row.case_id,
                row.group,
                *(f"{scores[name]:.3f}" for scores in (row.before, row.after) for name in REGIONS),
                f"{row.gain:+.3f}",
            )
            for row in result.compared
        ],
    )
    took = f"{result.steps} steps, {result.minutes:.1f} minutes"
    if result.installed:
        terminal.say(f"better, and installed ({took}): use it with --model {result.candidate}")
        terminal.say(f"to go back: napari-brats models rollback {result.candidate}")
    else:
        terminal.say(f"not better, nothing was installed ({took}): {'; '.join(result.objections)}")
        terminal.say(f"{result.model} is as it was")
