/** A playground: runs what somebody types, shows what it prints and what it gives. */
import { loadPyodide, type PyodideInterface, version } from "pyodide";
import type { PyProxy, PythonError } from "pyodide/ffi";
import type { Program } from "./program";

declare global {
  interface Window {
    pyodide?: PyodideInterface;
  }
}

interface Outcome {
  output: string;
  value: unknown;
  error?: { type: string; line: string | undefined };
}

type Options = NonNullable<Parameters<typeof loadPyodide>[0]>;

class Playground {
  private loading: Promise<PyodideInterface> | null = null;
  private lines: string[] = [];

  private readonly options: Options;

  constructor(options: Options) {
    this.options = options;
  }

  private get pyodide(): Promise<PyodideInterface> {
    this.loading ??= loadPyodide({
      fullStdLib: false,
      ...this.options,
      stdout: (line: string) => void this.lines.push(line),
      stderr: (line) => void this.lines.push(`error: ${line}`),
    });
    return this.loading;
  }

  async run(code: string): Promise<Outcome> {
    const pyodide = await this.pyodide;
    this.lines = [];
    await pyodide.loadPackagesFromImports(code, { messageCallback: () => {}, errorCallback: console.error });
    const globals: PyProxy = pyodide.toPy({ __name__: "__main__" });
    try {
      const result: unknown = await pyodide.runPythonAsync(code, { globals, filename: "playground.py" });
      return { output: this.lines.join("\n"), value: this.plain(pyodide, result) };
    } catch (error) {
      if (!(error instanceof pyodide.ffi.PythonError)) throw error;
      const { type, message }: PythonError = error;
      const line = message.match(/File "playground\.py", line (\d+)/)?.[1];
      return { output: this.lines.join("\n"), value: null, error: { type, line } };
    } finally {
      globals.destroy();
    }
  }

  private plain(pyodide: PyodideInterface, value: unknown): unknown {
    if (!(value instanceof pyodide.ffi.PyProxy)) return value;
    try {
      return value.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
    } catch {
      return value.toString();
    } finally {
      value.destroy();
    }
  }
}

export const main: Program = async (indexURL, say) => {
  const playground = new Playground({ indexURL, env: { HOME: "/home/me" }, packages: ["six"], args: ["-B"] });
  say(version);
  for (const code of [
    "print('hello'); 1 + 1",
    "{'a': [1, (2, 3)], 'b': {'c': None}}",
    "import six, sys\nprint(sys.argv, file=sys.stderr)\nsix.PY3",
    "import asyncio\nawait asyncio.sleep(0)\nobject",
    "def f():\n  return 1 / 0\nf()",
    "if True print(1)",
  ]) {
    say(await playground.run(code));
  }
};
