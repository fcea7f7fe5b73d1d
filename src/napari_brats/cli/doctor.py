"""``napari-brats doctor``: check this installation and say what to do about each problem."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal

PROBLEM_FOUND = 1
_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare the options of the command: none."""


def run(_: argparse.Namespace, terminal: "Terminal") -> int:
    """Print every finding as it comes; exit with 1 if one is a problem."""
    from napari_brats.workflows.doctor import examine

    problems = 0
    for finding in examine():
        terminal.say(f"{_MARKS[finding.state]:8}{finding.subject}: {finding.found}")
        if finding.cure:
            terminal.say(f"{'':8}-> {finding.cure}")
        problems += finding.state == "problem"
    terminal.say(f"{problems or 'no'} problem{'s' * (problems > 1)} found")
    return PROBLEM_FOUND if problems else 0
