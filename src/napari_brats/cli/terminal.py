"""Where the commands print: people's text, progress, and the one JSON object."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout

# A table in a pipe has no window to fit into; cutting it would lose what the pipe is for.
PIPE_WIDTH = 200


class Terminal:
    """Prints for one command.

    Parameters
    ----------
    json : bool
        True: stdout receives exactly one JSON object (`result`), stderr all the rest.
    """

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self._stdout = sys.stdout

    @contextmanager
    def captured(self) -> Iterator[None]:
        """With ``json``, send whatever libraries print on stdout to stderr."""
        if not self.json:
            yield
            return
        with redirect_stdout(sys.stderr):
            yield

    def result(self, content: Mapping[str, object]) -> None:
        """Print the one JSON object."""
        print(json.dumps(content, indent=2, allow_nan=False), file=self._stdout, flush=True)

    def say(self, text: str) -> None:
        """Print one line of the answer."""
        print(text, flush=True)

    def answer(self, text: str, **content: object) -> int:
        """Say what was done, or print it as the one JSON object; returns exit code 0."""
        if self.json:
            self.result(content)
        else:
            self.say(text)
        return 0

    def notice(self, text: str) -> None:
        """Print one line beside the answer, on stderr."""
        print(text, file=sys.stderr, flush=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; columns of numbers (all but the first) stand to the right.

        Parameters
        ----------
        headings : sequence of str
            One a column; ``"<name"`` keeps a column to the left.
        rows : sequence of sequences of str
            Cells.
        """
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD)
        for place, heading in enumerate(headings):
            left = place == 0 or heading.startswith("<")
            table.add_column(heading.removeprefix("<"), justify="left" if left else "right")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console = Console(file=sys.stdout)
        if not console.is_terminal:
            console = Console(file=sys.stdout, width=PIPE_WIDTH)
        console.print(table)

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """Show a progress bar on stderr; gives the function ``on_step(done, total)``."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        quiet = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
            task = progress.add_task(title, total=None)

            def on_step(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            yield on_step
