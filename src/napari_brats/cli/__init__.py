"""The command line: one file a command, `app` puts them together."""

from napari_brats.cli.app import main

__all__ = ["main"]
