"""Choose a model, or all of ours, and a device; the model's card unfolds on request."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_brats.inference.costs import Costs
from napari_brats.networks.catalog import ModelRow, list_models
from napari_brats.networks.ensembles import EnsembleRow, joint_name, ours
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.model_card import card_html, how_to_train, model_title
from napari_brats.workflows.segmented import maker_name

DEVICES = {
    "auto": "auto: the fastest there is",
    "cpu": "CPU",
    "cuda": "NVIDIA GPU (cuda)",
    "mps": "Apple GPU (mps)",
}


Row = ModelRow | EnsembleRow


class ModelPanel(QWidget):
    """Model, card, device, and whether to mirror.

    Parameters
    ----------
    model : str
        Model to show first, if it has weights.
    device : str
        Key in `DEVICES`, or another device's name.
    """

    def __init__(self, model: str, device: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _rows()
        self.models = Combo(
            "Model", "The network that segments; models without weights are greyed", self
        )
        self.info = QPushButton("card", self)
        self.info.setCheckable(True)
        self.info.setToolTip("Show the model's card: training, scores, limits, use")
        self.info.setAccessibleName("Model card")
        self.card = QLabel(self)
        self.expected = QLabel(self)
        self.devices = Combo("Device", "Where the network runs", self)
        self.mirror = QCheckBox("mirror", self)
        self.mirror.setToolTip(
            "Average over the patient and its mirror image, left for right: twice the work"
        )
        self.mirror.setAccessibleName("Average over left and right")
        self._fill_models(model)
        self._fill_devices(device)
        self._lay_out()
        self.models.opening.connect(self.refresh)
        self.info.toggled.connect(self.card.setVisible)
        self.models.currentIndexChanged.connect(self._show_card)
        self.mirror.toggled.connect(self.show_expected)
        self._show_card()

    def model(self) -> str | None:
        """Return the chosen model's name, or None where it has no weights."""
        row = self._row()
        return row.name if row is not None and _usable(row) else None

    def title(self) -> str:
        """Return the chosen model's line in the menu."""
        return self.models.currentText()

    def choose(self, model: str) -> None:
        """Show a model: the name of a network, of its bundled weights or of an added model."""
        for index, row in enumerate(self._rows):
            if model in _names(row):
                self.models.setCurrentIndex(index)

    def device(self) -> str:
        """Return the chosen device's name."""
        return str(self.devices.currentData())

    def refusal(self) -> str:
        """Return why the chosen model cannot be used."""
        return how_to_train(str(self.models.currentData()))

    def tell_device(self, device: str) -> None:
        """Show what ``auto`` turned out to be."""
        self.devices.setItemText(0, f"auto: {device}")

    def refresh(self) -> None:
        """List the models anew: some may have been added or removed since."""
        rows = _rows()
        if rows == self._rows:
            return
        chosen = str(self.models.currentData())
        self._rows = rows
        self.models.blockSignals(True)
        self.models.clear()
        self._fill_models(chosen)
        self.models.blockSignals(False)
        self._show_card()

    def _row(self) -> Row | None:
        index = self.models.currentIndex()
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def _fill_models(self, model: str) -> None:
        """List the rows and choose a model if it has weights, else the first that has."""
        for index, row in enumerate(self._rows):
            self.models.addItem(model_title(row), row.name)
            items = self.models.model()
            item = items.item(index) if isinstance(items, QStandardItemModel) else None
            if item is not None and not _usable(row):
                item.setEnabled(False)
                item.setToolTip(how_to_train(row.name))
        usable = [i for i, row in enumerate(self._rows) if _usable(row)]
        wanted = self.models.findData(model)
        self.models.setCurrentIndex(wanted if wanted in usable or not usable else usable[0])

    def _fill_devices(self, device: str) -> None:
        for name, title in {**DEVICES, **({} if device in DEVICES else {device: device})}.items():
            self.devices.addItem(title, name)
        self.devices.setCurrentIndex(self.devices.findData(device))

    def _lay_out(self) -> None:
        self.card.setWordWrap(True)
        self.card.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.card.setAccessibleName("Model card text")
        self.card.hide()
        self.expected.setWordWrap(True)
        self.expected.setToolTip("Seconds a patient and memory, from earlier runs on this computer")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(captioned("Model", self.models, self.info))
        layout.addWidget(self.card)
        layout.addLayout(captioned("Device", self.devices, self.mirror))
        layout.addWidget(self.expected)

    def _show_card(self) -> None:
        row = self._row()
        self.card.setText("" if row is None else card_html(row))
        self.show_expected()

    def show_expected(self) -> None:
        """Say what the chosen model took here in earlier runs."""
        row = self._row()
        name = "" if row is None else maker_name(_weights(row), self.mirror.isChecked())
        expected = Costs.load().expect(name)
        self.expected.setText("" if expected is None else f"Takes about {expected.in_words()}")
        self.expected.setVisible(expected is not None)


def _rows() -> list[Row]:
    """Return every model, ours first, with all of ours together behind them."""
    models = list_models()
    together = ours(models)
    if together is None:
        return [*models]
    bundled = [row for row in models if row.added_as is None]
    return [*bundled, together, *models[len(bundled) :]]


def _weights(row: Row) -> str:
    """Return the name under which a model's runs are remembered."""
    if isinstance(row, EnsembleRow):
        return joint_name(row.cards)
    return "" if row.card is None else row.card.name


def _usable(row: Row) -> bool:
    return isinstance(row, EnsembleRow) or row.card is not None


def _names(row: Row) -> tuple[str, ...]:
    """Return what finds a row: its name, and of bundled weights theirs."""
    if isinstance(row, EnsembleRow) or row.added_as or row.card is None:
        return (row.name,)
    return (row.name, row.card.name)
