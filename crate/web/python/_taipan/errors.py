"""Exceptions as plain data."""

import json
import traceback

_OURS = __file__.rpartition("/")[0] + "/"


def describe(error):
    """JSON with ``type``, ``message``, ``traceback`` (text) and ``frames``: the user's frames, not ours."""
    summary = traceback.TracebackException.from_exception(error, compact=True)
    _drop_our_frames(summary, set())
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


def _drop_our_frames(summary, seen):
    """Takes our frames out of a traceback and of those of the exceptions that led to it."""
    if summary is None or id(summary) in seen:
        return
    seen.add(id(summary))
    if summary.stack is not None:
        summary.stack[:] = [frame for frame in summary.stack if not frame.filename.startswith(_OURS)]
    for other in (summary.__cause__, summary.__context__, *(summary.exceptions or ())):
        _drop_our_frames(other, seen)


def _message(error):
    if isinstance(error, SyntaxError) and error.msg:
        return error.msg
    if isinstance(error, KeyError) and len(error.args) == 1:
        return repr(error.args[0])
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception whose __str__ fails is still reported
        return "<exception str() failed>"
