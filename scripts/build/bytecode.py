"""Makes the bytecode of the standard library's modules that Python starts with, in that same Python.

Run by ``bytecode.mjs`` in the distribution's own CPython. The last expression is the ZIP file, which is the same each
time: hash randomisation is off, and times are those of the source.
"""

import calendar
import io
import sys
import zipfile

import _frozen_importlib_external as importlib

# What is imported besides, in most pages: by the bridge for a moment, by Taipan's own modules, and by numpy, pandas and
# matplotlib.
COMMON = """
__future__ email importlib.metadata importlib.metadata._collections importlib.metadata._functools
importlib.metadata._itertools importlib.metadata._meta tarfile base64 _compat_pickle ctypes ctypes._endian datetime numbers pickle platform _strptime
_sysconfigdata__emscripten_wasm32-emscripten calendar csv dataclasses decimal gzip hashlib hmac html html.entities
ipaddress locale pkgutil pprint secrets shlex sysconfig urllib urllib.parse uuid zoneinfo zoneinfo._common
zoneinfo._tzpath
""".split()

# A ZIP file has times from 1980 on; nothing looks at these.
EPOCH = (1980, 1, 1, 0, 0, 0)


def modules(archive, names):
    """The archive's members that are imported, and those of the modules named."""
    origins = (getattr(getattr(module, "__spec__", None), "origin", None) for module in list(sys.modules.values()))
    imported = {origin.removeprefix(f"{archive}/") for origin in origins if origin and origin.startswith(f"{archive}/")}
    for name in COMMON:
        path = name.replace(".", "/")
        found = {f"{path}.py", f"{path}/__init__.py"} & names
        if not found:
            raise LookupError(f"the standard library has no module {name}: take it out of COMMON")
        imported |= found
    return sorted(imported)


def pack(archive):
    """A ZIP file of ``.pyc`` files (PEP 3147) bound to the time and size of their source (PEP 552), as it is mounted."""
    library = "/lib/python{}.{}".format(*sys.version_info)
    output = io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(output, "w") as target:
        for name in modules(archive, set(source.namelist())):
            info = source.getinfo(name)
            path = f"{library}/{name}"
            code = compile(source.read(name), path, "exec", dont_inherit=True)
            data = importlib._code_to_timestamp_pyc(code, calendar.timegm(info.date_time), info.file_size)
            member = zipfile.ZipInfo(importlib.cache_from_source(path).removeprefix("/"), EPOCH)
            target.writestr(member, data, zipfile.ZIP_DEFLATED, compresslevel=9)
    return output.getvalue()


pack(next(path for path in sys.path if path.endswith(".zip")))
