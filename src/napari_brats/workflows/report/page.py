"""HTML pages that need nothing but themselves: no script, no network, pictures inside."""

import base64
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from napari_brats.workflows.figures import encode
from napari_brats.workflows.report.origin import TIME_FORMAT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 80


def render(template: str, **content: Any) -> bytes:
    """Fill a template; what comes from files is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from napari_brats import __version__

    pages = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["number"] = number
    made = datetime.now(UTC).strftime(TIME_FORMAT)
    page = pages.get_template(template).render(version=__version__, made=made, **content)
    return page.encode(errors="backslashreplace")


def number(value: float | None, digits: int = 1) -> str:
    """Write a number, or a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def picture(figure: "Figure") -> str:
    """Return a figure as the address of an image that carries itself."""
    content = base64.b64encode(encode(figure, dpi=_DOTS_PER_INCH)).decode()
    return f"data:image/png;base64,{content}"
