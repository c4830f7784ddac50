/** What checkpoints are tried with. */
import { after, before } from "node:test";
import { openApiPage } from "../../support/api-page.mjs";
import { wheelOf } from "./wheels.mjs";

/** Of each distribution: a package with side modules, how to get it, and work that gives 10 and 11; side modules for more. */
export const SETS = [
  {
    version: "0.28.3",
    name: "numpy",
    wheels: [],
    work: "import numpy as np; float(np.linalg.det(np.array([[4.0, 1], [2, 3]])).__round__(6))",
    keep: "import numpy as np; kept = np.arange(5)",
    later: "np.linalg.inv(np.eye(2) * 2).sum().item() + kept.sum().item()",
    more: "import regex, numpy.linalg, kiwisolver; numpy.linalg.inv(np.eye(3))",
    again: "import kiwisolver; [kept.tolist(), kiwisolver.__name__, np.linalg.det(np.eye(2)).item()]",
    all: [[0, 1, 2, 3, 4], "kiwisolver", 1],
  },
  {
    version: "314.0.7",
    name: "msgspec",
    wheels: [wheelOf("msgspec"), wheelOf("msgpack")],
    work: "import msgspec; sum(msgspec.json.decode(b'[1, 2, 3, 4]', type=list[int]))",
    keep: "import msgspec; kept = msgspec.defstruct('Kept', [('numbers', list[int])])([0, 1, 2, 3, 4])",
    later: "len(msgspec.msgpack.encode([None])) - 1 + sum(msgspec.to_builtins(kept)['numbers'])",
    more: "from msgpack import _cmsgpack; _cmsgpack.Packer().pack(1); msgspec.json.decode(msgspec.json.encode(kept))",
    again:
      "from msgpack import _cmsgpack; [kept.numbers, _cmsgpack.Packer().pack('x').hex(), msgspec.json.decode(b'1')]",
    all: [[0, 1, 2, 3, 4], "a178", 1],
  },
];

/** Opens a page with the distribution of a set, for the tests of a `describe`; the page is there when they run. */
export function usePageOf({ version }) {
  const api = {};
  before(async () => {
    Object.assign(api, await openApiPage({ version }));
    await api.evaluate(() => {
      /** The value of an expression after a statement. */
      globalThis.value = async (python, code) => (await python.run(code)).value;
      globalThis.python = start();
    });
  });
  after(() => api.close?.());
  return api;
}
