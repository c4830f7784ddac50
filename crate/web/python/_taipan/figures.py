"""Matplotlib's backend in a page: figures are rendered by Agg and shown as images.

Named in ``MPLBACKEND`` as ``module://_taipan.figures``.
"""

import io

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

_shown = set()


class FigureManager(FigureManagerBase):
    """Shows figures in the page when ``pyplot.show()`` is called."""

    @classmethod
    def pyplot_show(cls, *, block=None):
        show_open_figures()


class FigureCanvas(FigureCanvasAgg):
    """Renders figures."""

    manager_class = FigureManager


def render(figure):
    """A figure as PNG, with a description for who cannot see it."""
    import base64

    _shown.add(id(figure))
    image = io.BytesIO()
    figure.savefig(image, format="png", bbox_inches="tight")
    png = base64.b64encode(image.getvalue()).decode()
    data = {"image/png": png, "text/plain": repr(figure)}
    return data, {"image/png": {"alt": describe(figure)}}


def show_open_figures():
    """Shows and closes the figures that are open, those already shown excepted."""
    from .shell import display

    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if id(figure) not in _shown and (figure.axes or figure.texts or figure.images):
            display(figure)
    pyplot.close("all")
    _shown.clear()


def describe(figure):
    """What the titles and labels of a figure say."""
    parts = []
    if title := getattr(figure, "get_suptitle", lambda: "")():
        parts.append(title)
    for axes in figure.axes:
        labels = [text for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
        name = axes.get_title() or "Untitled plot"
        parts.append(f"{name} ({' against '.join(reversed(labels))})" if labels else name)
    return "; ".join(parts) or "Figure"
