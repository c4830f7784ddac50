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

What the lock file does not know is looked up on the package indexes, under the module's own name (of a few well-known
modules, under that of their project), with a narrower rule, since whoever has registered a name there is trusted:

* Only for an import statement, or ``importlib.import_module``, that stands in code of the page, ``try`` or not; and for
  what a package of the lock file cannot go on without while it runs: ``DataFrame.to_excel`` needs openpyxl. What other
  packages or the standard library look for never gets to an index, nor does ``importlib.util.find_spec``.
* Only for a module at top level that is not one of the standard library, past or present, and no private one (``_x``).
* Only if the wheel really brings a module of that name. Otherwise nothing is installed.

What no index has is remembered for the session. ``loadPython({ importsFrom: "lock" })`` leaves indexes out.

The import waits for the package: a worker by a synchronous request; the page's own thread, which must not be blocked, by
suspending Python's stack where the browser can do that (JavaScript Promise Integration) and the code was started so that
it may be (``runPythonAsync``). Elsewhere nothing is found, as if this finder were not there.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder

import _taipan_host
from pyodide.ffi import can_run_sync, run_sync

from . import bytecode, guard

# What newer Pythons have taken out is not what somebody else has registered under the name since.
_REMOVED = "asynchat asyncore cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes"
_REMOVED += " smtpd sndhdr spwd sunau telnetlib uu xdrlib"
_NEVER_ON_INDEX = {*sys.stdlib_module_names, *_REMOVED.split(), "js", "pyodide_js", "sitecustomize", "usercustomize"}
_IMPORTING = "/importlib/__init__.py"
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
            why = "." if _is_absent(error) else ": its package could not be loaded."
            message = f"No module named {name!r}{why} {_reason(error)}"
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
    if not _taipan_host.isInLock(name):
        return _bring_from_index(name)
    if _taipan_host.canBlock:
        return _taipan_host.loadForImport(name)
    if not _taipan_host.wouldBring(name) or not can_run_sync():
        return False
    # Whether or not this brings it: while it waited, another task may have.
    run_sync(_taipan_host.loadForImportLater(name))
    return True


def _bring_from_index(name):
    """Whether an index had a project with the module."""
    if not _taipan_host.asksIndexes or not _may_be_on_index(name) or not _is_wanted_by_page(name):
        return False
    if _taipan_host.canBlock:
        return _taipan_host.installForImport(name)
    return can_run_sync() and run_sync(_taipan_host.installForImportLater(name))


def _may_be_on_index(name):
    is_private = name.startswith("_")
    return name.isascii() and name.isidentifier() and not is_private and name not in _NEVER_ON_INDEX


def _is_wanted_by_page(name):
    """Whether the statement that imports stands in code of the page, or in what that calls and cannot do without it."""
    frame, is_first = sys._getframe(4), True
    while frame is not None:
        code = frame.f_code
        if not (code.co_filename.startswith("<frozen importlib._bootstrap") or code.co_filename.endswith(_IMPORTING)):
            if not code.co_filename.startswith((_LIBRARY, "<frozen ")):
                return True
            is_another = is_first and guard.imports_another(frame, name)
            if code.co_name == "<module>" or not _is_of_lock(code.co_filename) or is_another or guard.is_guarded(frame):
                return False
            is_first = False
        frame = frame.f_back
    return False


def _is_of_lock(filename):
    """Whether a file is of a package that the lock file has."""
    _, is_installed, path = filename.partition("/site-packages/")
    return bool(is_installed) and _taipan_host.isInLock(path.partition("/")[0].removesuffix(".py"))


def _is_absent(error):
    return getattr(getattr(error, "js_error", None), "code", None) == "PACKAGE_NOT_FOUND"


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
