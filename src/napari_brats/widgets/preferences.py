"""The person's settings (Preferences > Plugins > BraTS), declared in ``napari.yaml``."""

from contextlib import suppress
from dataclasses import dataclass

from napari_brats.networks.registry import DEFAULT_MODEL


@dataclass(frozen=True)
class Preferences:
    """View convention, model, device and reader; the defaults of ``napari.yaml``."""

    view_convention: str = "radiological"
    model: str = DEFAULT_MODEL
    device: str = "auto"
    reader: str = ""


def preferences() -> Preferences:
    """Return the settings as they are now; the defaults where the plugin is not installed."""
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings("napari-brats")
    except KeyError:
        return Preferences()
    return Preferences(
        view_convention=str(settings.view.convention),
        model=str(settings.inference.model),
        device=str(settings.inference.device),
        reader=str(settings.review.reader),
    )


def prefer_model(name: str) -> None:
    """Let the Segment widget open with a model from now on; nothing where there are no settings."""
    from napari.settings import get_plugin_settings

    with suppress(KeyError):
        get_plugin_settings("napari-brats").inference.model = name


def keep_reader(name: str) -> None:
    """Remember the reader's name from now on; nothing where there are no settings."""
    from napari.settings import get_plugin_settings

    with suppress(KeyError):
        get_plugin_settings("napari-brats").review.reader = name
