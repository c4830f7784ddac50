"""Before an interpreter is captured, and after it is restored."""

import gc
import sys


def quiesce():
    """Lets go of what would only make an image larger: caches that fill again by themselves, and garbage."""
    import importlib
    import linecache

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


def renew(environment):
    """Makes different what must not be the same in two interpreters: random numbers, the time zone, the environment, which
    is JSON."""
    import json
    import os
    import time

    os.environ.update(json.loads(environment))
    # Pyodide would read what every package says of itself, and with it fetch every package. It is known already.
    sys.modules["pyodide._package_loader"].init_loaded_packages = lambda: None
    if "random" in sys.modules:
        sys.modules["random"].seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    _renew_zone(time)


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
