"""What a cell can use beyond plain Python: ``display``, ``input`` and the showing of its last value."""

import builtins
import sys
import time

import _taipan_host
from pyodide import webloop

_silent = False

_PIECE = 0.05


def silence():
    """The last expression of this cell ends in a semicolon."""
    global _silent
    _silent = True


def unsilence():
    """The last expression of this cell is to be shown."""
    global _silent
    _silent = False


def display(*objects, metadata=None):
    """Shows objects in the page, each in every form it has: as in Jupyter."""
    from .mime import bundle

    for value in objects:
        data, found = bundle(value)
        _send(data, {**found, **(metadata or {})})


def end_of_cell(value):
    """Shows the last value, then the figures that the cell has left open."""
    if value is not None and not _silent:
        display(value)
    if "matplotlib.pyplot" in sys.modules:
        from .figures import show_open_figures

        show_open_figures()


def _send(data, metadata):
    import json

    _taipan_host.display(json.dumps([data, metadata], default=str))


def _input(prompt="", /):
    if not _taipan_host.canReadLine:
        raise OSError(
            "input() cannot wait for the keyboard here: this page has no shared memory. "
            "It works when the server sends the headers Cross-Origin-Opener-Policy: same-origin and "
            "Cross-Origin-Embedder-Policy: require-corp, in a browser that has SharedArrayBuffer."
        )
    line = _taipan_host.readLine(str(prompt))
    if line is None:
        raise EOFError("EOF when reading a line")
    return line


_sleep = time.sleep


def _interruptible_sleep(seconds, /):
    """``time.sleep``, in pieces: while it sleeps nobody else looks whether the page wants it to stop."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > _PIECE:
        _sleep(_PIECE)
        if _taipan_host.isInterrupted():
            raise KeyboardInterrupt
    _sleep(max(left, 0) if seconds >= 0 else seconds)
    if _taipan_host.isInterrupted():
        raise KeyboardInterrupt


# Rust knows the timers, so that those can be set again that were running at a checkpoint.
webloop.scheduleCallback = _taipan_host.schedule
time.sleep = _interruptible_sleep
builtins.display = display
builtins.input = _input
