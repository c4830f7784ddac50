/** A course: answers are run apart from each other, with input, a limit, and checks. */
import { loadPyodide, type PyodideInterface } from "pyodide";
import type { PyCallable, PyDict, PyProxy } from "pyodide/ffi";
import type { Program } from "./program";

interface Check {
  name: string;
  expression: string;
}

interface Report {
  passed: string[];
  failed: string[];
  output: string;
  error: string | null;
}

const CHECKER = `
def check(namespace, expression):
    return bool(eval(expression, namespace))
check
`;

class Grader {
  private readonly pyodide: PyodideInterface;
  private readonly check: PyCallable;
  private readonly interrupt: Int32Array;

  private constructor(pyodide: PyodideInterface, check: PyCallable, interrupt: Int32Array) {
    this.pyodide = pyodide;
    this.check = check;
    this.interrupt = interrupt;
  }

  static async start(options: Parameters<typeof loadPyodide>[0]): Promise<Grader> {
    const pyodide = await loadPyodide(options);
    const check = pyodide.runPython(CHECKER, { globals: pyodide.toPy({}), filename: "checker.py" }) as PyCallable;
    const interrupt = new Int32Array(new SharedArrayBuffer(4));
    pyodide.setInterruptBuffer(interrupt);
    return new Grader(pyodide, check, interrupt);
  }

  grade(answer: string, checks: readonly Check[], input: readonly string[] = []): Report {
    const { pyodide } = this;
    const report: Report = { passed: [], failed: [], output: "", error: null };
    const lines = [...input];
    const decoder = new TextDecoder();
    pyodide.setStdin({ stdin: () => lines.shift() ?? null, isatty: false });
    pyodide.setStdout({
      write: (buffer: Uint8Array): number => {
        report.output += decoder.decode(buffer, { stream: true });
        return buffer.length;
      },
    });
    pyodide.setStderr({ batched: (text) => void text });
    let namespace: (PyProxy & PyDict) | undefined;
    try {
      namespace = pyodide.toPy({ stop: () => Atomics.store(this.interrupt, 0, 2) }) as PyDict;
      pyodide.runPython(answer, { globals: namespace, locals: namespace, filename: "answer.py" });
      for (const { name, expression } of checks) {
        const passed: boolean = this.check(namespace, expression);
        (passed ? report.passed : report.failed).push(name);
      }
    } catch (error) {
      report.error = error instanceof pyodide.ffi.PythonError ? error.type : String(error);
    } finally {
      namespace?.destroy();
    }
    return report;
  }
}

export const main: Program = async (indexURL, say) => {
  const grader = await Grader.start({ indexURL, jsglobals: { console }, convertNullToNone: true });
  const checks = [
    { name: "doubles", expression: "double(4) == 8" },
    { name: "doubles text", expression: "double('a') == 'aa'" },
  ];
  say(grader.grade("def double(n): return n * 2\nprint('ready é')", checks));
  say(grader.grade("def double(n): return n + 4", checks));
  say(grader.grade("double = int(input('? ')).__mul__\nprint(repr(input()))", checks, ["2", "two"]));
  say(grader.grade("input()", checks));
  say(grader.grade("stop()\nwhile True: pass", checks));
  say(grader.grade("raise SystemExit(1)", checks));
  say(grader.grade("import js\nprint(hasattr(js, 'document'), stop is None)", []));
};
