"""PRESETS: how a network is trained, in our way and in its authors'; one row a training.

``ours`` is one row for all networks. ``seed`` has the numbers of each network's authors, at
their size and with their recipe; what is plainly a mistake in their code is not repeated but
named in ``left_out``. Importing this module does not import torch; `make_optimizer` does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_brats.errors import TrainingError
from napari_brats.networks.registry import MODELS, model_spec
from napari_brats.preprocessing.recipes import recipe_named
from napari_brats.training.config import TrainConfig
from napari_brats.training.schedules import SCHEDULES, Moment

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

AUGMENTATIONS: Mapping[str, str] = {
    "affine": "rotated and scaled at random",
    "elastic": "deformed smoothly by a voxel or two, every tenth sample",
    "flip-0": "mirrored along the first axis, every other sample",
    "flip-1": "mirrored along the second axis, every other sample",
    "lesion": "offset and contrast of each channel inside the tumor",
    "intensity": "brightness, contrast, local shifts, blur and noise of the brain at random",
}
SAMPLINGS: Mapping[str, str] = {
    "tumor": "half of the crops are centered on tumor, half anywhere in the brain",
    "brain": "three crops a slice are centered anywhere in the brain",
    "whole": "the recipe's whole grid, or all of its slices",
}


@dataclass(frozen=True)
class Preset:
    """How to train one network.

    Parameters
    ----------
    name : str
        ``"ours"`` or ``"seed"``.
    loss : str
        Row of `LOSSES`; it decides the network's outputs.
    optimizer : str
        Class in `torch.optim`.
    learning_rate : float
        Times the schedule's factor.
    crop : tuple of int
        Voxels of a sample on the recipe's grid: (X, Y, Z), of which a 2D network gets all
        slices, or (X, Y), one slice.
    batch : int
        Samples a step.
    recipe : str
        Row of RECIPES, which names the modalities too.
    steps, epochs : int, optional
        The length; one of the two.
    size : str
        Of the network: ``"lite"`` or ``"paper"``.
    options : Mapping[str, Any]
        Constructor arguments of the network, such as its dropout.
    optimizer_options : Mapping[str, Any]
        Further arguments of the optimizer, among them its ``weight_decay``: decoupled in
        AdamW, L2 in the others; 0 where none is given.
    schedule : str
        Row of `SCHEDULES`.
    sampling : str
        Row of `SAMPLINGS`.
    augmentation : tuple of str
        Rows of `AUGMENTATIONS`, first to last.
    least_tumor : float
        Patients whose tumor takes less than this share of the grid are left out.
    gradient_clip : float, optional
        Largest norm of a step's gradient.
    weight_average : float, optional
        Decay of the running average of the weights that is kept in place of the last ones.
    patience : int, optional
        Epochs without a better result on the held-out patients after which training stops:
        the mean Dice of WT, TC and ET, where the authors watch the loss.
    left_out : tuple of str
        What the authors' code does and this does not.
    """

    name: str
    loss: str
    optimizer: str
    learning_rate: float
    crop: tuple[int, ...]
    batch: int
    recipe: str
    steps: int | None = None
    epochs: int | None = None
    size: str = "paper"
    options: Mapping[str, Any] = field(default_factory=dict)
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    schedule: str = "constant"
    sampling: str = "whole"
    augmentation: tuple[str, ...] = ()
    least_tumor: float = 0.0
    gradient_clip: float | None = None
    weight_average: float | None = None
    patience: int | None = None
    left_out: tuple[str, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        """The channels of the input, in order."""
        return recipe_named(self.recipe).modalities


_DEFAULTS = TrainConfig()
_OURS = Preset(
    name="ours",
    loss="dice-bce",
    optimizer="AdamW",
    optimizer_options={"weight_decay": _DEFAULTS.weight_decay},
    learning_rate=_DEFAULTS.learning_rate,
    schedule="one-cycle",
    crop=_DEFAULTS.crop,
    batch=_DEFAULTS.batch,
    recipe=_DEFAULTS.recipe,
    steps=_DEFAULTS.steps,
    size=_DEFAULTS.size,
    sampling="tumor",
    augmentation=("affine", "elastic", "flip-0", "lesion", "intensity"),
    gradient_clip=12.0,
    weight_average=_DEFAULTS.average,
)

_KERAS_ADAM = {"eps": 1e-7}  # Keras's default; PyTorch's is 1e-8
# The authors ask for 1 % of 128^3 voxels of 1 mm: the same volume in BraTS's field, resized.
_ONE_PERCENT = 0.01
_ONE_PERCENT_RESIZED = 0.01 * 128**3 / (240 * 240 * 155)
_UNSORTED = "images and masks paired by two unsorted listings of folders"

_SEEDS: Mapping[str, Preset] = {
    "dresunet3d": Preset(
        name="seed",
        loss="squared-dice",
        optimizer="Adam",
        optimizer_options=_KERAS_ADAM,
        learning_rate=5e-4,
        crop=MODELS["dresunet3d"].native,
        batch=4,
        epochs=100,
        recipe=MODELS["dresunet3d"].recipe,
        options={"block_dropout": 0.2, "level_dropout": 0.1},
        least_tumor=_ONE_PERCENT_RESIZED,
        left_out=(_UNSORTED, "a last, smaller batch that the epoch's count of steps leaves out"),
    ),
    "dr_unet104": Preset(
        name="seed",
        loss="cross-entropy",
        optimizer="Adam",
        optimizer_options=_KERAS_ADAM,
        learning_rate=1e-4,
        crop=MODELS["dr_unet104"].native,
        batch=10,
        epochs=50,
        recipe=MODELS["dr_unet104"].recipe,
        options={"dropout": 0.2, "norm_eps": 1e-5},
        augmentation=("flip-0", "flip-1"),
        left_out=(
            "both flips of practically every slice, where each was meant for every other one",
            "dropout 0.5, where the paper's best network has 0.2",
            "another epsilon of batch norm in evaluation than in training",
        ),
    ),
    "kermi2018": Preset(
        name="seed",
        loss="generalized-dice-ce",
        optimizer="SGD",
        optimizer_options={"momentum": 0.9},
        learning_rate=0.08,
        schedule="tenth-an-epoch",
        crop=(128, 128),
        batch=4,
        epochs=3,
        recipe=MODELS["kermi2018"].recipe,
        options={"noise": 0.01},
        sampling="brain",
        augmentation=("flip-1",),
        left_out=(
            "a weight of 10^7 for a class that is absent from the batch, which then outweighs "
            "all others (it gets the largest of theirs)",
            "intensities normalized on a cropped slice in training, on the whole one in use",
            "patches from the middle of the brain only, as none may leave a fixed crop",
            "a shuffled split that depends on the order in which a machine lists its files",
        ),
    ),
    "unet3d": Preset(
        name="seed",
        loss="dice-focal",
        optimizer="Adam",
        optimizer_options=_KERAS_ADAM,
        learning_rate=1e-4,
        crop=MODELS["unet3d"].native,
        batch=2,
        epochs=50,
        recipe=MODELS["unet3d"].recipe,
        options={"dropout_scale": 1.0},
        least_tumor=_ONE_PERCENT,
        left_out=(
            _UNSORTED,
            "the script's single epoch, where the notebook that made the weights has 50",
            "class weights that never count edema and are not used",
        ),
    ),
    "isensee2017": Preset(
        name="seed",
        loss="mean-dice",
        optimizer="Adam",
        optimizer_options=_KERAS_ADAM,
        learning_rate=1e-2,
        crop=MODELS["isensee2017"].native,
        batch=1,
        epochs=100,
        patience=10,
        recipe=MODELS["isensee2017"].recipe,
        options={"dropout": 0.3, "normalized_heads": False},
        left_out=(
            "normalization on the prediction heads, which cannot express an empty class",
            "a brain box that looks at the reference mask too",
            "raw intensities (the recipe `isensee2017-code` has them)",
        ),
    ),
}

PRESETS: Mapping[str, Mapping[str, Preset]] = {
    "ours": dict.fromkeys(MODELS, _OURS),
    "seed": _SEEDS,
}


def preset_for(name: str, model: str) -> Preset:
    """Return a preset of a network.

    Raises
    ------
    TrainingError
        If there is no such preset; the message lists all.
    CheckpointError
        If there is no such network.
    """
    if name not in PRESETS:
        raise TrainingError(f"unknown preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name][model_spec(model).name]


def make_optimizer(preset: Preset, parameters: "Iterable[nn.Parameter]") -> "Optimizer":
    """Return the preset's optimizer, at its learning rate."""
    from torch import optim

    factory = getattr(optim, preset.optimizer)
    options = {"weight_decay": 0.0, **preset.optimizer_options}
    optimizer: Optimizer = factory(parameters, lr=preset.learning_rate, **options)
    return optimizer


def learning_rate(preset: Preset, moment: Moment) -> float:
    """Return the learning rate of a step."""
    return preset.learning_rate * SCHEDULES[preset.schedule].factor(moment)
