"""Finds modules in packages that are not there yet: ``import pandas`` brings pandas.

The rule, for a module that nothing on the path provides and that the lock file knows:

* Code of the page (a cell, a module that the user wrote) gets the package, wherever the import stands: at top level, in a
  function, in a ``try``, through ``importlib.import_module``.
* Code of an installed package gets it too, when it runs: ``DataFrame.to_excel`` needs openpyxl, so openpyxl comes.
* While an installed package is itself being imported, it does not: what it looks for then, besides the dependencies that
  the lock file has brought along already, is optional to it (pandas looks for pyarrow, numexpr, bottleneck and more), and
  would be megabytes that nobody asked for.
"""

import sys
from importlib.machinery import PathFinder

import _taipan_host

_SITE_PACKAGES = tuple(path for path in sys.path if path.endswith("/site-packages"))


class PackageFinder:
    """A meta path finder (``importlib.abc.MetaPathFinder``), the last one asked."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The spec of a module whose package has just been brought, or ``None``."""
        if _is_optional() or not _taipan_host.loadForImport(name):
            return None
        return PathFinder.find_spec(name, path, target)

    @staticmethod
    def invalidate_caches():
        """Nothing is remembered here."""


def _is_optional():
    """Whether the import is made by an installed package while that is itself being imported."""
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "<module>" and code.co_filename.startswith(_SITE_PACKAGES):
            return True
        frame = frame.f_back
    return False


sys.meta_path.append(PackageFinder)
