/**
 * Programs that prove a restored interpreter to be like one that was started: what they print is the same after a start
 * and after a restoration, in every browser.
 */

/** Of Python alone. */
export const PLAIN = {
  asyncio: `
import asyncio
async def late(value):
    await asyncio.sleep(0.01)
    return value
print(await asyncio.gather(late(1), late(2)))`,
  "JavaScript both ways": `
from js import Object, Array
from pyodide.ffi import create_proxy, to_js
called = []
proxy = create_proxy(lambda value, *_: called.append(value))
Array.from_([1, 2]).forEach(proxy)
proxy.destroy()
print(called, to_js({"a": 1}, dict_converter=Object.fromEntries).a)`,
  "garbage and tracing": `
import gc, tracemalloc, sys
tracemalloc.start()
kept = [bytes(1000) for _ in range(100)]
print(tracemalloc.get_traced_memory()[0] > 100_000, gc.collect() >= 0)
tracemalloc.stop()`,
  "exceptions both ways": `
import js
from pyodide.ffi import JsException, create_proxy
try:
    js.JSON.parse("{")
except JsException as error:
    print(type(error).__name__, error.name)
def fail(*_):
    raise ValueError("from Python")
proxy = create_proxy(fail)
try:
    js.Array.of(1).forEach(proxy)
except ValueError as error:
    print(type(error).__name__, error)
proxy.destroy()`,
  "a callback that outlives the run": `
import asyncio, js
from pyodide.ffi import create_once_callable
heard = asyncio.get_running_loop().create_future()
js.setTimeout(create_once_callable(lambda: heard.set_result("heard")), 20)
print(await heard)`,
  "waiting for a promise, where the browser can": `
from pyodide.ffi import can_run_sync, run_sync
import asyncio
async def late():
    await asyncio.sleep(0.01)
    return "waited"
print(run_sync(late()) if can_run_sync() else "waited")`,
  "threads, which there are none of": `
import threading
try:
    threading.Thread(target=print).start()
except RuntimeError as error:
    print(type(error).__name__, error)
print(threading.active_count(), threading.Lock().acquire(timeout=1))`,
  ctypes: `
import ctypes
numbers = (ctypes.c_int * 3)(3, 1, 2)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))(
    lambda a, b: a[0] - b[0]
)
qsort = ctypes.pythonapi.qsort if hasattr(ctypes.pythonapi, "qsort") else None
if qsort:
    qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), compare)
print(ctypes.sizeof(ctypes.c_void_p), sorted(numbers), compare(ctypes.c_int(5), ctypes.c_int(3)))
del compare`,
  "sorting, hashing, arithmetic": `
import hashlib, json, decimal, fractions
print(hashlib.sha256(b"a").hexdigest()[:16], hash((1, 2.5)), sorted({3, 1, 2}))
print(json.dumps({"a": [1.5, None]}), decimal.Decimal(1) / 7, fractions.Fraction(1, 3) + 1, 2**200)`,
  "generators, classes and weak references": `
import weakref, contextlib, dataclasses, gc
@dataclasses.dataclass
class Node:
    value: int
node = Node(1)
alive = weakref.ref(node)
@contextlib.contextmanager
def block():
    yield "inside"
with block() as where:
    print(where, alive() is node, node)
del node
gc.collect()
print(alive())`,
};

/** With packages of Pyodide 0.28.3, some of them imported before the image is baked, some after. */
export const PACKAGES = {
  "data frames": `
import pandas as pd
frame = pd.DataFrame({"key": list("aabbc"), "value": [1, 2, 3, 4, 5.5]})
other = pd.DataFrame({"key": list("abc"), "name": ["x", "y", "z"]})
print(frame.groupby("key").value.agg(["sum", "mean"]))
print(frame.merge(other, on="key").to_csv(index=False))
print(frame.value.rolling(2).mean().tolist())`,
  "linear algebra": `
import numpy as np
matrix = np.array([[4.0, 1], [2, 3]])
print(np.linalg.eigvals(matrix).round(9).tolist(), np.linalg.det(matrix).round(9))
print(np.abs(np.fft.fft(np.arange(8))).round(6).tolist())`,
  "regular expressions and dates": `
import re, datetime, regex
import pandas as pd
print(re.sub(r"(\\w+)@(\\w+)", r"\\2 at \\1", "me@here"))
print(regex.findall(r"\\p{Lu}\\p{Ll}+", "Oslo and Lima"))
print(datetime.datetime(2024, 7, 1, tzinfo=datetime.timezone.utc).isoformat())
print(pd.Timestamp("2024-03-31 12:00", tz="UTC").tz_convert("Europe/Berlin").isoformat())`,
  "exceptions of C and of Python": `
import numpy as np
for wrong in (lambda: np.zeros(3) @ np.zeros(4), lambda: np.linalg.inv(np.zeros((2, 2))), lambda: {}["x"]):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)`,
  "pickling, and objects that were made before": `
import pickle, pandas as pd
print(pickle.loads(pickle.dumps(kept_frame)).equals(kept_frame), kept_function(4), open("/home/pyodide/kept.txt").read())`,
  "a module that was not imported before": `
import bs4, decimal
print(bs4.BeautifulSoup("<p>text</p>", "html.parser").p.text, decimal.Decimal("1.10") + 1)`,
  "side modules that were not linked before": `
import pandas as pd
from scipy import linalg
import numpy as np
print(linalg.lu(np.array([[1.0, 2], [3, 4]]))[2].round(6).tolist())`,
  "C++ exceptions in a side module": `
import kiwisolver
solver, x = kiwisolver.Solver(), kiwisolver.Variable("x")
constraint = x >= 1
solver.addConstraint(constraint)
try:
    solver.addConstraint(constraint)
except kiwisolver.DuplicateConstraint as error:
    print(type(error).__name__)`,
  "a figure": `
from matplotlib import pyplot as plt
import io
figure = plt.figure()
figure.gca().plot([1, 3, 2])
file = io.BytesIO()
figure.savefig(file, format="png")
plt.close(figure)
print(file.getvalue()[:8])`,
  "memory that grows": `
import numpy as np
print(int(np.ones(20_000_000).sum()))`,
  "time zones": `
import datetime, zoneinfo, pytz
def zone(name):
    with pytz.open_resource(name) as file:
        return zoneinfo.ZoneInfo.from_file(file, key=name)
moment = datetime.datetime(2024, 7, 1, 12, tzinfo=zone("Europe/Berlin"))
print(moment.isoformat(), moment.astimezone(zone("America/New_York")).isoformat())`,
};

/** What there is when an image for {@link PACKAGES} is baked. */
export const BEFORE = `
import numpy, pandas
kept_frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
def kept_function(number, *, factor=3):
    return number * factor
with open("/home/pyodide/kept.txt", "w") as file:
    file.write("kept")`;

/** With compiled wheels of PEP 783, for Pyodide 314. */
export const WHEELS = {
  models: `
import pydantic
class User(pydantic.BaseModel):
    name: str
    age: int
print(User.model_validate_json('{"name": "Ada", "age": "36"}'), User.model_json_schema()["required"])
try:
    kept_model(number="x")
except pydantic.ValidationError as error:
    print(error.errors()[0]["type"], kept_model(number="3"))`,
  messages: `
import msgpack
from msgpack import _cmsgpack
print(msgpack.unpackb(kept_packer.pack({"a": [1, 2.5, None]})), _cmsgpack.Packer().pack("x"))`,
  "a side module that was not linked before": `
import msgspec
class Point(msgspec.Struct):
    x: int
print(msgspec.json.decode(b'{"x": 3}', type=Point))`,
  "a database": `
import sqlite3
with sqlite3.connect(":memory:") as database:
    database.execute("create table t (a integer, b text)")
    database.executemany("insert into t values (?, ?)", [(1, "x"), (2, "y")])
    print(database.execute("select sum(a), group_concat(b) from t").fetchall())
print(kept_database.execute("select * from kept").fetchall())`,
  "memory that grows": `
print(len(bytearray(150_000_000)))`,
};

/** What there is when an image for {@link WHEELS} is baked. */
export const BEFORE_WHEELS = `
import pydantic, sqlite3
from msgpack import _cmsgpack
kept_model = pydantic.create_model("Kept", number=(int, ...))
kept_packer = _cmsgpack.Packer()
kept_database = sqlite3.connect(":memory:")
kept_database.execute("create table kept (a)")
kept_database.execute("insert into kept values (42)")`;
