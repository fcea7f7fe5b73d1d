"""``napari-brats``: the parser, and what every command has in common when it fails.

A user's mistake is one line on stderr and exit code 2; Ctrl-C is one line and 130; anything
else is a bug and keeps its traceback. Heavy imports happen inside the commands, so that
``--help`` answers at once.
"""

import argparse
import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from napari_brats.cli import (
    adapt,
    agree,
    animate,
    cohort,
    convert,
    demo,
    doctor,
    evaluate,
    figure,
    models,
    queue,
    report,
    review,
    segment,
    train,
)
from napari_brats.cli.terminal import Terminal
from napari_brats.errors import BratsError

COMMANDS = (
    segment, cohort, queue, evaluate, agree, review, figure, animate, report, convert, models,
    demo, train, adapt, doctor,
)  # fmt: skip
USER_MISTAKE = 2
INTERRUPTED = 130
PIPE_CLOSED = 141


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where help is, and exit with 2."""
        self.exit(USER_MISTAKE, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from napari_brats import __version__

        print(f"napari-brats {__version__}")
        parser.exit()


def build_parser() -> Parser:
    """Return the parser of all commands; each stores its function as ``run``."""
    parser = Parser(
        prog="napari-brats",
        description="Segment brain tumors in BraTS patients, score the masks, open them in napari.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        summary = (module.__doc__ or "").splitlines()[0].partition(": ")[2].rstrip(".")
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run, json=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; the process's own by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 `doctor` found a problem, `adapt` no better model or
        `cohort` a patient that failed, 2 a user's
        mistake, 130 interrupted, 141 nobody reads the output any more.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the console's encoding lacks must not cost a finished result.
            stream.reconfigure(errors="replace")
    args = build_parser().parse_args(argv)
    terminal = Terminal(json=args.json)
    try:
        with terminal.captured():
            code: int = args.run(args, terminal)
    except BratsError as error:
        print(f"napari-brats: {error}", file=sys.stderr)
        return USER_MISTAKE
    except BrokenPipeError:
        # Whoever read the output has enough; what is left of it must not become an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        print("napari-brats: stopped; no file was left half-written", file=sys.stderr)
        return INTERRUPTED
    return code


def run() -> NoReturn:
    """Do what the process was started for, and end it.

    On the way out Python would look for cycles of garbage among all that PyTorch made, 0.3 s
    for memory that goes in one piece anyway.
    """
    code = main()
    gc.freeze()
    sys.exit(code)
