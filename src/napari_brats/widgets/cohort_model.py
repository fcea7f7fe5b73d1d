"""The table of a cohort for Qt: `CohortModel` holds and sorts, `CohortFilter` hides rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt

from napari_brats.regions import REGIONS
from napari_brats.widgets.thumbnails import Thumbnails
from napari_brats.workflows.review_list import Item

Role = Qt.ItemDataRole
Key = float | str | None
Index = QModelIndex


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    title, tip : str
        For people.
    text : callable
        Takes a patient and the chosen model.
    key : callable
        The same, for sorting; None comes last either way.
    width : int
        In pixels, at first.
    """

    title: str
    tip: str
    text: Callable[[Item, str], str]
    key: Callable[[Item, str], Key]
    width: int = 70


def _dice(item: Item, model: str) -> list[float]:
    row = item.row(model)
    return [] if row is None else [row.dice[name] for name in REGIONS if name in row.dice]


def _volumes(item: Item, model: str) -> list[float]:
    row = item.row(model)
    return [] if row is None else [row.volume_ml.get(name, 0.0) for name in REGIONS]


def _state(item: Item, model: str) -> str:
    row = item.row(model)
    return "" if row is None else str(row.state)


def _why(item: Item, model: str) -> str:
    reasons = () if item.ranked is None else item.ranked.reasons
    more = f" (+{len(reasons) - 1})" if len(reasons) > 1 else ""
    return reasons[0] + more if reasons else ""


def _score(item: Item, model: str) -> float | None:
    return None if item.ranked is None else item.ranked.score


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


COLUMNS = (
    Column("", "The mask on its patient", lambda item, model: "", lambda item, model: None, 52),
    Column(
        "rank",
        "Place in the queue; 1 needs a look first",
        lambda item, model: str(item.place or ""),
        lambda item, model: item.place,
        52,
    ),
    Column(
        "patient",
        "Double-click opens it",
        lambda item, model: item.patient,
        lambda item, model: item.patient,
        170,
    ),
    Column(
        "score",
        "0: nothing unusual, 1: look at once",
        lambda item, model: "" if (score := _score(item, model)) is None else f"{score:.2f}",
        _score,
        58,
    ),
    Column("why", "The gravest reason for the rank", _why, _why, 250),
    Column("mask", "How far the chosen model's mask is", _state, _state, 66),
    Column(
        "review",
        "How far people are",
        lambda item, model: str(item.review),
        lambda item, model: str(item.review),
        126,
    ),
    Column(
        "Dice WT / TC / ET",
        "Against the reference, where there is one; sorted by the mean",
        lambda item, model: " / ".join(f"{one:.2f}" for one in _dice(item, model)),
        lambda item, model: _mean(_dice(item, model)),
        130,
    ),
    Column(
        "ml WT / TC / ET",
        "Volumes of the chosen model's mask; sorted by WT",
        lambda item, model: " / ".join(f"{one:.0f}" for one in _volumes(item, model)),
        lambda item, model: next(iter(_volumes(item, model)), None),
        116,
    ),
    Column(
        "warnings",
        "How many; the tooltip and the lines below the table have them",
        lambda item, model: str(len(item.warnings) or ""),
        lambda item, model: len(item.warnings),
        76,
    ),
)
THUMBNAIL = 0


class CohortModel(QAbstractTableModel):
    """Patients as rows, `COLUMNS` as columns; thumbnails come when they are looked at.

    Parameters
    ----------
    thumbnails : Thumbnails
        Where pictures come from.
    """

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[Item] = []
        self._places: dict[str, int] = {}
        self._model = ""
        self._thumbnails = thumbnails
        thumbnails.ready.connect(self._picture_came)

    def show_items(self, items: Sequence[Item]) -> None:
        """Hold other patients."""
        self.beginResetModel()
        self._items = list(items)
        self._number()
        self.endResetModel()

    def replace(self, item: Item) -> None:
        """Show what is new about one patient."""
        row = self._places.get(item.patient)
        if row is not None:
            self._items[row] = item
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def choose(self, model: str) -> None:
        """Show another model's masks."""
        self._model = model
        if self._items:
            last = self.index(len(self._items) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def item(self, row: int) -> Item:
        """Return the patient of a row."""
        return self._items[row]

    def find(self, patient: str) -> Item | None:
        """Return a patient by id."""
        row = self._places.get(patient)
        return None if row is None else self._items[row]

    def of_case(self, case_id: str) -> list[Item]:
        """Return the patients who have an id where they lie; manifests tell two of one apart."""
        return [item for item in self._items if item.case_id == case_id]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's signature
        """Return how many patients there are."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """Return text, picture or tooltip of one cell; pictures only of rows on the screen."""
        if not index.isValid():
            return None
        item, place = self._items[index.row()], index.column()
        if role == Role.DisplayRole:
            return COLUMNS[place].text(item, self._model)
        if role == Role.DecorationRole and place == THUMBNAIL:
            row = item.row(self._model)
            return self._thumbnails.get(item.patient, row.figure) if row and row.figure else None
        if role == Role.ToolTipRole:
            reasons = () if item.ranked is None else item.ranked.reasons
            return "\n".join((*reasons, *item.warnings)) or None
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """Return a column's title or tooltip."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        return {
            Role.DisplayRole: COLUMNS[section].title,
            Role.ToolTipRole: COLUMNS[section].tip,
        }.get(Role(role))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort in place, ten times faster than Qt's own way through `data`; None comes last."""
        key = COLUMNS[column].key
        keys = [key(item, self._model) for item in self._items]
        known: list[int] = [place for place, one in enumerate(keys) if one is not None]
        unknown = [place for place, one in enumerate(keys) if one is None]
        backward = order == Qt.SortOrder.DescendingOrder
        known.sort(key=lambda place: keys[place], reverse=backward)  # type: ignore[arg-type,return-value]
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        chosen = [self._items[index.row()].patient for index in kept]
        self._items = [self._items[place] for place in (*known, *unknown)]
        self._number()
        moved = [
            self.index(self._places[patient], index.column())
            for patient, index in zip(chosen, kept, strict=True)
        ]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _number(self) -> None:
        self._places = {item.patient: place for place, item in enumerate(self._items)}

    def _picture_came(self, patient: str) -> None:
        row = self._places.get(patient)
        if row is not None:
            at = self.index(row, THUMBNAIL)
            self.dataChanged.emit(at, at, [Role.DecorationRole])


Test = Callable[[Item], bool]
SHOWN: Mapping[str, Test] = {
    "all": lambda item: True,
    "not reviewed": lambda item: item.review in ("not started", "in progress"),
    "needs second reader": lambda item: item.review == "needs second reader",
    "reviewed": lambda item: item.review == "done",
    "failed": lambda item: item.state == "failed",
    "waiting": lambda item: item.state == "waiting",
    "with warnings": lambda item: bool(item.warnings),
}
"""What the menu above the table can show."""


class CohortFilter(QSortFilterProxyModel):
    """Hides the patients that were not asked for; sorting is the model's own."""

    def __init__(self, model: CohortModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._test = SHOWN["all"]
        self._source = model
        self.setDynamicSortFilter(False)
        self.setSourceModel(model)

    def look_for(self, text: str) -> None:
        """Show only patients in whose id, reasons and warnings all of these words are."""
        self._words = tuple(text.casefold().split())
        self.invalidate()

    def show_only(self, name: str) -> None:
        """Show only the patients of a row of `SHOWN`."""
        self._test = SHOWN[name]
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Return whether a patient is shown."""
        if not self._words and self._test is SHOWN["all"]:
            return True
        item = self._source.item(row)
        return self._test(item) and all(word in item.words for word in self._words)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Let the model sort."""
        if column >= 0:
            self._source.sort(column, order)

    def item(self, row: int) -> Item:
        """Return the patient of a row that is shown."""
        return self._source.item(self.mapToSource(self.index(row, 0)).row())
