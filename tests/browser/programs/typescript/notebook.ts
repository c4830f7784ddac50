/** A notebook's kernel: an object in Python with callbacks into JavaScript, a drive of its own, remote objects. */
import type Pyodide from "pyodide";
import { loadPyodide } from "pyodide";
import type { PyProxy } from "pyodide/ffi";
import type { Program } from "./program";

interface Converted<T> extends PyProxy {
  toJs(options?: Parameters<PyProxy["toJs"]>[0]): T;
}

interface Copied extends PyProxy {
  copy(): this;
}

interface Stream extends Copied {
  publish(name: string, text: string): void;
}

interface Kernel extends Copied {
  parent: PyProxy;
  stream: Stream;
  on_display?: (data: Converted<Map<string, string>>) => void;
  run(code: string): Promise<Converted<Record<string, unknown>>>;
}

const KERNEL = `
import ast, io, contextlib
from pyodide.code import eval_code_async

class Stream:
    def publish(self, name, text): pass

class Kernel:
    def __init__(self):
        self.stream, self.parent, self.on_display = Stream(), None, None
    async def run(self, code):
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                value = await eval_code_async(code, {})
        except Exception as error:
            return {"status": "error", "ename": type(error).__name__, "evalue": str(error)}
        self.stream.publish("stdout", out.getvalue())
        if value is not None: self.on_display({"text/plain": repr(value)})
        return {"status": "ok", "parent": self.parent["id"]}

kernel = Kernel()
`;

class Drive {
  private readonly FS: Pyodide.PyodideAPI["FS"];
  private readonly codes: Pyodide.PyodideAPI["ERRNO_CODES"];
  private readonly files: Record<string, Uint8Array>;

  constructor({ FS, ERRNO_CODES }: Pyodide.PyodideAPI, files: Record<string, Uint8Array>) {
    this.FS = FS;
    this.codes = ERRNO_CODES;
    this.files = files;
  }

  mount() {
    return this.node(null, "/", 0o40777);
  }

  // biome-ignore lint/suspicious/noExplicitAny: nodes are Emscripten's, whose types a program need not have.
  private node(parent: any, name: string, mode: number): any {
    const { FS, files } = this;
    const node = FS.createNode(parent, name, mode, 0);
    const when = new Date(0);
    node.node_ops = {
      getattr: () => ({
        ...{ dev: 1, ino: node.id, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096, blocks: 1 },
        ...{ size: files[name]?.length ?? 0, atime: when, mtime: when, ctime: when },
      }),
      lookup: (of: unknown, child: string) => {
        if (!(child in files)) throw new FS.ErrnoError(this.codes.ENOENT as number);
        return this.node(of, child, 0o100644);
      },
      readdir: () => [".", "..", ...Object.keys(files)],
    };
    node.stream_ops = {
      read: (_: unknown, buffer: Uint8Array, offset: number, length: number, position: number) => {
        const part = (files[name] as Uint8Array).subarray(position, position + length);
        buffer.set(part, offset);
        return part.length;
      },
      llseek: (stream: { position: number }, offset: number, whence: number) =>
        offset + (whence === 1 ? stream.position : whence === 2 ? (files[name] as Uint8Array).length : 0),
    };
    return node;
  }
}

export const main: Program = async (indexURL, say) => {
  const options: Parameters<typeof Pyodide.loadPyodide>[0] = { indexURL, packages: ["micropip"] };
  const pyodide: Pyodide.PyodideInterface = await loadPyodide(options);
  const { FS, PATH } = pyodide;
  FS.mkdir("/drive");
  FS.mount(new Drive(pyodide, { "notes.py": new TextEncoder().encode("answer = 42") }), {}, "/drive");
  FS.chdir("/drive");
  say(FS.readdir("/drive"), PATH.join(FS.cwd(), "notes.py"), FS.readFile("notes.py", { encoding: "utf8" }));
  await pyodide.runPythonAsync(KERNEL);
  const kernel = (pyodide.globals.get("kernel") as Kernel).copy();
  const stream = kernel.stream.copy();
  stream.publish = (name, text) => say(name, text);
  kernel.on_display = (data) => say("display", data.toJs());
  kernel.parent = pyodide.toPy({ id: "cell 1" });
  for (const code of [
    "print('in a cell'); [1, 2]",
    "import sys; sys.path.append('/drive'); import notes; notes.answer",
    "1/0",
  ]) {
    const outcome = await kernel.run(code);
    say(outcome.toJs({ dict_converter: Object.fromEntries }).status, outcome instanceof pyodide.ffi.PyDict);
    outcome.destroy();
  }
  pyodide.registerComlink({ createEndpoint: Symbol("endpoint"), releaseProxy: Symbol("release") });
  pyodide.registerJsModule("front_end", { theme: "dark", ask: async (question: string) => `${question} yes` });
  say(await pyodide.runPythonAsync("from front_end import ask, theme\n[theme, await ask('sure?')]").then(String));
  const { install } = pyodide.pyimport("micropip");
  say(typeof install, pyodide.pyodide_py.type, kernel.type);
};
