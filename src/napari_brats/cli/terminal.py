"""Where the commands print: people's text, progress, and the one JSON object."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout

# A table in a pipe has no window to fit into; cutting it would lose what the pipe is for.
PIPE_WIDTH = 200
_FOLDED = 24
_FRAME = 3


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

        Text is folded where the window is narrow. Numbers are never cut: columns that do not
        fit follow below, beside the first column again.

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

        console = Console(file=sys.stdout)
        if not console.is_terminal:
            console = Console(file=sys.stdout, width=PIPE_WIDTH)
        widths = _least_widths(headings, rows)
        with console.capture() as printed:
            for columns in _parts(widths, console.width):
                table = Table(box=box.SIMPLE_HEAD)
                for place in columns:
                    table.add_column(
                        Text(headings[place].removeprefix("<")),
                        justify="left" if _is_text(headings, place) else "right",
                        min_width=widths[place],
                        overflow="fold",
                    )
                for row in rows:
                    table.add_row(*(Text(row[place]) for place in columns))
                console.print(table)
        # rich itself ends the process where nobody reads; `main` does that in good order.
        print(printed.get(), end="", flush=True)

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """Show a progress bar on stderr; gives the function ``on_step(done, total)``.

        A total of 0 means that it is not known yet.
        """
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
                progress.update(task, completed=done, total=total or None)

            yield on_step


def _is_text(headings: Sequence[str], place: int) -> bool:
    return place == 0 or headings[place].startswith("<")


def _least_widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the letters that each column needs: numbers whole, headings by the word."""
    from rich.cells import cell_len

    widths = []
    for place, heading in enumerate(headings):
        words = max(map(cell_len, heading.removeprefix("<").split()), default=0)
        lines = [cell_len(line) for row in rows for line in row[place].splitlines()]
        longest = max(lines, default=0)
        text = _is_text(headings, place)
        widths.append(max(words, min(longest, _FOLDED) if text else longest))
    return widths


def _parts(widths: Sequence[int], space: int) -> list[list[int]]:
    """Return the columns of each table that fits into the space, the first one in all."""
    parts = [[0]]
    for place in range(1, len(widths)):
        needed = 1 + sum(widths[one] + _FRAME for one in (*parts[-1], place))
        if needed > space and len(parts[-1]) > 1:
            parts.append([0])
        parts[-1].append(place)
    return parts
