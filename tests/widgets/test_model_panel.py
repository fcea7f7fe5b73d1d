"""The model menu: networks first, then what the user added."""

from napari_brats.networks.card import Card
from napari_brats.networks.catalog import ModelRow
from napari_brats.networks.registry import MODELS
from napari_brats.widgets import model_panel
from napari_brats.widgets.model_panel import ModelPanel


def test_an_added_model_can_be_chosen(qtbot, monkeypatch):
    """By its own name, also at the start; the network's name still means bundled weights."""
    bundled = Card("unet3d-lite", "unet3d", "lite", "brain-1mm", ("flair",), "regions")
    added = Card("ward-7", "unet3d", "lite", "brain-2mm", ("t1",), "regions", parameters=7)
    rows = [ModelRow(MODELS["unet3d"], bundled), ModelRow(MODELS["unet3d"], added, "ward-7")]
    monkeypatch.setattr(model_panel, "list_models", lambda: rows)
    panel = ModelPanel("ward-7", "auto")
    qtbot.addWidget(panel)
    assert panel.model() == "ward-7"
    assert "brain-2mm" in panel.card.text()
    for asked in ("unet3d", "unet3d-lite"):
        panel.choose("ward-7")
        panel.choose(asked)
        assert panel.model() == "unet3d"


def test_the_menu_is_up_to_date_when_it_opens(qtbot, monkeypatch):
    """A model added meanwhile appears, one removed goes, and the choice stays where it can."""
    card = Card("unet3d-lite", "unet3d", "lite", "brain-1mm", ("flair",), "regions")
    rows = [ModelRow(MODELS["unet3d"], card)]
    monkeypatch.setattr(model_panel, "list_models", lambda: list(rows))
    panel = ModelPanel("unet3d", "auto")
    qtbot.addWidget(panel)
    rows.append(ModelRow(MODELS["unet3d"], card, "ward-7"))
    panel.models.opening.emit()
    assert panel.models.count() == 2
    assert panel.model() == "unet3d"
    panel.choose("ward-7")
    rows.pop()
    panel.models.opening.emit()
    assert panel.models.count() == 1
    assert panel.model() == "unet3d"
