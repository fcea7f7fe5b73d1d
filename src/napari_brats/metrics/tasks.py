"""TASKS: which regions each task of BraTS scores, and the numbers in its lesion-wise rules.

Sources: the challenge parameters of the BraTS 2023 evaluation script
(github.com/rachitsaluja/BraTS-2023-Metrics) and the configurations and parsers of the
package ``brats-evaluation`` 0.0.10 for 2026. A task that one of them lacks takes the
numbers of the nearest task there; `Task.borrowed` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, Tissue, region_tissues


@dataclass(frozen=True)
class Task:
    """What one task of BraTS scores, and how.

    Parameters
    ----------
    name : str
        Value of ``--by-task``.
    title : str
        For people.
    conventions : tuple of str
        Rows of `LABEL_CONVENTIONS` whose masks belong to this task.
    subregions : tuple of str
        Keys of `SUBREGIONS` scored beside WT, TC and ET.
    tissues : tuple of str
        Keys of `SUBREGIONS` of which only the whole is scored: neither script has them.
    dilations : int
        2023: how many times the reference is grown to join its lesions.
    ignored_mm3 : float
        2023: reference lesions up to this volume do not count.
    least_mm3 : float or None
        2026: reference lesions below this volume do not count and every missed or false
        lesion does; None: the mean is over matched lesions.
    borrowed : str
        Whose numbers these are where a script does not know the task.
    """

    name: str
    title: str
    conventions: tuple[str, ...]
    subregions: tuple[str, ...]
    tissues: tuple[str, ...] = ()
    dilations: int = 3
    ignored_mm3: float = 50
    least_mm3: float | None = None
    borrowed: str = ""

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of all regions of the task, WT, TC and ET first."""
        return (*REGIONS, *self.subregions)


_REST = ("NETC", "SNFH")
"""What WT holds beside ET."""

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task(
            "GLI",
            "glioma, before and after treatment",
            (
                "brats2012-2015",
                "brats2017-2021",
                "brats2023-gli",
                "brats2024-gli",
                "msd",
            ),
            ("NETC", "SNFH", "RC"),
        ),
        Task(
            "MET",
            "metastases",
            ("brats-met",),
            ("RC",),
            _REST,
            dilations=1,
            ignored_mm3=2,
            least_mm3=20,
        ),
        Task("MEN", "meningioma", ("brats-men",), (), _REST, dilations=1),
        Task(
            "MEN-RT",
            "meningioma, radiotherapy",
            ("brats-men-rt",),
            ("GTV",),
            dilations=1,
            borrowed="2023 has no MEN-RT: numbers of MEN",
        ),
        Task("PED", "children", ("brats-ped",), ("NETC", "CC", "ED")),
        Task(
            "SSA",
            "Sub-Saharan Africa",
            ("brats-ssa",),
            (),
            _REST,
            borrowed="the 2026 package has no SSA: rule of GoAT",
        ),
        Task("GoAT", "all tumors", (), (), _REST, borrowed="2023 has no GoAT: numbers of GLI"),
    )
}

DEFAULT_TASK = "GLI"


def task_of(convention: str) -> Task:
    """Return the task whose masks follow a row of `LABEL_CONVENTIONS`.

    Without the subregions and tissues that these masks have no code for: glioma before
    treatment has no resection cavity.
    """
    found = (task for task in TASKS.values() if convention in task.conventions)
    task = next(found, TASKS[DEFAULT_TASK])
    row = LABEL_CONVENTIONS.get(convention)
    known = set(Tissue) if row is None else set(row.codes.values())
    return replace(
        task,
        subregions=tuple(name for name in task.subregions if region_tissues(name) & known),
        tissues=tuple(name for name in task.tissues if region_tissues(name) & known),
    )
