"""What a cell can use beyond plain Python: ``display``, ``input`` and the showing of its last value."""

import asyncio
import builtins
import sys
import time

import _taipan_host
from pyodide import webloop
from pyodide.ffi import JsException, can_run_sync, run_sync

_silent = False

# What a task waits for inside of a call, by task.
_awaited = {}

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
    try:
        line = _taipan_host.readLine(str(prompt))
    except JsException as error:
        raise OSError(error.message) from None
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


def _run_until_complete(_loop, future):
    """Waits in the middle of a call, as ``asyncio.run`` does, where the browser can put the stack aside."""
    if not can_run_sync():
        if asyncio.iscoroutine(future):
            future.close()
        raise RuntimeError(
            "asyncio.run() and run_until_complete() cannot wait here. "
            "Write `await main()` instead of `asyncio.run(main())`."
        )
    task = asyncio.current_task()
    awaited = _awaited[task] = asyncio.ensure_future(future)
    try:
        return run_sync(awaited)
    except BaseException:
        # An interrupt that has come here instead has to end that too.
        awaited.cancel()
        raise
    finally:
        _awaited.pop(task, None)


def innermost(task):
    """The task that has to be cancelled so that this one goes on."""
    while task in _awaited:
        task = _awaited[task]
    return task


# Rust knows the timers, so that those can be set again that were running at a checkpoint.
webloop.scheduleCallback = _taipan_host.schedule
webloop.WebLoop.run_until_complete = _run_until_complete
time.sleep = _interruptible_sleep
builtins.display = display
builtins.input = _input
