"""Exceptions as plain data."""

import json
import traceback
import types

_OURS = __file__.rpartition("/")[0] + "/"

# How many frames are shown at either end of a long traceback: all of them at CPython's own limit of recursion.
_END = 1000


def describe(error):
    """JSON with ``type``, ``message``, ``traceback`` (text) and ``frames``: the user's frames, not ours."""
    place = _shortened(error.__traceback__)
    summary = traceback.TracebackException(type(error), error, place, compact=True)
    _drop_our_frames(summary)
    frames = [
        {
            "filename": frame.filename,
            "line": frame.lineno or 0,
            "name": getattr(frame, "name", "<module>"),
            **({"source": frame.line} if frame.line else {}),
        }
        for frame in summary.stack
    ]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        # The place of a syntax error is where the reader has to look, though no frame ever ran there.
        source = (error.text or "").strip()
        frames.append(
            {
                "filename": error.filename,
                "line": error.lineno,
                "name": "<module>",
                **({"source": source} if source else {}),
            }
        )
    return json.dumps(
        {
            "type": type(error).__name__,
            "message": _message(error),
            "traceback": "".join(summary.format()),
            "frames": frames,
        }
    )


def _shortened(place):
    """A traceback without its middle, where it is longer than anybody reads: describing a million frames takes minutes."""
    places = []
    while place is not None:
        if places or not place.tb_frame.f_code.co_filename.startswith(_OURS):
            places.append(place)
        place = place.tb_next
    if len(places) <= 2 * _END:
        return places[0] if places else None
    rest = places[-_END]
    for place in reversed(places[:_END]):
        rest = types.TracebackType(rest, place.tb_frame, place.tb_lasti, place.tb_lineno)
    return rest


def _drop_our_frames(summary):
    """Takes our frames out of a traceback and of those of the exceptions that led to it, of which there may be thousands."""
    seen = set()
    left = [summary]
    while left:
        summary = left.pop()
        if summary is None or id(summary) in seen:
            continue
        seen.add(id(summary))
        if summary.stack is not None:
            summary.stack[:] = [frame for frame in summary.stack if not frame.filename.startswith(_OURS)]
        left += (summary.__cause__, summary.__context__, *(summary.exceptions or ()))


def _message(error):
    if isinstance(error, SyntaxError) and error.msg:
        return error.msg
    if isinstance(error, KeyError) and len(error.args) == 1:
        return repr(error.args[0])
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception whose __str__ fails is still reported
        return "<exception str() failed>"
