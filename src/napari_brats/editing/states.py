"""State: how far the review of a case is. Importing it loads nothing else."""

from enum import StrEnum


class State(StrEnum):
    """How far the review of a case is."""

    NOT_STARTED = "not started"
    IN_PROGRESS = "in progress"
    SECOND_READER = "needs second reader"
    DONE = "done"
