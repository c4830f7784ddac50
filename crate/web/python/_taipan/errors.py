"""Exceptions as plain data."""

import json
import traceback

_OURS = __file__.rpartition("/")[0] + "/"


def describe(error):
    """JSON with ``type``, ``message``, ``traceback`` (text) and ``frames``: the user's frames, not ours."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    summary = traceback.TracebackException(type(error), error, trace, compact=True)
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


def _message(error):
    if isinstance(error, SyntaxError) and error.msg:
        return error.msg
    if isinstance(error, KeyError) and len(error.args) == 1:
        return repr(error.args[0])
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception whose __str__ fails is still reported
        return "<exception str() failed>"
