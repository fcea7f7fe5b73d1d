"""``napari-brats models import``: weights of other programs become a checkpoint with a card."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.networks.card import OUTPUTS
from napari_brats.networks.registry import MODELS

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what a card has to say that the weights' file does not."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="Keras .h5 or .hdf5, or PyTorch .pt, .pth or .ckpt"
    )
    parser.add_argument("--model", required=True, choices=tuple(MODELS), help="whose weights")
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FILE", help=".safetensors file to write"
    )
    parser.add_argument(
        "--size", default="paper", choices=("paper", "lite"), help="(default: %(default)s)"
    )
    parser.add_argument(
        "--options",
        type=_options,
        default={},
        metavar="JSON",
        help="what differs from that size, such as '{\"width\": 10}'",
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help="preprocessing that the weights were trained with (default for Keras: that of the "
        "network's published code)",
    )
    parser.add_argument(
        "--outputs", choices=tuple(OUTPUTS), help="what the channels mean (default: the network's)"
    )
    parser.add_argument(
        "--label-order",
        default="brats",
        choices=("brats", "nnunet"),
        help="order of the tissues' channels: NCR, ED, ET or nnU-Net's ED, NCR, ET "
        "(default: %(default)s)",
    )
    parser.add_argument("--license", default="", metavar="TEXT", help="of the weights")


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Read, check and save; the file that is read stays as it is."""
    from napari_brats.networks.importing import Source, import_weights

    source = Source(
        path=args.file,
        architecture=args.model,
        size=args.size,
        options=args.options,
        recipe=args.recipe,
        outputs=args.outputs,
        label_order=args.label_order,
        license=args.license,
    )
    weights = import_weights(source, args.output, on_notice=terminal.notice)
    return terminal.answer(
        f"checkpoint: {weights}; try it with --model {weights}, keep it with "
        f"napari-brats models add {weights}",
        checkpoint=str(weights),
    )


def _options(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, found {text!r}")
    return value
