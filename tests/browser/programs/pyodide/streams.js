/** Standard input and output. */
export default async ({ pyodide, say, fails }) => {
  pyodide.runPython("import sys, os\nprint('to the page'); print('wrong', file=sys.stderr)");
  pyodide.setStdout({ batched: (line) => say("batched", line) });
  pyodide.runPython("print('one\\ntwo'); print('rest', end='')");
  pyodide.runPython("print(' of the line'); sys.stdout.write('é😀\\n')");
  const bytes = [];
  pyodide.setStdout({ raw: (byte) => bytes.push(byte), isatty: true });
  pyodide.runPython("print('raw é'); print(sys.stdout.isatty(), os.isatty(1))");
  say(bytes);
  const chunks = [];
  const write = (buffer) => {
    chunks.push(new TextDecoder().decode(buffer));
    return buffer.length;
  };
  pyodide.setStdout({ write });
  pyodide.runPython("print('written', flush=True); print(os.isatty(1))");
  say(chunks.join(""));
  await fails(() => pyodide.setStderr({ batched: (line) => say(line), isatty: true }));
  pyodide.setStderr({ batched: (line) => say("stderr", line) });
  pyodide.runPython("print('e', file=sys.stderr); print(sys.stderr.isatty(), file=sys.stderr)");
  pyodide.setStdout({ batched: (line) => say(line) });
  const lines = ["first", "second\n", new TextEncoder().encode("third\n"), null];
  pyodide.setStdin({ stdin: () => lines.shift() });
  pyodide.runPython("print([input('? '), input()], sys.stdin.readline(), repr(sys.stdin.read()))");
  await fails(() => pyodide.runPython("input()"));
  pyodide.setStdin({ error: true });
  await fails(() => pyodide.runPython("input()"));
  pyodide.setStdin({ stdin: () => "always", isatty: true });
  pyodide.runPython("print(sys.stdin.isatty(), input())");
  let left = 3;
  const read = (buffer) => {
    left -= 1;
    buffer.set([65 + left, 10]);
    return left < 0 ? 0 : 2;
  };
  pyodide.setStdin({ read });
  pyodide.runPython("print(sys.stdin.read())");
  await fails(() => pyodide.setStdout({ batched: () => {}, raw: () => {} }));
  await fails(
    () =>
      pyodide.setStdout({
        raw: () => {
          throw new Error("from the page");
        },
      }) ?? pyodide.runPython("print('x', flush=True)"),
  );
  pyodide.setStdout({ batched: (line) => say(`out: ${line}`) });
  pyodide.setStderr({ batched: (line) => say(`err: ${line}`) });
  pyodide.setStdin({ error: true });
  const cout = pyodide.runPython("from pyodide.code import run_js; run_js('(x) => x * 2')");
  say(cout(21));
};
