/** The types of taipan/pyodide, asserted by the compiler: this file is checked, never run. */
import {
  isTaipanError,
  type LoadPyodideOptions,
  loadPyodide,
  type PackageData,
  type PyCallable,
  type PyodideAPI,
  type PyodideInterface,
  type PyProxy,
  version,
} from "taipan/pyodide";
import type { PyBuffer, PyDict } from "taipan/pyodide/ffi";

const options: LoadPyodideOptions = {
  indexURL: "/python/",
  lockFileContents: Promise.resolve("{}"),
  stdin: () => null,
  stdout: (line) => line.length,
  packages: ["numpy"],
  env: { HOME: "/" },
  fsInit: async (FS, { sitePackages }) => FS.mkdirTree(sitePackages),
  signal: AbortSignal.timeout(1),
  onProgress: ({ stage, loaded }) => [stage.length, loaded + 1],
};

export async function use(): Promise<string> {
  const pyodide: PyodideAPI = await loadPyodide(options);
  const same: PyodideInterface = pyodide;
  const loaded: PackageData[] = await same.loadPackage(["numpy"], { checkIntegrity: false, messageCallback() {} });
  const proxy: PyProxy = pyodide.runPython("[1]");
  const call: PyCallable = pyodide.pyimport("math.comb");
  const handle = await navigator.storage.getDirectory();
  await (await pyodide.mountNativeFS("/mnt", handle)).syncfs();
  pyodide.setStdout({ batched: (text) => text.trim() });
  const text: string = pyodide.FS.readFile("/a", { encoding: "utf8" });
  const bytes: Uint8Array = pyodide.FS.readFile("/a");
  // @ts-expect-error code is text
  pyodide.runPython(1);
  // @ts-expect-error names are text
  await pyodide.loadPackage(7);
  // @ts-expect-error an option that does not exist
  await loadPyodide({ indexUrl: "/" });
  proxy.destroy();
  return `${loaded.map(({ fileName }) => fileName)} ${call(4, 2)} ${text} ${bytes.length} ${version}`;
}

export function classes({ ffi, globals, FS, canvas }: PyodideAPI, value: unknown): string | undefined {
  if (value instanceof ffi.PyDict) {
    const dictionary: PyDict = value;
    return `${dictionary.get("a")}`;
  }
  if (value instanceof ffi.PythonError) {
    return value.type;
  }
  // @ts-expect-error there is no such class
  value instanceof ffi.PyProxies;
  // @ts-expect-error a canvas has to be one
  canvas.setCanvas2D({});
  const buffer: PyBuffer = globals.get("buffer");
  const shown: ArrayLike<number> = buffer.getBuffer("f64").data;
  return `${shown.length} ${new Blob([FS.readFile("/a")]).size}`;
}

export const isOurs = (error: unknown): boolean => isTaipanError(error, "LOAD_HTTP");
