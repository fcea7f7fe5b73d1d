"""Ask what the labels of other programs' masks mean: nothing is guessed without being shown."""

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.intake import LEFT_OUT, Label, Target, likely_target
from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, TISSUE_TITLES, LabelConvention, Tissue
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo

COLUMNS = ("layer", "label", "ml", "becomes")
_CHOOSE = "choose..."
_WIDEST = 210

Targets = dict[tuple[int, int], Target]
AskTargets = Callable[[Sequence[str], Sequence[Label], float, LabelConvention], Targets | None]


class IntakeDialog(QDialog):
    """One line for each label, with what it becomes; OK only when every line says so.

    Parameters
    ----------
    names : sequence of str
        The layers.
    labels : sequence of Label
        What they hold.
    voxel_ml : float
        Volume of a voxel in milliliters.
    convention : LabelConvention
        The patient's edition, whose tissues can be chosen.
    """

    def __init__(
        self,
        names: Sequence[str],
        labels: Sequence[Label],
        voxel_ml: float,
        convention: LabelConvention,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Take in masks")
        self._labels = labels
        self.targets = [
            self._target_menu(convention, f"Label {label.value} of {names[label.layer]} becomes")
            for label in labels
        ]
        self.presets = Combo("All labels as in", "Codes of an edition or program", self)
        self.presets.addItem(_CHOOSE, None)
        for row in LABEL_CONVENTIONS.values():
            self.presets.addItem(row.title, row)
        self.table = QTableWidget(len(labels), len(COLUMNS), self)
        self._fill(names, voxel_ml)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        text = QLabel(
            "A new mask is made of these labels; the layers stay as they are. Regions are nested: "
            "what becomes ET belongs to TC and WT too. Tissues are painted over regions, later "
            "layers over earlier ones.",
            self,
        )
        text.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addLayout(captioned("Codes", self.presets))
        layout.addWidget(self.table)
        layout.addWidget(self.buttons)
        self.resize(560, 420)
        self.presets.activated.connect(lambda _: self._apply_preset())
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._guess(names)
        self._allow()

    def chosen(self) -> Targets:
        """Return what each label becomes."""
        return {
            (label.layer, label.value): menu.currentData()
            for label, menu in zip(self._labels, self.targets, strict=True)
        }

    def _target_menu(self, convention: LabelConvention, name: str) -> Combo:
        menu = Combo(name, "What the voxels of this label are", self)
        menu.addItem(_CHOOSE, None)
        for region in REGIONS.values():
            menu.addItem(f"{region.name}: {region.title}", region.name)
        for tissue in dict.fromkeys(convention.codes.values()):
            menu.addItem(TISSUE_TITLES[tissue], tissue)
        menu.addItem(LEFT_OUT, LEFT_OUT)
        menu.currentIndexChanged.connect(lambda _: self._allow())
        return menu

    def _fill(self, names: Sequence[str], voxel_ml: float) -> None:
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setAccessibleName("Labels and what they become")
        for row, label in enumerate(self._labels):
            cells = (names[label.layer], str(label.value), f"{label.voxels * voxel_ml:.2f}")
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(row, column, item)
            self.table.setCellWidget(row, len(COLUMNS) - 1, self.targets[row])
        rows, heads = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None:
            rows.hide()
        if heads is not None:
            heads.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            heads.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            heads.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Fixed)
            heads.resizeSection(len(COLUMNS) - 1, _WIDEST)

    def _guess(self, names: Sequence[str]) -> None:
        """Choose beforehand where a layer's name says it; all of it is shown."""
        for label, menu in zip(self._labels, self.targets, strict=True):
            alone = sum(other.layer == label.layer for other in self._labels)
            self._choose(menu, likely_target(names[label.layer], alone))

    def _apply_preset(self) -> None:
        convention: LabelConvention | None = self.presets.currentData()
        if convention is not None:
            for label, menu in zip(self._labels, self.targets, strict=True):
                self._choose(menu, convention.codes.get(label.value))

    def _choose(self, menu: Combo, target: Target | None) -> None:
        data = [menu.itemData(place) for place in range(menu.count())]
        kinds = [
            place
            for place, found in enumerate(data)
            if found == target and isinstance(found, Tissue) == isinstance(target, Tissue)
        ]
        menu.setCurrentIndex(kinds[0] if kinds else 0)

    def _allow(self) -> None:
        """Let OK be pressed when nothing is left to choose."""
        if not hasattr(self, "buttons"):
            return
        complete = bool(self.targets) and all(
            menu.currentData() is not None for menu in self.targets
        )
        button = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        if button is not None:
            button.setEnabled(complete)


def ask_targets(parent: QWidget) -> AskTargets:
    """Return a question in a dialog: what labels become; None if the person goes back."""

    def ask(
        parent: QWidget,
        names: Sequence[str],
        labels: Sequence[Label],
        voxel_ml: float,
        convention: LabelConvention,
    ) -> Targets | None:
        dialog = IntakeDialog(names, labels, voxel_ml, convention, parent)
        return dialog.chosen() if dialog.exec() == QDialog.DialogCode.Accepted else None

    return partial(ask, parent)
