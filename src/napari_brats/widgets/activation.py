"""What happens when napari first uses the plugin: the readers learn who hosts them."""

from napari_brats.plugin.host import set_host


class NapariHost:
    """napari as the readers see it."""

    def view_convention(self) -> str:
        """Return the convention that the person chose in the settings."""
        try:
            from napari_brats.widgets.preferences import preferences

            return preferences().view_convention
        except ImportError:
            return "radiological"

    def before_reading(self) -> None:
        """Protect the references of the window that is about to show a patient."""
        try:
            from napari import current_viewer
        except ImportError:
            return
        from napari_brats.widgets.references import protect_references

        viewer = current_viewer()
        if viewer is not None:
            protect_references(viewer)


def activate(context: object) -> None:
    """Let napari host the readers (npe2 calls this once).

    Parameters
    ----------
    context : npe2.PluginContext
        Not needed.
    """
    set_host(NapariHost())
