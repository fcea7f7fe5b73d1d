"""The form of a whole-volume tool, made from its row in `TOOLS`."""

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QFormLayout, QLabel, QWidget

from napari_brats.editing.tools.table import TOOLS, Choice, Number, Tool
from napari_brats.widgets.combo import Combo

if TYPE_CHECKING:
    from qtpy.QtGui import QWheelEvent


class NumberBox(QDoubleSpinBox):
    """A number with its unit, deaf to a wheel that only passes."""

    def __init__(self, parameter: Number, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(parameter.title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDecimals(0 if parameter.step >= 1 else 1 if parameter.step >= 0.1 else 2)
        self.setRange(parameter.low, parameter.high)
        self.setSingleStep(parameter.step)
        self.setSuffix(f" {parameter.unit}")
        self.setValue(parameter.default)
        self.setToolTip(f"{parameter.low:g} to {parameter.high:g} {parameter.unit}")
        self.setKeyboardTracking(False)

    def wheelEvent(self, event: "QWheelEvent | None") -> None:
        """Leave the wheel to the dock unless this box was chosen before."""
        if self.hasFocus():
            super().wheelEvent(event)
        elif event is not None:
            event.ignore()


def caption(text: str) -> QLabel:
    """Return a caption as wide as the widest parameter's, so that all fields are in line."""
    label = QLabel(text)
    widest = max((row.title for tool in TOOLS.values() for row in tool.parameters), key=len)
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance(f"{widest} "))
    return label


class ToolForm(QWidget):
    """One row a parameter.

    Attributes
    ----------
    changed : Signal()
        A value was changed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: dict[str, NumberBox | Combo] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        self._tool: Tool | None = None
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)

    def show_tool(self, tool: Tool) -> None:
        """Show a tool's parameters, with the values they had when it was last shown."""
        if self._tool is not None:
            self._kept[self._tool.name] = self.values()
        self._tool = tool
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self._boxes = {}
        values = self._kept.get(tool.name, tool.defaults)
        for parameter in tool.parameters:
            box = self._box(parameter, values[parameter.name])
            self._boxes[parameter.name] = box
            self._rows.addRow(caption(parameter.title), box)

    def values(self) -> dict[str, Any]:
        """Return what is entered, by the parameters' names."""
        return {
            name: box.currentData() if isinstance(box, Combo) else box.value()
            for name, box in self._boxes.items()
        }

    def box(self, name: str) -> NumberBox | Combo:
        """Return the field of a parameter."""
        return self._boxes[name]

    def _box(self, parameter: Number | Choice, value: Any) -> NumberBox | Combo:
        if isinstance(parameter, Number):
            number = NumberBox(parameter, self)
            number.setValue(value)
            number.valueChanged.connect(lambda _: self.changed.emit())
            return number
        choice = Combo(parameter.title, parameter.title, self)
        for name, title in parameter.choices.items():
            choice.addItem(title, name)
        choice.setCurrentIndex(choice.findData(value))
        choice.currentIndexChanged.connect(lambda _: self.changed.emit())
        return choice
