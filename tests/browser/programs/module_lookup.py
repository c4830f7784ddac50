"""Modules are found as importlib finds them: the outcome of each case, beside what it should be."""

import importlib
import json
import os
import pathlib
import sys
import tempfile
import time
import zipfile
from importlib.machinery import FileFinder, PathFinder

from _taipan import modules


def facts(spec):
    if spec is None:
        return None
    places = spec.submodule_search_locations
    places = None if places is None else list(places)
    return [spec.name, type(spec.loader).__name__, spec.loader.path, spec.origin, spec.cached, spec.has_location, places]


def names():
    """The names of all modules and packages on the path."""
    for root in (folder for folder in sys.path if os.path.isdir(folder) and folder.startswith("/lib/")):
        for folder, folders, files in os.walk(root):
            package = os.path.relpath(folder, root).replace("/", ".")
            if not all(part.isidentifier() for part in package.split(".") if package != "."):
                continue
            prefix = "" if package == "." else package + "."
            for file in {name.partition(".")[0] for name in [*folders, *files]} - {"__pycache__", "__init__"}:
                yield prefix + file, None if package == "." else [folder]


def differences():
    """What is found otherwise, and how many modules there are."""
    checked, wrong = 0, []
    importlib.invalidate_caches()
    for name, path in names():
        ours = modules.ModuleFinder.find_spec(name, path)
        if ours is None:
            continue
        checked += 1
        if facts(ours) != facts(PathFinder.find_spec(name, path)):
            wrong.append(name)
    return checked, wrong


def cases():
    counted = []
    original = modules._get_code
    modules._get_code = lambda self, name: counted.append(name) or original(self, name)
    folder = pathlib.Path(tempfile.mkdtemp())
    sys.path.insert(0, str(folder))
    outcomes = {}
    # Pyodide has it switched off, since nothing would be there at the next start.
    sys.dont_write_bytecode = False

    def value(name, attribute="VALUE"):
        try:
            return getattr(importlib.import_module(name), attribute)
        except ImportError as error:
            return type(error).__name__

    # A library module is found at once, and its bytecode is read without importlib's help.
    sys.modules.pop("calendar", None)
    importlib.import_module("calendar")
    outcomes["from bytecode"] = "calendar" in counted, modules.ModuleFinder.find_spec("traceback") is not None

    source = folder / "changing.py"
    source.write_text("VALUE = 1")
    outcomes["new file"] = value("changing")
    cached = pathlib.Path(sys.modules["changing"].__spec__.cached)
    outcomes["bytecode was written"] = cached.exists()
    source.write_text("VALUE = 22")
    importlib.reload(sys.modules["changing"])
    outcomes["another size"] = sys.modules["changing"].VALUE
    source.write_text("VALUE = 33")
    os.utime(source, (0, 1_000_000_000))
    importlib.reload(sys.modules["changing"])
    outcomes["another time"] = sys.modules["changing"].VALUE
    cached.write_bytes(b"short")
    importlib.reload(sys.modules["changing"])
    outcomes["damaged bytecode"] = sys.modules["changing"].VALUE
    del sys.modules["changing"]
    source.unlink()
    outcomes["gone"] = value("changing")

    (folder / "spaces").mkdir()
    outcomes["namespace package"] = importlib.import_module("spaces").__path__._path == [str(folder / "spaces")]
    (folder / "spaces" / "part.py").write_text("VALUE = 'part'")
    importlib.invalidate_caches()
    outcomes["part of it"] = value("spaces.part")

    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("zipped.py", "VALUE = 'zipped'")
    sys.path.insert(0, str(folder / "packed.zip"))
    outcomes["in a ZIP file"] = value("zipped")
    sys.path.pop(0)

    os.chdir(folder)
    (folder / "here.py").write_text("VALUE = __file__")
    sys.path.remove(str(folder))
    sys.path.insert(0, "")
    outcomes["in the working directory"] = value("here") == str(folder / "here.py")

    class Hooked(FileFinder):
        """A finder of the program's own."""

        def find_spec(self, name, target=None):
            spec = super().find_spec(name, target)
            if spec is not None:
                spec.loader_state = "hooked"
            return spec

    details = (importlib.machinery.SourceFileLoader, [".py"])
    sys.path_hooks.insert(0, Hooked.path_hook(details))
    sys.path_importer_cache.clear()
    (folder / "hooked.py").write_text("VALUE = __spec__.loader_state")
    outcomes["by a path hook"] = value("hooked")
    sys.path_hooks.pop(0)
    sys.path_importer_cache.clear()

    outcomes["no module"] = [value(name) for name in ("spaces/part", "here/", "nowhere", "x" * 5000, "\ud800")]
    sys.path.remove("")
    modules._get_code = original
    return outcomes


print(json.dumps({"differences": differences(), "cases": cases()}))
