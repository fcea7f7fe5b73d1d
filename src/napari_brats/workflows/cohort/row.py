"""`Row`: one patient's mask by one model, as a line of ``cohort.csv``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from napari_brats.errors import CaseError
from napari_brats.regions import REGIONS


class State(StrEnum):
    """How far a mask is."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True)
class Row:
    """One patient's mask by one model.

    Parameters
    ----------
    patient, model : str
        The case id, and what made the mask: the weights' name, joined by ``+`` where several
        were averaged. Together they are unique in a table.
    state : State
        Waiting: a run was stopped before.
    reason : str
        Why it failed, one line.
    warnings : tuple of str
        What to know before trusting the mask, one line each.
    source : str
        The patient's first image; `load_case` takes it.
    mask, probabilities, figure : str
        Files, from the output folder on, with slashes; empty where there is none.
    volume_ml : Mapping[str, float]
        Size of WT, TC, ET in milliliters.
    dice, hd95_mm : Mapping[str, float]
        Of WT, TC, ET where there is a reference; a distance that does not exist is left out.
    unsure_ml : Mapping[str, float]
        Volume with a probability within `findings.UNSURE`, of WT, TC, ET.
    unnested_ml : float or None
        Volume where a smaller region is likelier than not and the one around it is not,
        before the mask was made to nest.
    device, engine : str
        Where and with what the network ran.
    seconds : float
        All stages together.
    finished : str
        When, UTC, ISO 8601.
    inputs_sha256, weights_sha256, settings_sha256 : str
        What the mask was made from; with ``software`` they decide whether it is still valid.
    mask_sha256 : str
        Of the mask's file as it was written: another hash means that somebody changed it.
    software : str
        Name and version.
    """

    patient: str
    model: str
    state: State
    reason: str = ""
    warnings: tuple[str, ...] = ()
    source: str = ""
    mask: str = ""
    probabilities: str = ""
    figure: str = ""
    volume_ml: Mapping[str, float] = field(default_factory=dict)
    dice: Mapping[str, float] = field(default_factory=dict)
    hd95_mm: Mapping[str, float] = field(default_factory=dict)
    unsure_ml: Mapping[str, float] = field(default_factory=dict)
    unnested_ml: float | None = None
    device: str = ""
    engine: str = ""
    seconds: float | None = None
    finished: str = ""
    inputs_sha256: str = ""
    weights_sha256: str = ""
    settings_sha256: str = ""
    mask_sha256: str = ""
    software: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What is unique in a table."""
        return self.patient, self.model

    def cells(self) -> dict[str, str | float | None]:
        """Return the values by column: `COLUMNS`."""
        cells: dict[str, str | float | None] = {}
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if name in _BY_REGION:
                cells.update({_column(name, region): value.get(region) for region in REGIONS})
            elif name == "warnings":
                cells[name] = "\n".join(value)
            else:
                cells[name] = str(value) if name == "state" else value
        return cells

    @classmethod
    def from_cells(cls, cells: Mapping[str, object], source: str) -> "Row":
        """Return the row that `cells` came from; columns that it does not know are passed over.

        Parameters
        ----------
        cells : Mapping[str, object]
            Text or numbers by column; a number may also stand as text, nothing as "" or None.
        source : str
            File and line, for the message.

        Raises
        ------
        CaseError
            If a column is missing or holds what it cannot.
        """
        found: dict[str, object] = {}
        try:
            for name in (one.name for one in fields(cls)):
                if name in _BY_REGION:
                    read = {one: _number(cells[_column(name, one)]) for one in REGIONS}
                    found[name] = {one: value for one, value in read.items() if value is not None}
                elif name in _NUMBERS:
                    found[name] = _number(cells[name])
                elif name == "warnings":
                    found[name] = tuple(str(cells[name] or "").splitlines())
                else:
                    found[name] = str(cells[name] or "")
            found["state"] = State(str(found["state"]))
        except (KeyError, ValueError) as error:
            what = f"no column {error}" if isinstance(error, KeyError) else str(error)
            raise CaseError(
                f"{source}: {what}; write the table with napari-brats cohort"
            ) from error
        return cls(**found)  # type: ignore[arg-type]


_BY_REGION = ("volume_ml", "dice", "hd95_mm", "unsure_ml")
_NUMBERS = ("unnested_ml", "seconds")


def _column(name: str, region: str) -> str:
    return f"{name}_{region}"


def _number(value: object) -> float | None:
    return None if value in ("", None) else float(str(value))


COLUMNS = tuple(Row("", "", State.WAITING).cells())
"""Of ``cohort.csv``, in order."""

NUMERIC = frozenset(
    (*_NUMBERS, *(_column(name, region) for name in _BY_REGION for region in REGIONS))
)
"""Those of `COLUMNS` that hold numbers."""
