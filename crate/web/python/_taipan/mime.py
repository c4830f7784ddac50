"""The forms in which a value can be shown, keyed by MIME type.

The protocol is Jupyter's: ``_repr_mimebundle_``, then the single ``_repr_*_`` methods
(https://ipython.readthedocs.io/en/stable/config/integrating.html).
"""

import base64
import re

_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
    "_repr_pdf_": "application/pdf",
}


def bundle(value):
    """The data and the metadata of a value's forms. A form that fails is left out; ``text/plain`` is always there."""
    data, metadata = {}, {}
    if not isinstance(value, type):
        if figure := _figure(value):
            return figure
        _add_mimebundle(value, data, metadata)
        for method, mime in _METHODS.items():
            if mime not in data:
                _add_form(value, method, mime, data, metadata)
    if "text/html" in data and 'class="dataframe"' in data["text/html"]:
        data["text/html"] = accessible_table(data["text/html"])
    if "text/plain" not in data:
        data["text/plain"] = _text(value)
    return data, metadata


def accessible_table(html):
    """A data frame's HTML with header cells that say what they head, and without its style sheet."""
    html = re.sub(r"<style\b.*?</style>\s*", "", html, flags=re.DOTALL)
    head, separator, body = html.partition("</thead>")
    head = re.sub(r"<th(?=[\s>])(?![^>]*\bscope=)", '<th scope="col"', head)
    body = re.sub(r"<th(?=[\s>])(?![^>]*\bscope=)", '<th scope="row"', body)
    return head.replace(' border="1"', "") + separator + body


def _figure(value):
    """The forms of a matplotlib figure, which has no ``_repr_png_`` of its own."""
    kind = type(value)
    if kind.__name__ != "Figure" or not kind.__module__.startswith("matplotlib."):
        return None
    from .figures import render

    return render(value)


def _add_mimebundle(value, data, metadata):
    forms = _call(value, "_repr_mimebundle_", include=None, exclude=None)
    if isinstance(forms, tuple) and len(forms) == 2:
        forms, extra = forms
        metadata.update(extra or {})
    if isinstance(forms, dict):
        data.update({mime: _encode(form) for mime, form in forms.items()})


def _add_form(value, method, mime, data, metadata):
    form = _call(value, method)
    if isinstance(form, tuple) and len(form) == 2 and isinstance(form[1], dict):
        form, metadata[mime] = form
    if form is not None:
        data[mime] = _encode(form)


def _call(value, method, **arguments):
    function = getattr(value, method, None)
    if not callable(function):
        return None
    try:
        return function(**arguments)
    except Exception:  # noqa: BLE001 - the other forms are still good
        return None


def _encode(form):
    return base64.b64encode(form).decode() if isinstance(form, (bytes, bytearray)) else form


def _text(value):
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a value that cannot be shown is no reason to fail the cell
        return f"<{type(value).__name__} whose repr() failed: {error}>"
