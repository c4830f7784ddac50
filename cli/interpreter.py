"""What `taipan prepare` asks of the distribution's own CPython."""

import importlib
import linecache
import sys

import _frozen_importlib_external as _importlib

_opened = {}
_linked = {}


def watch():
    """From now on, notes which files are opened and which side modules are linked, in order."""
    sys.addaudithook(_note)


def _note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        _opened.setdefault(arguments[0])
    elif event == "import" and isinstance(arguments[1], str):
        _linked.setdefault(arguments[1])


def try_import(name):
    """Imports a module; gives what went wrong, or nothing."""
    try:
        importlib.import_module(name)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


def seen():
    """Where the imported modules come from, what was opened, what was linked, and whose source was looked at: some
    packages look at their own stack."""
    origins = {}
    for module in list(sys.modules.values()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if isinstance(origin, str):
            origins.setdefault(origin)
    return {
        "origins": list(origins),
        "opened": list(_opened),
        "linked": list(_linked),
        "sources": list(linecache.cache),
        "cacheTag": sys.implementation.cache_tag,
    }


def compile_source(source, path, modified, size):
    """The ``.pyc`` of a module (PEP 552, with the source's time and size), or nothing if it is no Python of this version.

    What marshal writes depends on how many references there are to an object. Nothing of this module refers to anything
    in the code object, and what CPython keeps itself (names, small numbers) is written the same way always.
    """
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return _importlib._code_to_timestamp_pyc(code, modified, size)
