/**
 * Our types beside Pyodide's own, `pyodide` and `pyodide/ffi`: a name that is there has to be here, and a value of one has
 * to do as a value of the other. Checked, never run.
 */
import type * as Stock from "pyodide";
import type * as StockClasses from "pyodide/ffi";
import type * as Ours from "taipan/pyodide";
import type * as Classes from "taipan/pyodide/ffi";

/** Compiles only if a value of each type does as one of the other. */
type Alike<A, B> = [A, B] extends [B, A] ? true : false;

/** Compiles only with a truth. */
function holds<_ extends true>(): void {}

/** Pyodide's declaration is of a class with static members, and this is none of them. */
type OfTheClass = "prototype";

type StockAPI = Omit<Stock.PyodideAPI, OfTheClass>;
type StockOptions = NonNullable<Parameters<typeof Stock.loadPyodide>[0]>;

export function names(): void {
  holds<Alike<Exclude<keyof typeof Stock, keyof typeof Ours>, never>>();
  // It makes what `_loadSnapshot` takes, which is refused here.
  holds<Alike<Exclude<keyof StockAPI, keyof Ours.PyodideAPI>, Unsupported>>();
  holds<Alike<Exclude<keyof StockOptions, keyof Ours.LoadPyodideOptions>, never>>();
  holds<Alike<Exclude<keyof Ours.PyodideAPI["ffi"], keyof StockAPI["ffi"]>, never>>();
  holds<Alike<Exclude<keyof StockAPI["ffi"], keyof Ours.PyodideAPI["ffi"]>, never>>();
}

type Unsupported = Extract<keyof StockAPI, "makeMemorySnapshot" | "useNodeSockFS">;

export function proxies(): void {
  holds<Alike<StockClasses.PyProxy, Classes.PyProxy>>();
  holds<Alike<StockClasses.PyProxyWithLength, Classes.PyProxyWithLength>>();
  holds<Alike<StockClasses.PyProxyWithGet, Classes.PyProxyWithGet>>();
  holds<Alike<StockClasses.PyProxyWithSet, Classes.PyProxyWithSet>>();
  holds<Alike<StockClasses.PyProxyWithHas, Classes.PyProxyWithHas>>();
  holds<Alike<StockClasses.PyDict, Classes.PyDict>>();
  holds<Alike<StockClasses.PyIterable, Classes.PyIterable>>();
  holds<Alike<StockClasses.PyAsyncIterable, Classes.PyAsyncIterable>>();
  holds<Alike<StockClasses.PyIterator, Classes.PyIterator>>();
  holds<Alike<StockClasses.PyAsyncIterator, Classes.PyAsyncIterator>>();
  holds<Alike<StockClasses.PyGenerator, Classes.PyGenerator>>();
  holds<Alike<StockClasses.PyAsyncGenerator, Classes.PyAsyncGenerator>>();
  holds<Alike<StockClasses.PyAwaitable, Classes.PyAwaitable>>();
  holds<Alike<StockClasses.PyCallable, Classes.PyCallable>>();
  holds<Alike<StockClasses.PyBuffer, Classes.PyBuffer>>();
  holds<Alike<StockClasses.PyBufferView, Classes.PyBufferView>>();
  holds<Alike<StockClasses.PySequence, Classes.PySequence>>();
  holds<Alike<StockClasses.PyMutableSequence, Classes.PyMutableSequence>>();
  holds<Alike<StockClasses.PythonError, Classes.PythonError>>();
  holds<Alike<StockClasses.TypedArray, Classes.TypedArray>>();
}

export function data(): void {
  holds<Alike<Stock.Lockfile, Ours.Lockfile>>();
  holds<Alike<Stock.LockfileInfo, Ours.LockfileInfo>>();
  holds<Alike<Stock.LockfilePackage, Ours.LockfilePackage>>();
  holds<Alike<Stock.PackageData, Ours.PackageData>>();
  holds<Alike<Stock.TypedArray, Ours.TypedArray>>();
  holds<Alike<typeof Stock.version, typeof Ours.version>>();
  holds<Alike<Stock.PyodideInterface["version"], Ours.PyodideInterface["version"]>>();
}

/** Where a program hands the object on, to what is declared with Pyodide's own types. */
export const member = (api: Ours.PyodideAPI): Omit<StockAPI, Unsupported> => api;
export const load = (options?: StockOptions): Promise<Ours.PyodideAPI> =>
  (null as unknown as typeof Ours).loadPyodide(options);
