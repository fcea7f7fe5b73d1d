"""TrainConfig: everything a training needs, in one frozen table.

The command line makes its flags, and later the widget its form, from these fields; the
help text of each is its ``metadata["help"]``.
"""

from dataclasses import dataclass, field
from pathlib import Path

from napari_brats.networks.registry import DEFAULT_MODEL


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    model: str = field(
        default=DEFAULT_MODEL, metadata={"help": "network to train (see `napari-brats models`)"}
    )
    preset: str = field(
        default="ours",
        metadata={"help": "ours, or seed: as the network's authors; other settings override it"},
    )
    size: str = field(default="lite", metadata={"help": "size of the network: lite or paper"})
    output: Path = field(
        default=Path("training"),
        metadata={"help": "folder for the checkpoint, its card and the log"},
    )
    resume: bool = field(
        default=False, metadata={"help": "go on with the interrupted training in the output folder"}
    )
    start: str | None = field(
        default=None,
        metadata={"help": "bundled model or checkpoint whose weights to go on from"},
    )
    data: tuple[Path, ...] = field(
        default=(), metadata={"help": "folders of patients with reference masks"}
    )
    anatomy: Path | None = field(
        default=None, metadata={"help": "folder of brain tissue maps for synthetic patients"}
    )
    synthetic_cases: int = field(
        default=0,
        metadata={
            "help": "synthetic patients to make before training starts; 0: a new one each time"
        },
    )
    synthetic_share: float = field(
        default=0.35, metadata={"help": "share of synthetic samples, if there are both kinds"}
    )
    holdout: int = field(
        default=3, metadata={"help": "real patients kept out of training to watch the Dice on"}
    )
    folds: int = field(
        default=0,
        metadata={"help": "keep one of this many folds out instead; 0: as --holdout says"},
    )
    fold: int = field(default=0, metadata={"help": "which fold, from 0"})
    recipe: str = field(
        default="brain-1.5mm", metadata={"help": "preprocessing bound to the weights"}
    )
    steps: int = field(
        default=4000, metadata={"help": "optimizer steps; 0: as many as the preset's epochs have"}
    )
    minutes: float | None = field(
        default=None, metadata={"help": "stop, fully annealed, after this wall-clock time"}
    )
    check_steps: int = field(
        default=250,
        metadata={
            "help": "save, and measure held-out patients, every so many steps; 0: every epoch"
        },
    )
    patience: int = field(
        default=0, metadata={"help": "stop after so many checks without a better Dice; 0: never"}
    )
    batch: int = field(default=2, metadata={"help": "samples a step"})
    crop: tuple[int, int, int] = field(
        default=(96, 112, 96), metadata={"help": "voxels of a training sample"}
    )
    learning_rate: float = field(default=2e-3, metadata={"help": "peak learning rate of AdamW"})
    weight_decay: float = field(default=1e-4, metadata={"help": "decoupled weight decay"})
    average: float = field(
        default=0.998, metadata={"help": "decay of the running average of the weights"}
    )
    drop_modality: float = field(
        default=0.0,
        metadata={"help": "probability that a sample lacks one modality, as patients then may"},
    )
    mixed_precision: bool = field(
        default=True, metadata={"help": "compute in bfloat16 where the device can"}
    )
    fuse: bool = field(
        default=True,
        metadata={"help": "fuse layers with torch.compile where a C++ compiler is found"},
    )
    device: str = field(default="auto", metadata={"help": "auto, cpu, cuda[:i] or mps"})
    devices: int = field(default=1, metadata={"help": "GPUs (or CPU processes) of a node"})
    nodes: int = field(default=1, metadata={"help": "nodes of the cluster that train together"})
    workers: int = field(default=1, metadata={"help": "processes that prepare samples"})
    seed: int = field(default=0, metadata={"help": "seed of everything that is random"})
    cache: Path | None = field(
        default=None, metadata={"help": "folder for preprocessed patients (default: in output)"}
    )
