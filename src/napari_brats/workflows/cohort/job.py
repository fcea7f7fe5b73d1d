"""What is to be done: `Settings` of a run, the `Maker` of a mask, the `Job` of one patient.

All three are small, hold no arrays and travel to other machines.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from napari_brats.errors import CaseError, CheckpointError
from napari_brats.naming import PatientFiles
from napari_brats.networks.card import Card
from napari_brats.networks.ensembles import fingerprints, joint_name, read_cards
from napari_brats.volumes import sha256_of
from napari_brats.workflows.segmented import maker_name

_CARD_FIELDS = ("architecture", "options", "recipe", "outputs", "may_lack", "least_enhancing_ml")


@dataclass(frozen=True)
class Settings:
    """How all patients of a run are segmented.

    Parameters
    ----------
    device, precision, engine, mirror, labels
        As `segment` takes them.
    probabilities, figures : bool
        What is written beside the masks.
    """

    device: str = "auto"
    precision: str = "auto"
    engine: str = "auto"
    mirror: bool = False
    labels: str | None = None
    probabilities: bool = False
    figures: bool = True

    @property
    def sha256(self) -> str:
        """Hash of what changes masks; the device does not, as far as one can choose."""
        return digest({name: getattr(self, name) for name in _THAT_CHANGE_MASKS})


_THAT_CHANGE_MASKS = ("precision", "engine", "mirror", "labels")


@dataclass(frozen=True)
class Maker:
    """A model as a run uses it.

    Parameters
    ----------
    model : str
        As it was asked for: a name, a file, several joined by ``+``, or ``"all"``.
    name : str
        For the table and the names of files.
    weights : tuple of (str, str)
        Name and SHA-256 of each member's weights.
    sha256 : str
        Hash of the weights and of what their cards say about their use.
    """

    model: str
    name: str
    weights: tuple[tuple[str, str], ...]
    sha256: str

    @classmethod
    def of(cls, model: str, settings: Settings) -> "Maker":
        """Look the model up here.

        Raises
        ------
        CheckpointError
            If there is no such model, or it cannot be used.
        """
        return cls._by(model, read_cards(model), settings)

    def cards(self, settings: Settings) -> tuple[Card, ...]:
        """Return the cards of the weights that were looked up, here and now.

        Raises
        ------
        CheckpointError
            If the name has come to mean others since.
        """
        cards = tuple(read_cards(self.model))
        if self._by(self.model, cards, settings).sha256 != self.sha256:
            raise CheckpointError(
                f"the weights or the card of {self.model!r} have changed since the run began; "
                "start it again"
            )
        return cards

    @classmethod
    def _by(cls, model: str, cards: Sequence[Card], settings: Settings) -> "Maker":
        weights = fingerprints(cards)
        uses = [{name: asdict(card)[name] for name in _CARD_FIELDS} for card in cards]
        return cls(
            model=model,
            name=maker_name(joint_name(cards), settings.mirror),
            weights=tuple(weights.items()),
            sha256=digest([weights, uses]),
        )


@dataclass(frozen=True)
class Job:
    """One patient and all masks that are wanted of it.

    Parameters
    ----------
    patient : PatientFiles
        Where its files are, as absolute paths.
    makers : tuple of Maker
        One mask each.
    settings : Settings
        How.
    root : Path
        The output folder.
    retry : bool
        Whether what failed before is tried again.
    """

    patient: PatientFiles
    makers: tuple[Maker, ...]
    settings: Settings
    root: Path
    retry: bool = False

    @property
    def case_id(self) -> str:
        """The patient's id."""
        return self.patient.case_id

    @property
    def source(self) -> Path:
        """The patient's first image."""
        return self.patient.image


@dataclass(frozen=True)
class Inputs:
    """A patient's files by content.

    Parameters
    ----------
    files : tuple of (str, str, str)
        Role (a modality, or `REFERENCE`), path and SHA-256.
    meaning : tuple of (str, str)
        What names and manifests say about the files beside their content.
    """

    files: tuple[tuple[str, str, str], ...]
    meaning: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, patient: PatientFiles) -> "Inputs":
        """Read and hash all files; one that holds several modalities is read once.

        Raises
        ------
        CaseError
            If one cannot be read.
        """
        named = {
            **patient.images,
            **({"reference": patient.reference} if patient.reference else {}),
        }
        try:
            hashes = {path: sha256_of(path) for path in dict.fromkeys(named.values())}
        except OSError as error:
            raise CaseError(
                f"{error.filename!r} cannot be read ({error.strerror}); check the file"
            ) from error
        channels = {name: str(n) for name, n in patient.channels.items() if n is not None}
        return cls(
            tuple((role, str(path), hashes[path]) for role, path in named.items()),
            (("labels", patient.convention_name), *channels.items()),
        )

    @cached_property
    def sha256(self) -> str:
        """One hash of all; paths do not count, so that a dataset may move."""
        return digest([[(role, sha256) for role, _, sha256 in self.files], self.meaning])


def digest(value: object) -> str:
    """Return the SHA-256 of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def makers_of(models: Sequence[str], settings: Settings) -> tuple[Maker, ...]:
    """Look all models up; one that is named twice counts once.

    Raises
    ------
    CheckpointError
        If one is not there, or two of other weights have one name, as their masks then would.
    """
    makers: dict[str, Maker] = {}
    for maker in (Maker.of(model, settings) for model in models):
        first = makers.setdefault(maker.name, maker)
        if first.sha256 != maker.sha256:
            raise CheckpointError(
                f"{first.model!r} and {maker.model!r} are other weights with one name, "
                f"{maker.name!r}, and so would their masks be; give one of them another with "
                "`napari-brats models add FILE --name NAME`"
            )
    return tuple(makers.values())
