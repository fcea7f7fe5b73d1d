"""The steps of `adapt` that compute: masks onto the recipe's grid, measuring, fine-tuning."""

import copy
from collections.abc import Callable, Mapping, Sequence
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
from napari_brats.networks.lineage import (
    LEARNED_FROM,
    PARENT,
    PARENT_SHA256,
    fingerprint,
    lasting_name,
)
from napari_brats.networks.registry import model_spec
from napari_brats.preprocessing.recipes import recipe_named
from napari_brats.regions import REGIONS
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.candidates import blended, candidate
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
DROP_MODALITY = 0.1
"""How often a modality is missing in a sample, for a model whose patients may lack one."""


def put_on_grid(lesson: Lesson, card: Card, folder: Path) -> Path:
    """Preprocess a case as the model's recipe says, into a folder; return its file."""
    recipe = recipe_named(card.recipe)
    case, truth = lesson.read()
    path = cached_path(folder, lesson.files.case_id, (lesson.image, lesson.mask), recipe)
    prepared_sample(recipe, case.images, truth, case.affine).save(path)
    return path


def mixed_in(
    folders: Sequence[Path],
    samples: Sequence[Lesson],
    cases: Sequence[Lesson],
    card: Card,
    cache: Path,
    on_notice: Callable[[str], None],
) -> dict[str, Path]:
    """Preprocess what is mixed in: the patients with references of some folders, else samples.

    None of the cases is: those held back must teach nothing.

    Returns
    -------
    dict of str to Path
        Each patient's `fingerprint`, and where it lies.
    """
    if not folders:
        return {fingerprint(one.image): put_on_grid(one, card, cache) for one in samples}
    cached = cache_patients(folders, recipe_named(card.recipe), cache, on_notice)
    found = {fingerprint(image): path for path, image in cached.items()}
    own = {fingerprint(lesson.image) for lesson in cases}
    if both := len(found.keys() & own):
        on_notice(f"not mixed in: {both} patients of --mix, which are among the cases")
    return {name: path for name, path in found.items() if name not in own}


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

    Samples are two thirds as long as those that the weights were trained on, and one a step:
    with batch norm at rest nothing is lost by that, and minutes hold many more steps. A network
    with its authors' recipe gets its authors' samples: our changes of brightness are made for
    z-scores.

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
    crop = _crop(card) if samples is ours else _box(authors.crop)
    settings = TrainConfig(
        model=card.architecture,
        size=card.size,
        recipe=card.recipe,
        crop=crop,
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
    card: Card,
    folder: Path,
    samples: Mapping[Lesson, Path],
    mixed: Mapping[str, Path],
    shares: Sequence[float],
    minutes: float,
    *,
    on_progress: Callable[[Progress], None],
    stop: Callable[[], bool],
) -> int:
    """Go on from ``config.model``, write a new model a share, and return the steps taken.

    Batch norm keeps its running statistics: those of one sample at a time would be worse,
    and what is trained is then exactly what is used.

    Parameters
    ----------
    config : AdaptConfig
        What the person decides.
    card : Card
        Of the model, under the new name.
    folder : Path
        Where everything is written, the new models where `candidate` says.
    samples : mapping of Lesson to Path
        What to learn from, and where it lies on the recipe's grid.
    mixed : mapping of str to Path
        Cached samples that are mixed in against forgetting, by their `fingerprint`.
    shares : sequence of float
        How far the new models go from the old weights to the trained ones.
    minutes : float
        Time at most.
    on_progress, stop : callable
        As in `adapt`.

    Raises
    ------
    Cancelled
        If ``stop`` said so.
    """
    same = ("steps", "learning_rate", "mixed_precision", "device", "workers", "seed")
    plan = plan_for(
        card, start=config.model, output=folder, minutes=minutes, holdout=0,
        check_steps=config.steps, **{name: getattr(config, name) for name in same},
    )  # fmt: skip
    settings = plan.settings
    old, _ = load_checkpoint(config.model)
    others = Pool([*mixed.values()]) if mixed else None
    crops = Crops(
        Pool([*samples.values()]), others, MIX_SHARE if mixed else 0.0,
        settings.crop, config.seed, plan.preset, recipe_named(card.recipe),
        DROP_MODALITY if card.may_lack else 0.0,
    )  # fmt: skip
    network = copy.deepcopy(old).train()
    freeze_statistics(network)
    module = RegionTraining(settings, network, crops, [], preset=plan.preset)
    averaged = AveragedWeights(settings.average)
    choice = resolve_device(config.device, "auto")
    trainer = make_trainer(settings, choice, [averaged, Reports(on_progress, stop, every=5)])
    fit(trainer, module, cure="nothing was installed; make room or set TMPDIR to another folder")
    if stop():
        raise Cancelled("stopped; nothing was installed")
    facts = {
        "cases": len(samples),
        LEARNED_FROM: ", ".join([*(fingerprint(lesson.image) for lesson in samples), *mixed]),
        "masks": "reviewed or not" if config.all else "reviewed",
        "mixed_in_patients": len(mixed) or None,
        **_facts(module),
    }
    new = averaged.network.cpu()
    for share in shares:
        made = _descendant(card, config.model, {**facts, "share_of_new_weights": share})
        save_checkpoint(blended(old, new, share), made, candidate(folder, share), half=True)
    return module.global_step


def _facts(module: RegionTraining) -> dict[str, Any]:
    """Return how a network was fine-tuned, for its card."""
    settings = module.config
    return {
        "steps": module.global_step,
        "minutes": round(module.seconds / 60, 1),
        "batch": settings.batch,
        "crop": list(settings.crop),
        "learning_rate": settings.learning_rate,
        "loss": LOSSES[module.preset.loss].title,
        "seed": settings.seed,
        "device": str(module.device),
    }


def _descendant(card: Card, parent: str, facts: Mapping[str, Any]) -> Card:
    """Return the card of a model adapted from that of a card."""
    training = {
        PARENT: lasting_name(parent),
        PARENT_SHA256: card.sha256,
        **facts,
        "started_from": dict(card.training),
    }
    limit = f"Adapted to {facts['cases']} cases: made for data like theirs."
    limits = (*(one for one in card.limits if not one.startswith("Adapted to ")), limit)
    return replace(card, training=training, scores={}, limits=limits)


def freeze_statistics(network: "nn.Module") -> None:
    """Let batch norm use and keep its running statistics, in training too."""
    for layer in network.modules():
        if isinstance(layer, _BatchNorm):
            layer.eval()


def _box(crop: tuple[int, ...]) -> tuple[int, int, int]:
    x, y, z = (*crop, 1)[:3]
    return x, y, z


def _crop(card: Card) -> tuple[int, int, int]:
    """Return two thirds of the samples' size that the weights know, in steps of 16 voxels."""
    training: Any = card.training
    while PARENT in training and isinstance(training.get("started_from"), Mapping):
        training = training["started_from"]  # what it was adapted from knows larger ones
    known = training.get("crop")
    if not (isinstance(known, list) and len(known) == 3 and all(type(n) is int for n in known)):
        known = preset_for("ours", card.architecture).crop
    x, y, z = (max(round(side / 24), 1) * 16 for side in known)
    return x, y, z
