"""``napari-brats doctor``: check this installation and say what to do about each problem."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal

PROBLEM_FOUND = 1
_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--bench",
        action="store_true",
        help="measure what the models take here instead, so that it can be told beforehand",
    )


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Print every finding as it comes; exit with 1 if one is a problem."""
    if args.bench:
        return _bench(terminal)
    from napari_brats.workflows.doctor import examine

    problems = 0
    for finding in examine():
        terminal.say(f"{_MARKS[finding.state]:8}{finding.subject}: {finding.found}")
        if finding.cure:
            terminal.say(f"{'':8}-> {finding.cure}")
        problems += finding.state == "problem"
    terminal.say(f"{problems or 'no'} problem{'s' * (problems > 1)} found")
    return PROBLEM_FOUND if problems else 0


def _bench(terminal: "Terminal") -> int:
    """Print what each model takes, engine by engine."""
    from napari_brats.workflows.bench import SECONDS, measure

    terminal.notice(f"measuring the models on a bundled patient, for about {SECONDS} s")
    for model, words in measure():
        terminal.say(f"{model}: {words}")
    return 0
