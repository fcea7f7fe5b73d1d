"""NAMINGS: how each BraTS edition names its files, one row an edition.

A template is a file name without its extension. ``{case}`` stands for the patient, and
``{suffix}`` for one of the row's suffixes; ``*`` and ``[...]`` match as in a shell, ``#`` a
number. Upper and lower case are one, and a template matches the whole name, so that ``_t1``
never takes ``_t1ce``. The row that explains most of a patient's files wins, and the upper
one of equals: the strict rows stand first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

MODALITIES = ("t1", "t1ce", "t2", "flair")
"""The four images of a patient, in the order in which they are listed everywhere."""

REFERENCE = "reference"
"""Role of the reference mask, beside the four modalities."""

EXTENSIONS = (".nii.gz", ".nii", ".mha")

_UNDERSCORED = {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair", REFERENCE: "seg"}
_ANY = r".+"
_HYPHENATED = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f", REFERENCE: "seg"}


@dataclass(frozen=True)
class Naming:
    r"""How one edition names the files of a patient.

    Parameters
    ----------
    name : str
        Key of the row.
    title : str
        The edition, for people.
    case : str
        Regular expression of a patient's id; ``""`` where files do not carry it and the
        folder's name is the id.
    templates : tuple of str
        File names without extension, first the one to write.
    suffixes : Mapping[str, str]
        Modality (or ``"reference"``) to what its file name carries.
    aliases : Mapping[str, str]
        Other suffixes that are read, and what they stand for.
    convention : str
        Row of `LABEL_CONVENTIONS` that the reference follows.
    example : str
        A patient's id as this edition writes it.
    nested : bool
        Whether each file may lie in a folder of its own below the patient's.
    extension : str
        Of the edition's own files; others of `EXTENSIONS` are read too.
    caution : str
        What a person should know who reads references under these names with `convention`,
        one line.
    quirks : Mapping[tuple[str, str], str]
        Published mistakes: (patient, file name without extension) to the file's true role.
    """

    name: str
    title: str
    case: str
    templates: tuple[str, ...]
    suffixes: Mapping[str, str]
    convention: str
    example: str
    nested: bool = False
    extension: str = ".nii.gz"
    caution: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    quirks: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def strict(self) -> bool:
        """Whether only an edition's own ids are read, not those of anybody."""
        return self.case != _ANY

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that this edition provides."""
        return tuple(role for role in self.suffixes if role != REFERENCE)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        suffixes = "|".join(re.escape(suffix) for suffix in self._roles)
        return tuple(
            re.compile(_regex(template, self.case, suffixes), re.IGNORECASE)
            for template in self.templates
        )

    @cached_property
    def _roles(self) -> dict[str, str]:
        return {suffix.lower(): role for role, suffix in self.suffixes.items()} | dict(self.aliases)

    def parse(self, stem: str, folder: str) -> tuple[str, str] | None:
        """Return (patient's id, role) of a file, or None if it is not of this edition.

        Parameters
        ----------
        stem : str
            File name without extension.
        folder : str
            Name of the patient's folder.
        """
        for (case, quirk), role in self.quirks.items():
            if folder.lower() == case.lower() and stem.lower() == quirk.lower():
                return folder, role
        for pattern in self._patterns:
            match = pattern.fullmatch(stem)
            if match:
                case_id = match.groupdict().get("case") or folder
                return case_id, self._roles[match["suffix"].lower()]
        return None

    def file_name(self, case_id: str, role: str, extension: str | None = None) -> str:
        """Return the name of one file of a patient.

        Parameters
        ----------
        case_id : str
            The patient.
        role : str
            A modality of this row, or ``"reference"``.
        extension : str, optional
            One of `EXTENSIONS` if not the edition's own.
        """
        template = re.sub(r"\[(.).*?\]", r"\1", self.templates[0])
        return template.format(case=case_id, suffix=self.suffixes[role]) + (
            extension or self.extension
        )


def _regex(template: str, case: str, suffixes: str) -> str:
    pieces = {
        "{case}": f"(?P<case>{case})",
        "{suffix}": f"(?P<suffix>{suffixes})",
        "*": ".*",
        "#": r"\d+",
    }
    parts = re.split(r"(\{case\}|\{suffix\}|\*|#|\[.*?\])", template)
    return "".join(
        pieces.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts
    )


def _challenge(track: str, convention: str, title: str, number: str, example: str) -> Naming:
    return Naming(
        name=f"brats-{track.lower()}",
        title=title,
        case=rf"BraTS-{track}-{number}",
        templates=("{case}-{suffix}",),
        suffixes=_HYPHENATED,
        convention=convention,
        example=example,
    )


_SESSION = r"\d+-\d+"

NAMINGS: Mapping[str, Naming] = {
    row.name: row
    for row in (
        Naming(
            name="brats2012-2015",
            title="BraTS 2012-2015 (VSD names)",
            case="",
            templates=("VSD.Brain*.{suffix}.#",),
            suffixes={
                "t1": "MR_T1",
                "t1ce": "MR_T1c",
                "t2": "MR_T2",
                "flair": "MR_Flair",
                REFERENCE: "OT",
            },
            convention="brats2012-2015",
            example="brats_2013_pat0001_1",
            nested=True,
            extension=".mha",
        ),
        Naming(
            name="brats2017-2020",
            title="BraTS 2017-2020",
            case=r"BraTS(17|18|19|20)_.+",
            templates=("{case}_{suffix}",),
            suffixes=_UNDERSCORED,
            convention="brats2017-2021",
            example="BraTS20_Training_001",
            quirks={("BraTS20_Training_355", "W39_1998.09.19_Segm"): REFERENCE},
        ),
        Naming(
            name="brats2021",
            title="BraTS 2021",
            case=r"BraTS2021_\d+",
            templates=("{case}_{suffix}",),
            suffixes=_UNDERSCORED,
            convention="brats2017-2021",
            example="BraTS2021_00005",
        ),
        # Post-treatment patients (2024+) carry code 4, a cavity; the others only lack it.
        # Their ids do not tell the two apart safely, so one row reads both.
        _challenge(
            "GLI", "brats2024-gli", "BraTS 2023+ GLI (glioma)", _SESSION, "BraTS-GLI-00005-000"
        ),
        _challenge(
            "MET", "brats-met", "BraTS 2023+ MET (metastases)", _SESSION, "BraTS-MET-00005-000"
        ),
        Naming(
            name="brats-men-rt",
            title="BraTS 2024+ MEN-RT (meningioma, radiotherapy)",
            case=r"BraTS-MEN-RT-\d+-\d+",
            templates=("{case}[_-]{suffix}",),
            suffixes={"t1ce": "t1c", REFERENCE: "gtv"},
            convention="brats-men-rt",
            example="BraTS-MEN-RT-0001-1",
        ),
        _challenge(
            "MEN", "brats-men", "BraTS 2023+ MEN (meningioma)", _SESSION, "BraTS-MEN-00005-000"
        ),
        Naming(
            name="brats-ped",
            title="BraTS 2024+ PED (children)",
            case=rf"BraTS-PED-{_SESSION}",
            templates=("{case}-{suffix}",),
            suffixes=_HYPHENATED,
            convention="brats-ped",
            example="BraTS-PED-00005-000",
            caution="the reference is read with the codes of 2024 and later; the collection of "
            "2023 has the same names but the codes of 'brats2023-gli': choose those with --labels",
        ),
        _challenge(
            "SSA",
            "brats-ssa",
            "BraTS 2023+ SSA (Sub-Saharan Africa)",
            _SESSION,
            "BraTS-SSA-00005-000",
        ),
        _challenge(
            "GoAT",
            "brats2023-gli",
            "BraTS 2024+ GoAT (all tumors)",
            r"\d+(-\d+)?",
            "BraTS-GoAT-00005",
        ),
        Naming(
            name="own-underscored",
            title="any patient with the suffixes of BraTS 2017-2021",
            case=_ANY,
            templates=("{case}[_.-]{suffix}", "{suffix}"),
            suffixes=_UNDERSCORED,
            aliases={"t1c": "t1ce", "t1gd": "t1ce"},
            convention="brats2017-2021",
            example="patient_007",
        ),
        Naming(
            name="own-hyphenated",
            title="any patient with the suffixes of BraTS 2023+",
            case=_ANY,
            templates=("{case}[-_.]{suffix}", "{suffix}"),
            suffixes=_HYPHENATED,
            convention="brats2023-gli",
            example="patient-007",
        ),
    )
}
