"""``napari-brats models``: list the networks, their weights and what they score; add your own."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli import model_import
from napari_brats.cli.options import add_json
from napari_brats.regions import REGIONS

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.inference.costs import Expectation
    from napari_brats.networks.catalog import ModelRow

_HEADINGS = ("model", "ndim", "paper", "lite", "<weights", "Dice WT", "TC", "ET", "seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command and its actions; without one it lists."""
    add_json(parser)
    actions = parser.add_subparsers(metavar="ACTION")
    show = actions.add_parser("show", help="print the card of a model")
    show.add_argument("name", metavar="NAME|CHECKPOINT[+...]", help="what --model takes")
    show.set_defaults(run=_show)
    add = actions.add_parser("add", help="copy a checkpoint into your model folder")
    add.add_argument(
        "file", type=Path, metavar="FILE", help="a .safetensors file with its card beside it"
    )
    add.add_argument("--name", metavar="NAME", help="what to call it (default: as its card says)")
    add.set_defaults(run=_add)
    remove = actions.add_parser("remove", help="delete a model that you added")
    remove.add_argument("name", metavar="NAME", help="the model's name")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=_remove)
    back = actions.add_parser(
        "rollback", help="remove an adapted model and go back to the one it came from"
    )
    back.add_argument("name", metavar="NAME", help="the adapted model's name")
    back.set_defaults(run=_roll_back)
    download = actions.add_parser("download", help="fetch a published model and add it")
    download.add_argument("name", metavar="NAME", help="the model's name")
    download.set_defaults(run=_download)
    imported = actions.add_parser(
        "import", help="turn Keras or PyTorch weights of one of the networks into a checkpoint"
    )
    model_import.add_arguments(imported)
    imported.set_defaults(run=model_import.run)
    for action in (show, add, remove, back, download, imported):
        add_json(action, default=argparse.SUPPRESS)


def run(_: argparse.Namespace, terminal: "Terminal") -> int:
    """Print the table of models."""
    from napari_brats.networks.catalog import list_models
    from napari_brats.networks.ensembles import ours

    models = list_models(terminal.notice)
    expected = {model.name: _expected(model) for model in models}
    if terminal.json:
        rows = [{**model.to_json(), "here": _facts(expected[model.name])} for model in models]
        terminal.result({"models": rows})
        return 0
    terminal.table(
        (*_HEADINGS, "<recipe", "<paper"),
        [_row(model, expected[model.name]) for model in models],
    )
    if any(expected.values()):
        terminal.say("seconds: folder to mask on this computer, after the first; from earlier runs")
    else:
        terminal.say(
            "seconds: not known on this computer yet; napari-brats doctor --bench measures"
        )
    for model in models:
        if model.card and model.card.scores.get("dataset"):
            terminal.say(f"{model.card.name}: mean Dice on {model.card.scores['dataset']}")
    together = ours(models)
    if together is not None:
        terminal.say(f"{together.name}: {len(together.cards)} networks averaged, as in --model a+b")
    return 0


def _expected(model: "ModelRow") -> "Expectation | None":
    from napari_brats.inference.costs import Costs

    return Costs.load().expect(model.card.name) if model.card else None


def _facts(expected: "Expectation | None") -> dict[str, object] | None:
    return None if expected is None else asdict(expected)


def _row(model: "ModelRow", expected: "Expectation | None") -> tuple[str, ...]:
    spec, card, parameters = model.spec, model.card, model.parameters
    mean = card.scores.get("mean", {}) if card else {}
    return (
        model.name,
        f"{spec.ndim}D",
        *(f"{parameters[size]:,}" if size in parameters else "-" for size in ("paper", "lite")),
        card.name if card else "none",
        *(f"{mean[region]:.3f}" if region in mean else "-" for region in REGIONS),
        f"{expected.seconds:.2g}" if expected and expected.seconds is not None else "-",
        card.recipe if card else spec.recipe,
        spec.paper,
    )


def _show(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Print a card, in words or as it is."""
    from napari_brats.networks.card_text import card_rows
    from napari_brats.networks.ensembles import read_cards

    cards = read_cards(args.name)
    if terminal.json:
        single = cards[0].to_json() if len(cards) == 1 else None
        terminal.result(single or {"members": [card.to_json() for card in cards]})
        return 0
    for card in cards:
        terminal.say(card.name)
        for subject, words in card_rows(card):
            terminal.say(f"  {subject}: {words}")
    return 0


def _add(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Copy a checkpoint into the user's folder."""
    from napari_brats.networks.installing import add_model

    card = add_model(args.file, args.name)
    return _say_added(card.name, terminal)


def _remove(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Delete an added model, after asking."""
    from napari_brats.errors import BratsError, Cancelled
    from napari_brats.networks.catalog import user_folder
    from napari_brats.networks.installing import check_removable, remove_model

    check_removable(args.name)
    if not args.yes:
        if not sys.stdin.isatty():
            raise BratsError(
                f"{args.name!r} was not removed: nobody can be asked here; add --yes to remove it"
            )
        print(f"Delete {args.name!r} from {user_folder()}? [y/N] ", end="", file=sys.stderr)
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Cancelled(f"{args.name!r} stays")
    remove_model(args.name)
    return terminal.answer(f"removed {args.name}", removed=args.name)


def _roll_back(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Remove an adapted model whose origin is there."""
    from napari_brats.networks.lineage import roll_back

    parent = roll_back(args.name)
    text = f"removed {args.name}; go on with --model {parent}"
    return terminal.answer(text, removed=args.name, model=parent)


def _download(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Fetch a model of the table and add it."""
    from napari_brats.networks.downloads import download_model

    with terminal.progress(f"fetching {args.name}") as on_step:
        card = download_model(args.name, on_step=on_step)
    return _say_added(card.name, terminal)


def _say_added(name: str, terminal: "Terminal") -> int:
    from napari_brats.networks.catalog import user_folder

    folder = user_folder().resolve()
    return terminal.answer(
        f"added {name} to {folder}; use it with --model {name}", added=name, folder=str(folder)
    )
