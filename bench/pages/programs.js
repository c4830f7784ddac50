/** Python that computes, each program for about a second with stock Pyodide: what is measured is how fast it goes on. */

const FLOATS = `
def floats(steps):
    x, y, z, u, v, w = 1.0, 0.5, 0.25, 0.1, 0.2, 0.3
    for _ in range(steps):
        pull = (x * x + y * y + z * z + 0.01) ** 1.5
        u, v, w = u - x / pull * 0.01, v - y / pull * 0.01, w - z / pull * 0.01
        x, y, z = x + u * 0.01, y + v * 0.01, z + w * 0.01
    return round(x, 6)
floats(1_000_000)
`;

const CALLS = `
def calls(n):
    return n if n < 2 else calls(n - 1) + calls(n - 2)
calls(30)
`;

const OBJECTS = `
class Counter:
    def __init__(self, value):
        self.value, self.step = value, 2
    def __len__(self):
        return self.step
    @property
    def parity(self):
        return self.value & 1
    def advance(self, factor):
        self.value = (self.value * factor + self.step) % 97
        return self.value
def objects(rounds):
    counters, total = [Counter(number) for number in range(10)], 0
    for number in range(rounds):
        counter = counters[number % 10]
        total += counter.advance(3) + counter.parity + len(counter) + getattr(counter, "step")
        total += (3 in (1, 2, 3)) + len([number]) + hasattr(counter, "missing")
    return total
objects(400_000)
`;

const TEXTS = `
def texts(rounds):
    found = 0
    for number in range(rounds):
        line = "-".join(str(part) for part in range(number % 7)).upper().replace("1", "one")
        found += len(f"{number}: {line!r}".split())
    return found
texts(200_000)
`;

const DICTIONARIES = `
def dictionaries(rounds):
    counts = {}
    for number in range(rounds):
        key = f"key {number % 500}"
        counts[key] = counts.get(key, 0) + number
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[0][1]
dictionaries(800_000)
`;

const DOCUMENTS = `
import json
def documents(rounds):
    rows = [{"name": str(number), "values": [number] * 5, "half": number / 2} for number in range(100)]
    return sum(len(json.loads(json.dumps(rows))) for _ in range(rounds))
documents(1_500)
`;

/** By name: the code, and what it gives. */
const PROGRAMS = {
  floats: [FLOATS, "-0.350421"],
  calls: [CALLS, "832040"],
  objects: [OBJECTS, "21599594"],
  texts: [TEXTS, "400000"],
  dictionaries: [DICTIONARIES, "640398400"],
  json: [DOCUMENTS, "150000"],
};

export const PROGRAM_STEPS = Object.entries(PROGRAMS).map(([name, [code]]) => ({ name, packages: [], code }));

export const PROGRAM_ANSWERS = Object.fromEntries(Object.entries(PROGRAMS).map(([name, [, answer]]) => [name, answer]));
