"""The steps of `adapt` that compute: masks onto the recipe's grid, measuring, fine-tuning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.nn.modules.batchnorm import _BatchNorm

from napari_brats.errors import Cancelled
from napari_brats.inference.devices import resolve_device
from napari_brats.inference.predictor import Predictor
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import load_checkpoint, save_checkpoint
from napari_brats.networks.lineage import PARENT, PARENT_SHA256
from napari_brats.networks.registry import model_spec
from napari_brats.preprocessing.recipes import recipe_named
from napari_brats.regions import REGIONS
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.config import TrainConfig
from napari_brats.training.corrections import Lesson
from napari_brats.training.data import cache_patients, cached_path, prepared_sample
from napari_brats.training.export import AveragedWeights
from napari_brats.training.loop import fit, make_trainer
from napari_brats.training.losses import LOSSES
from napari_brats.training.module import RegionTraining
from napari_brats.training.preparation import check_crop
from napari_brats.training.presets import Preset, preset_for
from napari_brats.training.reports import Progress, Reports
from napari_brats.training.settings import preset_of
from napari_brats.training.stream import Crops, Pool

if TYPE_CHECKING:
    from torch import nn

MIX_SHARE = 0.3
"""Share of the samples that come from patients mixed in against forgetting."""


def put_on_grid(lesson: Lesson, card: Card, folder: Path) -> Path:
    """Preprocess a case as the model's recipe says, into a folder; return its file."""
    recipe = recipe_named(card.recipe)
    path = cached_path(folder, lesson.files.case_id, lesson.image, recipe)
    case, truth = lesson.read()
    prepared_sample(recipe, case.images, truth, case.affine).save(path)
    return path


def measure(
    model: str | Path, lessons: Sequence[Lesson], device: str, stop: Callable[[], bool]
) -> list[dict[str, float]]:
    """Return the Dice of WT, TC and ET of each case, as a person would see it.

    Raises
    ------
    Cancelled
        If ``stop`` said so.
    """

    def ask(done: int, total: int) -> None:
        if stop():
            raise Cancelled("stopped while comparing; nothing was installed")

    predictor = Predictor.load(model, device=device)
    found = []
    for lesson in lessons:
        case, truth = lesson.read()
        prediction = predictor.predict(case, on_step=ask)
        scores = score_regions(joint_counts(prediction.tissues, truth), case.voxel_ml)
        found.append({name: scores[name].dice for name in REGIONS})
    return found


@dataclass(frozen=True)
class Plan:
    """How weights are fine-tuned."""

    settings: TrainConfig
    preset: Preset


def plan_for(card: Card, **given: Any) -> Plan:
    """Return how weights are fine-tuned: as by `ours`, with a loss that fits their outputs.

    Samples are as large as those that the weights were trained on. A network with its authors'
    recipe gets its authors' samples: our changes of brightness are made for z-scores.

    Parameters
    ----------
    card : Card
        Of the weights.
    **given
        Fields of `TrainConfig` that the person decides.

    Raises
    ------
    TrainingError
        If the network cannot take samples of that size.
    """
    ours, authors = (preset_for(name, card.architecture) for name in ("ours", "seed"))
    published = model_spec(card.architecture).recipe
    samples = authors if card.recipe.removesuffix("-code") == published else ours
    fitting = [
        name for name in (ours.loss, authors.loss, *LOSSES) if LOSSES[name].outputs == card.outputs
    ]
    crop = _crop(card, samples)
    settings = TrainConfig(
        model=card.architecture,
        size=card.size,
        recipe=card.recipe,
        crop=crop,
        # With batch norm at rest one volume a step makes the most steps of few minutes.
        batch=samples.batch if crop[2] == 1 else 1,
        fuse=False,  # compiling takes longer than it saves in minutes
        **given,
    )
    check_crop(settings)
    preset = replace(
        preset_of(settings),
        loss=fitting[0],
        sampling=samples.sampling,
        augmentation=samples.augmentation,
    )
    return Plan(settings, preset)


def fine_tune(
    config: AdaptConfig,
    candidate: Card,
    folder: Path,
    samples: Sequence[Path],
    held_back: int,
    minutes: float,
    *,
    on_progress: Callable[[Progress], None],
    on_notice: Callable[[str], None],
    stop: Callable[[], bool],
) -> int:
    """Go on from ``config.model``, write the candidate's weights and card, return the steps taken.

    Batch norm keeps its running statistics: those of two samples at a time would be worse,
    and what is trained is then exactly what is used.

    Parameters
    ----------
    config : AdaptConfig
        What the person decides.
    candidate : Card
        The model's card under the candidate's name.
    folder : Path
        Where everything is written.
    samples : sequence of Path
        Cached samples to learn from.
    held_back : int
        Cases that are not among them, for the card.
    minutes : float
        Time at most.
    on_progress, on_notice, stop : callable
        As in `adapt`.
    """
    recipe = recipe_named(candidate.recipe)
    same = ("steps", "learning_rate", "device", "workers", "seed")
    plan = plan_for(
        candidate, start=config.model, output=folder, minutes=minutes, holdout=0,
        check_steps=config.steps, **{name: getattr(config, name) for name in same},
    )  # fmt: skip
    settings = plan.settings
    mixed = list(cache_patients(config.mix, recipe, folder, on_notice))
    network, _ = load_checkpoint(config.model)
    freeze_statistics(network.train())
    crops = Crops(
        Pool(samples), Pool(mixed) if mixed else None, MIX_SHARE if mixed else 0.0,
        settings.crop, config.seed, plan.preset, recipe,
    )  # fmt: skip
    module = RegionTraining(settings, network, crops, [], preset=plan.preset)
    averaged = AveragedWeights(settings.average)
    choice = resolve_device(config.device, "auto")
    trainer = make_trainer(settings, choice, [averaged, Reports(on_progress, stop, every=5)])
    fit(trainer, module, cure="nothing was installed; make room or set TMPDIR to another folder")
    if stop():
        raise Cancelled("stopped; nothing was installed")
    training = {
        PARENT: config.model,
        PARENT_SHA256: candidate.sha256,
        "cases": len(samples),
        "held_back_cases": held_back,
        "masks": "reviewed or not" if config.all else "reviewed",
        "mixed_in_patients": len(mixed) or None,
        "steps": module.global_step,
        "minutes": round(module.seconds / 60, 1),
        "batch": settings.batch,
        "crop": list(settings.crop),
        "learning_rate": settings.learning_rate,
        "loss": LOSSES[plan.preset.loss].title,
        "seed": settings.seed,
        "device": str(module.device),
        "started_from": dict(candidate.training),
    }
    limit = f"Adapted to {len(samples)} cases: made for data like theirs."
    card = replace(candidate, training=training, scores={}, limits=(*candidate.limits, limit))
    save_checkpoint(averaged.network, card, folder / candidate.name, half=True)
    return module.global_step


def freeze_statistics(network: "nn.Module") -> None:
    """Let batch norm use and keep its running statistics, in training too."""
    for layer in network.modules():
        if isinstance(layer, _BatchNorm):
            layer.eval()


def _crop(card: Card, preset: Preset) -> tuple[int, int, int]:
    """Return the size of the samples that the weights know, else that of the preset."""
    known = card.training.get("crop")
    fits = isinstance(known, list) and len(known) == 3 and all(type(n) is int for n in known)
    x, y, z = known if fits and isinstance(known, list) else (*preset.crop, 1)[:3]
    return x, y, z
