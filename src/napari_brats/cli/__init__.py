"""The command line: one file a command, `app` puts them together."""

from napari_brats.cli.app import main, run

__all__ = ["main", "run"]
