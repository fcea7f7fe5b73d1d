"""Measure how long starting takes, beside a Python that does nothing.

    python benchmarks/startup.py

Prints the best of ten runs each, in milliseconds, and as a ratio to ``python -c pass``. The
targets are under 50 ms for the import itself and under 500 ms for ``napari-brats --help``.
"""

import subprocess
import sys
import time

RUNS = 10
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import napari_brats": ["-c", "import napari_brats"],
    "napari-brats --help": ["-m", "napari_brats", "--help"],
}


def best_ms(arguments: list[str]) -> float:
    """Return the best wall-clock time of a fresh process."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    """Measure and print a Markdown table."""
    times = {name: best_ms(arguments) for name, arguments in COMMANDS.items()}
    nothing = times["python -c pass"]
    print("| command | ms | over doing nothing, ms | ratio |\n| --- | --- | --- | --- |")
    for name, ms in times.items():
        print(f"| `{name}` | {ms:.0f} | {ms - nothing:.0f} | {ms / nothing:.2f} |")


if __name__ == "__main__":
    main()
