"""Before an interpreter is captured, and after it is restored."""

import gc
import sys

_SITE_PACKAGES = tuple(path + "/" for path in sys.path if path.endswith("/site-packages"))

# What was imported when this interpreter was restored from an image.
_restored = frozenset()

# Names of the environment variables that the page gave which baked the image.
_given = ()

_eval_code = None


def quiesce(given):
    """Lets go of what would only make an image larger: caches that fill again by themselves, and garbage. Notes which
    environment variables the page has given."""
    global _given
    import importlib
    import linecache

    import js

    _given = tuple(given)
    # What the first cell will need.
    from . import errors, mime  # noqa: F401

    linecache.clearcache()
    importlib.invalidate_caches()
    if "re" in sys.modules:
        sys.modules["re"].purge()
    if clear := getattr(sys, "_clear_internal_caches", None):
        clear()
    for _ in range(3):
        gc.collect()
    # Pyodide keeps the method that was called last, and what it was called on: a response, say. These are in every browser.
    js.Math.abs(0)


def numpy_random():
    """Where the state of NumPy's global random numbers is, as JSON: the address of the capsule that points to it, and the
    state itself to recognise it by. ``null`` if there is none, or more to it than that."""
    import json

    described = None
    try:
        generator = sys.modules["numpy.random"].mtrand._rand
        state = generator.get_state(legacy=False)
        if state["bit_generator"] == "MT19937" and not state["has_gauss"]:
            words = [*state["state"]["key"].tolist(), state["state"]["pos"]]
            described = [id(generator._bit_generator.capsule), *words]
    except Exception:  # noqa: BLE001 - none, or another NumPy: it is seeded as it wants to be
        pass
    return json.dumps(described)


def begin_bootstrap():
    """Until ``renew``, evaluates the few expressions that Pyodide's bridge starts with as they are. ``eval_code`` would look
    at each as at a program, with code of CPython's that is slow when it is new."""
    global _eval_code
    base = sys.modules["_pyodide._base"]
    _eval_code, base.eval_code = base.eval_code, _evaluate


def _evaluate(source, variables=None):
    *statements, value = source.split("; ")
    variables = {} if variables is None else variables
    exec("\n".join(statements), variables)
    return eval(value, variables)


def renew(environment, is_numpy_renewed):
    """Makes different what must not be the same in two interpreters: random numbers, NumPy's unless they are, the time zone,
    the environment, which is JSON."""
    global _restored
    import json
    import os
    import time

    sys.modules["_pyodide._base"].eval_code = _eval_code
    _restored = frozenset(sys.modules)
    environment = json.loads(environment)
    for name in _given:
        if name not in environment:
            os.environ.pop(name, None)
    os.environ.update(environment)
    # Pyodide would read what every package says of itself, and with it fetch every package. It is known already.
    sys.modules["pyodide._package_loader"].init_loaded_packages = lambda: None
    # Whoever compiled it has kept it, or keeps it when there is time.
    sys.modules["_taipan.bytecode"].forget()
    if "random" in sys.modules:
        sys.modules["random"].seed()
    if "numpy.random" in sys.modules and not is_numpy_renewed:
        sys.modules["numpy.random"].seed()
    _renew_zone(time)


def imported():
    """Lines: ``new`` if some were not in the image, and the modules of packages that have been imported, in that order."""
    modules = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        # A package may put a module of its own where another's name is.
        if isinstance(origin, str) and origin.startswith(_SITE_PACKAGES) and spec.name == name:
            modules.append(name)
    return "\n".join(["" if _restored.issuperset(modules) else "new", *modules])


def import_modules(names):
    """Imports modules (lines) as far as they are on the path; no package is brought for them."""
    import importlib

    from .finder import PackageFinder

    sys.meta_path.remove(PackageFinder)
    try:
        for name in names.splitlines():
            try:
                importlib.import_module(name)
            except (Exception, SystemExit):  # noqa: BLE001 - an image without it is an image
                pass
    finally:
        sys.meta_path.append(PackageFinder)


def _renew_zone(time):
    """CPython reads the time zone once, when ``time`` is first imported, and has no ``tzset`` here."""
    year = time.localtime().tm_year
    january, july = (time.localtime(time.mktime((year, month, 1, 0, 0, 0, 0, 0, -1))) for month in (1, 7))
    standard, summer = sorted((january, july), key=lambda moment: moment.tm_gmtoff)
    time.timezone, time.altzone = -standard.tm_gmtoff, -summer.tm_gmtoff
    time.daylight = int(january.tm_gmtoff != july.tm_gmtoff)
    time.tzname = (standard.tm_zone, summer.tm_zone)


def owner(value):
    """The name of a variable that holds a JavaScript value, such as ``held`` or ``module.held``; ``None`` if it is not a
    variable of a module."""
    from pyodide.ffi import JsProxy

    modules = sorted(list(sys.modules.items()), key=lambda item: item[0] != "__main__")
    for module, namespace in modules:
        for name, held in list(getattr(namespace, "__dict__", {}).items()):
            if isinstance(held, JsProxy) and held.js_id == value.js_id:
                return name if module == "__main__" else f"{module}.{name}"
    return None
