"""Paths as people give them: typed, or pasted from a file manager."""

from os.path import expanduser


def typed_path(text: str) -> str:
    """Return the path that a person means: without quotes around it, ``~`` for their home."""
    return expanduser(text.strip().strip("\"'"))
