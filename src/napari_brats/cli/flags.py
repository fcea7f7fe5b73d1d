"""Flags out of a dataclass of settings: one for every field, its help from the metadata."""

import argparse
import types
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints


def add_flags(parser: argparse.ArgumentParser, settings: type) -> None:
    """Declare one flag for every field; what is not given stays unset."""
    hints = get_type_hints(settings)
    for field in fields(settings):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", **_how(field, _required_type(hints[field.name]))
        )


def given_flags(args: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return the fields that were given, lists as tuples."""
    given = {
        field.name: getattr(args, field.name)
        for field in fields(settings)
        if hasattr(args, field.name)
    }
    return {k: tuple(value) if isinstance(value, list) else value for k, value in given.items()}


def _required_type(hint: Any) -> Any:
    """Return ``X`` for ``X | None``; flags are optional anyway."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (arm for arm in get_args(hint) if arm is not type(None))
    return hint


def _how(field: Field[Any], kind: Any) -> dict[str, Any]:
    """Return the arguments of `add_argument` for one field."""
    shown = "none" if field.default in (None, ()) else _plain(field.default)
    text = field.metadata["help"]
    how: dict[str, Any] = {"help": text if "default:" in text else f"{text} (default: {shown})"}
    if field.default is MISSING:
        raise TypeError(f"the setting {field.name!r} needs a default to become a flag")
    how["default"] = argparse.SUPPRESS
    if kind is bool:
        return {**how, "action": argparse.BooleanOptionalAction}
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        count: int | str = "+" if inner[-1] is Ellipsis else len(inner)
        return {**how, "type": inner[0], "nargs": count, "metavar": _metavar(inner[0])}
    return {**how, "type": kind, "metavar": _metavar(kind)}


def _plain(value: object) -> str:
    return " ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _metavar(kind: Any) -> str:
    return {int: "N", float: "X", Path: "PATH"}.get(kind, "NAME")
