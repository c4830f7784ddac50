/**
 * Programs that prove a rolled back interpreter to be what it was. `before` is there at the checkpoint, `change` is undone.
 * `observe` prints something else after the change, and the same as before when that has been undone.
 */

/** Of Python alone. */
export const PLAIN = {
  variables: {
    before: "import random; random.seed(7); values = [1, {'a': 2}]; text = 'before'",
    change: "values[1]['a'] = random.random(); values.append(3); del text; def_since = lambda: 1",
    observe: "print(values, globals().get('text'), 'def_since' in globals(), hash(random.getstate()))",
  },
  files: {
    before: `
import os
os.makedirs("/undone/sub"); os.chdir("/undone/sub")
for name in ("kept", "gone"):
    with open(name, "w") as file: file.write(name * 1000)
reader = open("gone"); reader.read(2)
writer = open("log", "w"); writer.write("one "); writer.flush()`,
    change: `
writer.write("two"); writer.close(); reader.read(3)
os.unlink("gone"); os.rename("kept", "moved")
with open("log", "a") as file: file.write("three")
os.mkdir("other"); os.chdir("other")`,
    observe: `
directory = "/undone/sub"
print(os.getcwd(), sorted(os.listdir(directory)), reader.tell(), open(directory + "/log").read(), writer.closed)`,
  },
  "JavaScript values": {
    before: `
import js
from pyodide.ffi import create_proxy
held = js.Array.of(1, 2)
called = []
js.globalThis.early = create_proxy(lambda: called.append("early"))`,
    change: `
del held
many = [js.Object.new() for _ in range(300)]
js.globalThis.early(); js.globalThis.early.destroy()
js.globalThis.late = create_proxy(lambda: called.append("late"))`,
    observe: `
def call(name):
    try:
        getattr(js.globalThis, name)()
        return called.pop()
    except Exception as error:
        return type(error).__name__
print(list(held) if "held" in globals() else None, "many" in globals(), call("early"), called)`,
  },
  tasks: {
    before: `
import asyncio
heard = []
event = asyncio.Event()
make_promise = js.eval("() => { let resolve; const promise = new Promise((set) => { resolve = set }); return { promise, resolve } }")
made = make_promise()
async def hear():
    heard.append(await made.promise)
async def sleep():
    await asyncio.sleep(0.05)
    heard.append("slept")
async def wait():
    await event.wait()
    heard.append("event")
tasks = [asyncio.ensure_future(task()) for task in (hear, sleep, wait)]
await asyncio.sleep(0)`,
    change: "event.set(); made.resolve('resolved'); await asyncio.gather(*tasks)",
    // The others go on by themselves.
    observe: "print('event' in heard, event.is_set(), tasks[2].done())",
    afterwards: "event.set(); await asyncio.gather(*tasks); print(sorted(heard))",
    prints: "['event', 'resolved', 'slept']\n",
  },
  "memory that grows": {
    before: "pattern = bytes(range(256)) * 100",
    change: "large = bytearray(b'x') * 30_000_000; pattern = None",
    observe: "print(sum(pattern or b''), 'large' in globals(), sum(bytearray(30_000_000)))",
  },
};

/** With packages of Pyodide 0.28. */
export const PACKAGES = {
  "side modules": {
    before: "import numpy as np, sys; array = np.arange(6.0).reshape(2, 3)",
    change: `
array *= 2
import regex, kiwisolver
solver, x = kiwisolver.Solver(), kiwisolver.Variable("x")
constraint = x >= 1
solver.addConstraint(constraint)
try:
    solver.addConstraint(constraint)
except kiwisolver.DuplicateConstraint:
    array += len(regex.findall(r"(?<=a)b+", "abbbab"))`,
    observe: "print(array.tolist(), np.linalg.norm(array), [name in sys.modules for name in ('regex', 'kiwisolver')])",
  },
};

/** With wheels from an index, of Pyodide 314. */
export const WHEELS = {
  "side modules": {
    before: "import pydantic, sys; Kept = pydantic.create_model('Kept', number=(int, ...)); kept = Kept(number='3')",
    change: `
import msgspec
from msgpack import _cmsgpack
try:
    msgspec.json.decode(b"[1, true]", type=list[int])
except msgspec.ValidationError:
    kept.number += len(_cmsgpack.Packer().pack([1, 2]))`,
    observe: "print(kept, Kept(number='4'), [name in sys.modules for name in ('msgspec', 'msgpack._cmsgpack')])",
  },
};
