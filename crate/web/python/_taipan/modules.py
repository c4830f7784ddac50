"""Finds and reads modules with few system calls.

``importlib`` asks the file system a dozen times for each module. Here it is asked once where the module is and once where
its bytecode is (``crate/web/src/emscripten/module_lookup.rs`` answers). Whatever is not as plain as that, a ZIP file on
the path, a namespace package, a mounted directory, bytecode that does not fit its source, is left to ``importlib``. What is
found, the spec and its loader, is the same either way; nothing is remembered, so it is what is there at that moment.
"""

import posix
import sys

import _frozen_importlib_external as _importlib

_ROOT = "/proc/taipan/"
_UNCLEAR = "?"
_MAGIC_AND_FLAGS = _importlib.MAGIC_NUMBER + bytes(4)
_HEADER_LENGTH = 16

_path_hooks = list(sys.path_hooks)
_plain_finders = type(None), _importlib.FileFinder


def _ask(question):
    """The answer to a question, empty where there is nothing, or that it cannot be told."""
    try:
        return posix.readlink(_ROOT + question)
    except (OSError, ValueError):
        return _UNCLEAR


class ModuleFinder:
    """A meta path finder (``importlib.abc.MetaPathFinder``), asked before ``PathFinder``."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The spec that ``PathFinder`` would give, or ``None`` to have it asked."""
        module = name.rpartition(".")[2]
        if not module or "/" in module or sys.path_hooks != _path_hooks:
            return None
        finders = sys.path_importer_cache
        for folder in sys.path if path is None else path:
            if not isinstance(folder, str):
                return None
            if not folder:
                folder = posix.getcwd()
            if folder[:1] != "/" or not isinstance(finders.get(folder), _plain_finders):
                return None
            file = _ask(f"module{folder}/{module}")
            if file == _UNCLEAR:
                return None
            if file:
                return _spec(name, folder, file)
        return None

    @staticmethod
    def invalidate_caches():
        """Nothing is remembered here."""


def _spec(name, folder, file):
    is_package = "/" in file
    location = _importlib._path_join(folder, file)
    locations = [location.rpartition("/")[0]] if is_package else None
    kind = _importlib.SourceFileLoader if file.endswith(".py") else _importlib.ExtensionFileLoader
    loader = kind(name, location)
    return _importlib.spec_from_file_location(name, location, loader=loader, submodule_search_locations=locations)


_get_code = _importlib.SourceFileLoader.get_code


def _get_kept_code(self, fullname):
    """``get_code``, with the bytecode read at once where it is that of the source."""
    if type(self) is _importlib.SourceFileLoader and fullname == self.name and sys.pycache_prefix is None:
        answer = _ask(f"bytecode{self.path}")
        if answer and answer != _UNCLEAR:
            time, size, length, path = answer.split(" ", 3)
            try:
                data = _read(path, int(length))
            except OSError:
                data = b""
            expected = _MAGIC_AND_FLAGS + _importlib._pack_uint32(int(time)) + _importlib._pack_uint32(int(size))
            if len(data) == int(length) and data.startswith(expected):
                code = memoryview(data)[_HEADER_LENGTH:]
                return _importlib._compile_bytecode(code, name=fullname, bytecode_path=path, source_path=self.path)
    return _get_code(self, fullname)


def _read(path, length):
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return posix.read(descriptor, length)
    finally:
        posix.close(descriptor)


if not sys.flags.optimize:
    _importlib.SourceFileLoader.get_code = _get_kept_code
    sys.meta_path.insert(sys.meta_path.index(_importlib.PathFinder), ModuleFinder)
