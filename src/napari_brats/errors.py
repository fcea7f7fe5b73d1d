"""The errors a person can cause and cure.

Every message is one line that says what was found, what was expected and what to do.
The command line prints it and exits with 2; the widgets show it as a notification.
Anything that is not a `BratsError` is a bug and keeps its traceback.
"""


class BratsError(Exception):
    """A mistake or a limit that the user can do something about."""


class CaseError(BratsError):
    """A patient's folder or files cannot be used as they are."""


class LabelError(BratsError):
    """A mask holds codes that its label convention does not know."""


class CheckpointError(BratsError):
    """Network weights are missing, damaged, unsafe or do not fit."""


class DeviceError(BratsError):
    """The asked-for device or engine is not there, or its memory does not suffice."""


class EngineError(DeviceError):
    """An engine is not installed or refuses a network; another may take its place."""


class ClusterError(BratsError):
    """A cluster cannot be reached, or its workers cannot do the work."""


class DependencyError(BratsError):
    """An optional package is not installed."""


class TrainingError(BratsError):
    """A training cannot go on."""


class OutputError(BratsError):
    """A result cannot be written where it was asked for."""


class TakenError(OutputError):
    """A file that was to be new is there already."""


class JournalError(BratsError):
    """A journal of edits cannot be read, or belongs to another mask."""


class ReviewError(BratsError):
    """The reviews of a case cannot be read, or it is unclear what a reader stands for."""


class Cancelled(BratsError):
    """The user stopped the work; nothing was written."""
