"""Compare: the reference as outlines over the filled mask, and back as it was."""

from typing import Any

_OUTLINE_VOXELS = 1


class Comparison:
    """A look that can be put on two labels layers and taken off again."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, dict[str, Any]]] = []

    @property
    def on(self) -> bool:
        """Whether the look is on."""
        return bool(self._before)

    def start(self, mask: Any, reference: Any) -> None:
        """Fill the mask and draw the reference's outlines over it.

        Parameters
        ----------
        mask, reference : napari.layers.Labels
            Of one patient.
        """
        self.stop()
        looks = (
            (mask, {"visible": True, "contour": 0, "opacity": 0.45}),
            (reference, {"visible": True, "contour": _OUTLINE_VOXELS, "opacity": 1.0}),
        )
        for layer, look in looks:
            self._before.append((layer, {name: getattr(layer, name) for name in look}))
            for name, value in look.items():
                setattr(layer, name, value)

    def stop(self) -> None:
        """Give both layers the look they had."""
        for layer, look in self._before:
            for name, value in look.items():
                setattr(layer, name, value)
        self._before.clear()
