"""Runs a piece of code as a notebook runs a cell."""

import ast
import asyncio
import builtins
import inspect
import linecache
import sys

import _taipan_host
from pyodide.ffi import ConversionError, JsProxy, jsnull, to_js

from . import errors, shell

_main = sys.modules["__main__"].__dict__
_tasks = {}
_may_wait = False


def start(run, code, filename, variables):
    """Begins a run.

    Gives what it ended in, or an ``asyncio.Task`` for that if the code awaits at top level or may wait inside of a call:
    a JavaScript object with ``value`` (absent if there is none that is plain data) or ``error`` (JSON, see
    ``errors.describe``).
    """
    if variables is not None:
        _main.update(variables.to_py())
    # Tracebacks look up source lines here.
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    try:
        statements, expression = _compile(code, filename)
        if _is_coroutine(statements) or _is_coroutine(expression) or _waits(statements, expression):
            task = asyncio.ensure_future(_run_async(statements, expression))
            _tasks[run] = task
            task.add_done_callback(lambda _: _tasks.pop(run, None))
            return task
        return _run(statements, expression)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the page is told
        return _failed(error)


def cancel(run):
    """Cancels a run that is awaiting. Says whether there was one."""
    task = _tasks.get(run)
    return task is not None and shell.innermost(task).cancel()


def get_global(name):
    """A global variable as plain data."""
    if name not in _main:
        raise NameError(f"name {name!r} is not defined", name=name)
    return _plain(_main[name])


def set_global(name, value):
    """Sets a global variable to plain data."""
    _main[name] = value.to_py() if isinstance(value, JsProxy) else value


def _compile(code, filename):
    """Code objects for the statements and for the last expression, either of which may be ``None``."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    last = tree.body[-1] if tree.body else None
    expression = None
    if isinstance(last, ast.Expr):
        tree.body.pop()
        expression = compile(ast.Expression(last.value), filename, "eval", flags, dont_inherit=True)
    statements = compile(tree, filename, "exec", flags, dont_inherit=True) if tree.body else None
    if expression is not None and _is_silenced(code, last):
        shell.silence()
    else:
        shell.unsilence()
    return statements, expression


def _is_silenced(code, last):
    """Whether a semicolon follows the last expression."""
    line = code.splitlines()[last.end_lineno - 1].encode()
    return line[last.end_col_offset :].decode().lstrip().startswith(";")


def _is_coroutine(code):
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


def _waits(*codes):
    """Whether code may wait inside of a call, which only a task can do.

    Once a cell has named ``asyncio.run`` or the like, any later one may call what does so.
    """
    global _may_wait
    left = [code for code in codes if code is not None]
    while left and not _may_wait:
        code = left.pop()
        names = set(code.co_names)
        _may_wait = not names.isdisjoint(("run_until_complete", "run_sync")) or {"asyncio", "run"} <= names
        left += (constant for constant in code.co_consts if inspect.iscode(constant))
    return _may_wait


def _run(statements, expression):
    value = None
    if statements is not None:
        exec(statements, _main)
    if expression is not None:
        value = eval(expression, _main)
    return _ended(value)


async def _run_async(statements, expression):
    try:
        value = None
        for code in (statements, expression):
            if code is None:
                continue
            value = eval(code, _main)
            if _is_coroutine(code):
                value = await value
        return _ended(value if expression is not None else None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the page is told
        return _failed(error)
    finally:
        # What the task was cancelled for is in the answer; a cancellation that no `await` has met would take its place.
        task = asyncio.current_task()
        while task.cancelling():
            task.uncancel()


def _ended(value):
    if value is not None:
        builtins._ = value
    shell.end_of_cell(value)
    end = {}
    if value is not None:
        try:
            end["value"] = _plain(value)
        except ConversionError:
            pass
    return _object(end)


def _failed(error):
    try:
        return _describe(error)
    except KeyboardInterrupt:
        # It came when the code had ended already: there is nothing left for it to stop.
        return _describe(error)


def _describe(error):
    try:
        shell.end_of_cell(None)
    except Exception:  # noqa: BLE001, S110 - what stopped the cell matters more than a figure that cannot be drawn
        pass
    return _object({"error": errors.describe(error)})


def _plain(value):
    """A value as JavaScript data that can be copied between threads; raises ``ConversionError`` if it has no such form."""
    if isinstance(value, JsProxy):
        raise ConversionError("JavaScript objects are not plain data")
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        value = value.item()
    return to_js(_with_nulls(value, set()), create_pyproxies=False, dict_converter=_taipan_host.fromEntries)


def _with_nulls(value, above):
    """``None`` inside lists and dictionaries is null for JavaScript, not undefined."""
    if value is None:
        return jsnull
    kind = type(value)
    if kind not in (list, tuple, dict) or id(value) in above:
        return value
    above = above | {id(value)}
    if kind is dict:
        return {key: _with_nulls(item, above) for key, item in value.items()}
    return [_with_nulls(item, above) for item in value]


def _object(items):
    return to_js(items, dict_converter=_taipan_host.fromEntries, depth=1)
