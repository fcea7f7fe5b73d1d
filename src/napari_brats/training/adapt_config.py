"""AdaptConfig: everything an adaptation needs, in one frozen table, as `TrainConfig` is."""

from dataclasses import dataclass, field
from pathlib import Path

from napari_brats.networks.registry import DEFAULT_MODEL


@dataclass(frozen=True)
class AdaptConfig:
    """One adaptation."""

    model: str = field(
        default=DEFAULT_MODEL, metadata={"help": "model to adapt: bundled, added, or a checkpoint"}
    )
    cases: tuple[Path, ...] = field(
        default=(), metadata={"help": "folders of patients whose masks were reviewed"}
    )
    name: str | None = field(
        default=None, metadata={"help": "what to call the new model (default: a next version)"}
    )
    all: bool = field(
        default=False,
        metadata={
            "help": "take cases that nobody marked as reviewed too: their newest saved mask, "
            "else their reference"
        },
    )
    mix: tuple[Path, ...] = field(
        default=(),
        metadata={
            "help": "folders of patients with references to mix in against forgetting (default: a "
            "bundled sample)"
        },
    )
    minutes: float = field(
        default=10.0, metadata={"help": "time for everything: reading, comparing, training"}
    )
    steps: int = field(default=200, metadata={"help": "optimizer steps at most"})
    holdout: int = field(
        default=0, metadata={"help": "cases held back to compare on; 0: a third of them"}
    )
    learning_rate: float = field(default=5e-4, metadata={"help": "peak learning rate of AdamW"})
    mixed_precision: bool = field(
        default=True, metadata={"help": "compute in bfloat16 where the device can"}
    )
    device: str = field(default="auto", metadata={"help": "auto, cpu, cuda[:i] or mps"})
    workers: int = field(default=1, metadata={"help": "processes that prepare samples"})
    seed: int = field(default=0, metadata={"help": "decides who is held back, and every draw"})
