"""Collects the bytecode of modules that had to be compiled, so that it can be kept.

Imported before anything of Pyodide's is: what is imported later is noticed here when it is compiled. The collected code
objects become ``.pyc`` files (PEP 3147) when nothing else is going on.
"""

import sys

import _frozen_importlib_external as _importlib

# Called when something was compiled, where Rust does not know by itself when Python has something to do.
note_compiled = None

_fresh = {}
_compile = _importlib.SourceLoader.source_to_code


def _compile_and_remember(self, data, path, *, _optimize=-1):
    code = _compile(self, data, path, _optimize=_optimize)
    try:
        _fresh[path] = code, _identity(_importlib._path_stat(path))
    except (OSError, TypeError, ValueError):
        # Whoever calls this may name what is no file.
        return code
    if note_compiled is not None:
        note_compiled()
    return code


def _identity(stat):
    """What tells a source from another that takes its place: those of two versions may agree in time and size."""
    return stat.st_ino, stat.st_mtime, stat.st_size


_importlib.SourceLoader.source_to_code = _compile_and_remember

_folders = {}
_read = _importlib.SourceFileLoader.get_data


def _read_what_may_be_there(self, path):
    """``get_data``, but where there is no ``__pycache__`` it is looked for once: a file that is not there costs a system
    call and two JavaScript exceptions, thrown through the stack of Python."""
    if path.endswith(".pyc"):
        folder = path.rpartition("/")[0]
        is_there = _folders.get(folder)
        if is_there is None:
            is_there = _folders[folder] = _importlib._path_isdir(folder)
        if not is_there:
            raise FileNotFoundError(path)
    return _read(self, path)


_importlib.SourceFileLoader.get_data = _read_what_may_be_there


def compile_what_came_before():
    """Compiles the modules again that were imported before this one: CPython imports some before it can run code."""
    global note_compiled
    # Rust is at it already.
    noted, note_compiled = note_compiled, None
    try:
        for module in list(sys.modules.values()):
            spec = getattr(module, "__spec__", None)
            loader = getattr(spec, "loader", None)
            if isinstance(loader, _importlib.SourceFileLoader) and spec.origin not in _fresh and not _is_kept(spec.cached):
                loader.source_to_code(loader.get_data(spec.origin), spec.origin)
    finally:
        note_compiled = noted


def look_again():
    """After bytecode has come to folders that had none."""
    _folders.clear()


def forget():
    """Forgets what was compiled and has not been taken."""
    _fresh.clear()


def take(most):
    """Up to ``most`` pairs of the path of a source file and its ``.pyc``: the path of that and its bytes."""
    from pyodide.ffi import to_js

    taken = []
    while _fresh and len(taken) < most:
        source, (code, identity) = _fresh.popitem()
        try:
            cached = _importlib.cache_from_source(source)
            stat = _importlib._path_stat(source)
        except (OSError, NotImplementedError):
            continue
        if _identity(stat) != identity:
            continue
        data = _importlib._code_to_timestamp_pyc(code, int(stat.st_mtime), stat.st_size)
        taken.append([source, cached, to_js(memoryview(data))])
    return to_js(taken)


def _is_kept(path):
    return path is not None and _importlib._path_isfile(path)
