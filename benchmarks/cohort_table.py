"""How fluid the Cohort widget's table is: fill, sort, filter, scroll; milliseconds each.

python benchmarks/cohort_table.py [PATIENTS]
"""

import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from napari_brats.metrics.ranking import Ranked
from napari_brats.widgets.cohort_model import COLUMNS, SHOWN
from napari_brats.widgets.cohort_table import CohortTable
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import write_table
from napari_brats.workflows.queue import write_queue
from napari_brats.workflows.review_list import read_items

MODELS = ("dresunet3d-lite", "unet3d-lite")
PICTURES = 200


def write_cohort(root: Path, patients: int) -> None:
    """Write a table, a queue and some pictures; all numbers are random, seed 0."""
    draw = random.Random(0)
    rows, queue = [], []
    for number in range(patients):
        patient = f"BraTS2021_{number:05}"
        for model in MODELS:
            sizes = sorted((draw.uniform(0, 150) for _ in range(3)), reverse=True)
            dice = {name: draw.random() for name in ("WT", "TC", "ET")}
            rows.append(
                Row(
                    patient, model, State.DONE if draw.random() > 0.02 else State.FAILED,
                    warnings=("the grid is turned by 12 degrees",) * (draw.random() < 0.1),
                    source=str(root / patient / f"{patient}_t1.nii.gz"),
                    figure=f"figures/{number % PICTURES}.png",
                    volume_ml=dict(zip(dice, sizes, strict=True)), dice=dice,
                )
            )  # fmt: skip
        queue.append(
            Ranked(patient, draw.random(), {"far": 0.1}, ("2 far from the largest focus",))
        )
    (root / "figures").mkdir()
    for number in range(PICTURES):
        picture = QImage(900, 300, QImage.Format.Format_RGB32)
        picture.fill(Qt.GlobalColor(7 + number % 10))
        picture.save(str(root / "figures" / f"{number}.png"))
    write_table(root / "cohort.csv", rows)
    write_queue(Layout(root).queue, sorted(queue, key=lambda one: -one.score))


def took(work: Callable[[], object]) -> float:
    """Return milliseconds of a call and of the painting that follows."""
    start = perf_counter()
    work()
    QApplication.processEvents()
    return 1000 * (perf_counter() - start)


def tell(what: str, times: list[float]) -> None:
    """Print the middle and the longest time."""
    print(f"{what:34} {statistics.median(times):8.1f} ms, at most {max(times):8.1f} ms")


def main() -> None:
    """Measure and print."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    application = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_cohort(root, patients)
        print(f"{patients} patients, {len(MODELS)} models")
        tell("read table, queue and reviews", [took(lambda: read_items(root)) for _ in range(3)])
        items = read_items(root)
        table = CohortTable()
        table.resize(1000, 600)
        table.show()
        QApplication.processEvents()
        table.thumbnails.look_in(root)
        tell("fill", [took(lambda: table.show_items(items)) for _ in range(5)])
        orders = (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder)
        tell(
            "sort by any column",
            [
                took(lambda column=column, order=order: table.view.sortByColumn(column, order))
                for column in range(1, len(COLUMNS))
                for order in orders
            ],
        )
        words = ("0", "00", "004", "0042", "turned", "")
        tell(
            "filter by a word",
            [took(lambda word=word: table.search.setText(word)) for word in words],
        )
        tell(
            "filter by the menu",
            [took(lambda name=name: table.shown.setCurrentText(name)) for name in SHOWN],
        )
        table.shown.setCurrentText("all")
        bar = table.view.verticalScrollBar()
        places = [bar.maximum() * step // 200 for step in range(200)]
        tell(
            "scroll to anywhere",
            [took(lambda place=place: bar.setValue(place)) for place in places],
        )
        steps = range(0, 200 * 40, 40)
        tell(
            "scroll by 40 pixels",
            [took(lambda place=place: bar.setValue(place)) for place in steps],
        )
        tell(
            "another model",
            [took(lambda name=name: table.models.setCurrentText(name)) for name in MODELS[::-1]],
        )
        table.thumbnails.close()
        table.close()
        application.processEvents()


if __name__ == "__main__":
    main()
