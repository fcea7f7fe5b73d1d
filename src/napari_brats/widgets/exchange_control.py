"""Make masks out of other programs' layers, and tell other programs what ours mean."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_brats.editing.intake import combined, labels_of
from napari_brats.errors import BratsError
from napari_brats.plugin.layers import tagged_mask
from napari_brats.plugin.tags import MASK, LayerTag, tag_of
from napari_brats.regions import label_convention
from napari_brats.volumes import voxel_ml
from napari_brats.widgets.background import notify_error
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.exchange_panel import ExchangePanel
from napari_brats.widgets.intake_dialog import AskTargets
from napari_brats.widgets.mask_book import ADOPTED, mask_tag, same_grid
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.opening import build_layer
from napari_brats.workflows.convert.descriptions import write_descriptions

if TYPE_CHECKING:
    from napari.components import ViewerModel

NOTHING = (
    "There is no labels layer of another program on this patient's grid. Layers that such a "
    "program adds are found by themselves; File > Open adds files."
)
TAKEN_AS_OURS = (
    "{name!r} is taken for a mask with the labels 1 necrosis, 2 edema, 3 enhancing tumor. If they "
    "mean something else, press Other programs > Take in masks."
)
TITLE = "taken in"


class ExchangeControl:
    """What happens in the panel "Other programs".

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Holds the layers.
    desk : Desk
        Knows the patient at hand.
    panel : ExchangePanel
        The view.
    masks : MaskControl
        Its masks.
    ask : callable
        Asks what labels become.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        desk: Desk,
        panel: ExchangePanel,
        masks: MaskControl,
        ask: AskTargets,
    ) -> None:
        self._viewer, self._desk, self._panel, self._masks = viewer, desk, panel, masks
        self._ask = ask
        panel.intake_asked.connect(self.take_in)
        panel.names_asked.connect(self.write_names)
        masks.book.on_taken.append(self._on_taken)

    def take_in(self) -> None:
        """Ask what the labels of foreign layers mean, and make one new mask of them."""
        tag, layers = self._desk.tag(), self._foreign()
        if tag is None or not layers:
            self._panel.say(NOTHING)
            return
        names = [layer.name for layer in layers]
        voxels = [np.asarray(layer.data) for layer in layers]
        try:
            labels = labels_of(voxels, names)
        except BratsError as error:
            notify_error(error)
            return
        if not labels:
            self._panel.say(f"{', '.join(names)}: no label is painted yet.")
            return
        convention = label_convention(tag.convention)
        targets = self._ask(names, labels, voxel_ml(tag.display.affine), convention)
        if targets is None:
            return
        tissues = tag.display.to_file(combined(voxels, targets))
        layer = build_layer(tagged_mask(replace(tag, path=None), tissues, TITLE))
        self._masks.book.expect_unsaved(layer)
        self._viewer.add_layer(layer)
        self._panel.say(f"{layer.name!r} was made of {', '.join(names)}; it is not saved yet.")

    def write_names(self) -> None:
        """Write what the saved mask's codes are called; an unsaved mask is saved first."""
        masks = self._masks.book.masks()
        mask = self._masks.chosen()
        if mask not in masks:
            self._panel.say("There is no mask to write the names of.")
            return
        tag = mask_tag(mask)
        if tag.path is None:
            self._masks.save(then=self._describe(tag))
        else:
            self._describe(tag)(tag.path)

    def _describe(self, tag: LayerTag) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            try:
                written = write_descriptions(path, label_convention(tag.convention))
            except BratsError as error:
                notify_error(error)
                return
            self._panel.say(f"Written: {', '.join(found.name for found in written)}")

        return write

    def _foreign(self) -> list[Any]:
        """Return labels layers on the patient's grid that we did not make, the lowest first."""
        own = next((layer for layer in self._viewer.layers if tag_of(layer.metadata)), None)
        found = []
        for layer in self._viewer.layers:
            tag = tag_of(layer.metadata)
            adopted = tag is not None and tag.role == MASK and tag.title == ADOPTED
            foreign = tag is None and own is not None and same_grid(layer, own)
            if isinstance(layer, Labels) and (adopted or foreign):
                found.append(layer)
        return found

    def _on_taken(self, layer: Any) -> None:
        """Say how the labels of a layer are read that another program filled."""
        from napari.utils.notifications import show_info

        if mask_tag(layer).title == ADOPTED and np.asarray(layer.data).any():
            show_info(TAKEN_AS_OURS.format(name=layer.name))
            self._panel.head.setChecked(True)
