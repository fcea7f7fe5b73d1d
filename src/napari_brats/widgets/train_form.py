"""The settings of a training as a form, made from `TrainConfig` by magicgui."""

from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from magicgui.widgets import Container, create_widget
from qtpy.QtWidgets import QPushButton, QWidget

from napari_brats.networks.registry import MODELS
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.training.config import TrainConfig
from napari_brats.training.presets import PRESETS
from napari_brats.training.settings import config_of_preset
from napari_brats.widgets.typed_path import typed_path

FIRST = (
    "model", "data", "anatomy", "output", "minutes", "steps", "holdout",
)  # fmt: skip
"""What a person decides; the other settings have good defaults and unfold on request."""

_CHOOSING = ("preset", "model")
"""What decides the defaults of all else."""

_HIDDEN = {"resume", "devices", "nodes"}
_FOLDERS = {"data", "anatomy", "output", "cache"}


class TrainForm:
    """Two containers of magicgui widgets, one a field of `TrainConfig`.

    Attributes
    ----------
    first, more : magicgui.widgets.Container
        What a person decides, and the rest.
    """

    def __init__(self) -> None:
        hints = get_type_hints(TrainConfig)
        entries = {entry.name: entry for entry in fields(TrainConfig) if entry.name not in _HIDDEN}
        self._widgets = {name: _widget(entry, hints[name]) for name, entry in entries.items()}
        self.first: Any = Container(widgets=[self._widgets[name] for name in FIRST])
        rest = [widget for name, widget in self._widgets.items() if name not in FIRST]
        self.more: Any = Container(widgets=rest)
        self._widgets["minutes"].native.setSpecialValueText("no limit")
        self._defaults = TrainConfig()
        for name in _CHOOSING:
            self._widgets[name].changed.connect(self._show_preset)

    def __getitem__(self, name: str) -> Any:
        return self._widgets[name]

    def output(self) -> Path:
        """Return the folder that the training writes to."""
        return Path(self._value("output") or TrainConfig.output)

    def _value(self, name: str) -> Any:
        """Return what a person chose or typed."""
        value = self._widgets[name].value
        return Path(typed_path(str(value))) if name in _FOLDERS and value else value

    def _show_preset(self, *_: object) -> None:
        """Show a preset's numbers, but for those that a person has changed."""
        before, now = self._defaults, config_of_preset(*(self[name].value for name in _CHOOSING))
        for name, widget in self._widgets.items():
            old, new = getattr(before, name), getattr(now, name)
            if name not in _CHOOSING and new != old and _same(widget.value, old):
                widget.value = new
        self._defaults = now

    def flags(self) -> list[str]:
        """Return the flags of ``napari-brats train`` for what differs from the preset's."""
        flags = []
        for name in self._widgets:
            value, flag = self._value(name), f"--{name.replace('_', '-')}"
            default = getattr(TrainConfig if name in _CHOOSING else self._defaults, name)
            if value is None or _same(value, default):
                continue
            if isinstance(value, bool):
                flags.append(flag if value else f"--no-{name.replace('_', '-')}")
            elif isinstance(value, tuple | list):
                flags += [flag, *map(str, value)]
            else:
                flags += [flag, str(value)]
        return flags


def _widget(entry: Field[Any], hint: Any) -> Any:
    """Return the widget of one setting."""
    options: dict[str, Any] = {"tooltip": entry.metadata["help"]}
    value, annotation = entry.default, _plain(hint)
    if entry.name in _FOLDERS:
        options |= {"mode": "d", "nullable": True}
        value, annotation = value or None, Path
    elif entry.name in _CHOICES:
        options["choices"] = _CHOICES[entry.name]
    elif get_origin(annotation) is tuple:
        options["layout"] = "vertical"
    elif annotation is float:
        options |= {"step": 1e-4, "min": 0.0, "max": 1e6}
        value = value or 0.0
    elif annotation is int:
        options |= {"min": 0, "max": 10**9}
    elif annotation is str and value is None:
        value = ""
    label = entry.name.replace("_", " ")
    widget = create_widget(value, annotation, name=entry.name, label=label, options=options)
    _name_parts(widget.native, label)
    return widget


def _name_parts(native: QWidget, label: str) -> None:
    """Tell screen readers what the parts of a setting are; magicgui's labels are beside them."""
    for part in (native, *native.findChildren(QWidget)):
        if not isinstance(part, QPushButton):
            part.setAccessibleName(label)


_CHOICES = {
    "model": tuple(MODELS),
    "preset": tuple(PRESETS),
    "size": ("lite", "paper"),
    "recipe": tuple(RECIPES),
    "device": ("auto", "cpu", "cuda", "mps"),
}


def _plain(hint: Any) -> Any:
    """Return ``X`` for ``X | None``."""
    arms = [arm for arm in get_args(hint) if arm is not type(None)]
    return arms[0] if get_origin(hint) is not tuple and len(arms) == 1 else hint


def _same(value: Any, default: Any) -> bool:
    """Whether a widget shows a field's default; empty means unset."""
    return value == default or (default in (None, ()) and value in (None, "", Path(), 0.0))
