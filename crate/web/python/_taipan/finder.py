"""Finds modules in packages that are not there yet: ``import pandas`` brings pandas.

The rule, for a module that nothing on the path provides and that the lock file knows:

* Code of the page (a cell, a module that the user wrote) gets the package, wherever the import stands: at top level, in a
  function, in a ``try``, through ``importlib.import_module``.
* Code of an installed package gets it too, when it runs: ``DataFrame.plot`` needs matplotlib, so matplotlib comes. Not so
  if it says that it can do without: a call of ``import_optional_dependency(…, errors="ignore")``, pandas' way to ask.
* While an installed package or a module of the standard library is itself being imported, it gets what it cannot be
  imported without. What it only tries, in a ``try`` that goes on after an ``ImportError`` (or under
  ``suppress(ImportError)``), in the module or in a function that the module calls, is optional to it: pandas looks for
  pyarrow, numexpr, bottleneck and more, hashlib for OpenSSL, and these would be megabytes that nobody asked for.

The import waits for the package: a worker by a synchronous request; the page's own thread, which must not be blocked, by
suspending Python's stack where the browser can do that (JavaScript Promise Integration) and the code was started so that
it may be (``runPythonAsync``). Elsewhere nothing is found, as if this finder were not there.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder

import _taipan_host
from pyodide.ffi import can_run_sync, run_sync

from . import bytecode, guard

#: Where the standard library is, and in it the installed packages.
_LIBRARY = f"{sys._stdlib_dir}/"


class PackageFinder:
    """A meta path finder (``importlib.abc.MetaPathFinder``), the last one asked."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The spec of a module whose package has just been brought, or ``None``."""
        if _is_optional(name):
            return None
        try:
            is_new = _bring_package_of(name)
        except Exception as error:  # noqa: BLE001 - whatever kept the package away, the module is not there
            # What a library tries and can do without must fail as it does everywhere: with an ImportError.
            message = f"No module named {name!r}: its package could not be loaded. {_reason(error)}"
            raise ModuleNotFoundError(message, name=name) from None
        if not is_new:
            return None
        present = sys.modules.get(name)
        return PathFinder.find_spec(name, path, target) if present is None else _Present(present).spec_for(name)

    @staticmethod
    def invalidate_caches():
        """Nothing is remembered here."""


class _Present:
    """Loads a module that another task has loaded while this one was suspended in the same import."""

    def __init__(self, module):
        self._module = module
        self._spec = module.__spec__

    def spec_for(self, name):
        return ModuleSpec(name, self, is_package=hasattr(self._module, "__path__"))

    def create_module(self, spec):
        return self._module

    def exec_module(self, module):
        module.__spec__ = self._spec


def _bring_package_of(name):
    """Whether there may be something new on the path that has the module."""
    if _taipan_host.canBlock:
        return _taipan_host.loadForImport(name)
    if not _taipan_host.wouldBring(name) or not can_run_sync():
        return False
    # Whether or not this brings it: while it waited, another task may have.
    run_sync(_taipan_host.loadForImportLater(name))
    return True


def _reason(error):
    """What a JavaScript error says, without its class."""
    return getattr(getattr(error, "js_error", None), "message", None) or str(error)


def _is_optional(name):
    """Whether the import is made by a package that can do without."""
    frame = sys._getframe(2)
    is_guarded = is_optional = is_outside_importlib = False
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_LIBRARY):
            if not is_outside_importlib:
                is_outside_importlib = True
                is_guarded = guard.imports_another(frame, name)
            is_guarded = is_guarded or guard.is_guarded(frame)
            if code.co_name == "<module>":
                is_optional = is_guarded
            elif code.co_name == "import_optional_dependency" and frame.f_locals.get("errors", "raise") != "raise":
                # `DataFrame.style` asks in this way too, and then cannot do without.
                return frame.f_back.f_code.co_name != "style"
        frame = frame.f_back
    return is_optional


bytecode.note_compiled = getattr(_taipan_host, "noteCompiled", None)
sys.meta_path.append(PackageFinder)
