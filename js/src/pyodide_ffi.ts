/**
 * The types of `pyodide.ffi`: what JavaScript holds of Python's. They are those of `pyodide/ffi`, for programs that are
 * written for it; what each method does, Pyodide's documentation says. The classes themselves are in `pyodide.ffi`.
 */

/** What Python gives or takes has no type that TypeScript could know. */
// biome-ignore lint/suspicious/noExplicitAny: as in Pyodide's own declarations, lest every use need a cast.
export type Dynamic = any;

/** The views that memory can be shown through. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Uint8ClampedArray
  | Float32Array
  | Float64Array;

/** Converts a value by hand; gets the value, the conversion of what is in it, and a way to tell of cycles. */
export type Converter<From> = (
  value: From,
  convert: (value: From) => Dynamic,
  cacheConversion: (from: From, to: Dynamic) => void,
) => Dynamic;

/** How Python data becomes JavaScript data. */
export interface ToJsOptions {
  /** How many levels are converted. Default: all. */
  depth?: number;
  /** Proxies that had to be made are added here, so that they can be destroyed. */
  pyproxies?: PyProxy[];
  /** If false, what cannot be converted throws instead of becoming a proxy. Default: true. */
  create_pyproxies?: boolean;
  /** Makes something of a dictionary's pairs. Default: a `Map`, and an object in 314. */
  dict_converter?: (pairs: Iterable<[key: string, value: Dynamic]>) => Dynamic;
  /** Makes something of what has no conversion. */
  default_converter?: Converter<PyProxy>;
  /** Is asked before lists, dictionaries and the like are converted. */
  eager_converter?: Converter<PyProxy>;
}

/** How JavaScript data becomes Python data. */
export interface ToPyOptions {
  /** How many levels are converted. Default: all. */
  depth?: number;
  /** Makes something of what has no conversion. */
  defaultConverter?: Converter<Dynamic>;
}

/** A Python object that JavaScript holds. It has to be destroyed when it is not needed any more. */
export interface PyProxy {
  /** The Python object's attributes. */
  [attribute: string]: Dynamic;
  readonly [Symbol.toStringTag]: string;
  /** Pyodide's own. */
  $$flags: number;
  /** The name of the Python type, with its module unless that is `builtins` or `__main__`. */
  readonly type: string;
  /** `str()` of the object. */
  toString(): string;
  /** Lets Python free the object; whoever uses the proxy afterwards gets `message` as an error. */
  destroy(options?: { message?: string; destroyRoundtrip?: boolean }): void;
  /** Another proxy for the same object. */
  copy(): PyProxy;
  /** The object as JavaScript data: lists as arrays, dictionaries as maps, and so on in depth. */
  toJs(options?: ToJsOptions): Dynamic;
}

/** Has `__len__`. */
export interface PyProxyWithLength extends PyProxy {
  readonly length: number;
}

/** Has `__getitem__`. */
export interface PyProxyWithGet extends PyProxy {
  /** `object[key]`; undefined where there is none. */
  get(key: Dynamic): Dynamic;
  /** A proxy whose properties are the object's items, in depth, as `JSON.parse` would give. */
  asJsJson(): PyProxy;
}

/** Has `__setitem__` or `__delitem__`. */
export interface PyProxyWithSet extends PyProxy {
  set(key: Dynamic, value: Dynamic): void;
  delete(key: Dynamic): void;
}

/** Has `__contains__`. */
export interface PyProxyWithHas extends PyProxy {
  has(key: Dynamic): boolean;
}

/** A dictionary. */
export interface PyDict extends PyProxyWithGet, PyProxyWithSet, PyProxyWithHas, PyProxyWithLength, PyIterable {}

/** Has `__iter__`. */
export interface PyIterable extends PyProxy {
  [Symbol.iterator](): Iterator<Dynamic, Dynamic, Dynamic>;
}

/** Has `__next__`. */
export interface PyIterator extends PyProxy {
  [Symbol.iterator](): this;
  next(sent?: Dynamic): IteratorResult<Dynamic, Dynamic>;
}

/** A generator. */
export interface PyGenerator extends PyProxy {
  throw(error: Dynamic): IteratorResult<Dynamic, Dynamic>;
  return(value: Dynamic): IteratorResult<Dynamic, Dynamic>;
}

/** Has `__aiter__`. */
export interface PyAsyncIterable extends PyProxy {
  [Symbol.asyncIterator](): AsyncIterator<Dynamic, Dynamic, Dynamic>;
}

/** Has `__anext__`. */
export interface PyAsyncIterator extends PyProxy {
  [Symbol.asyncIterator](): this;
  next(sent?: Dynamic): Promise<IteratorResult<Dynamic, Dynamic>>;
}

/** An asynchronous generator. */
export interface PyAsyncGenerator extends PyProxy {
  throw(error: Dynamic): Promise<IteratorResult<Dynamic, Dynamic>>;
  return(value: Dynamic): Promise<IteratorResult<Dynamic, Dynamic>>;
}

/** Called with an item, its index and the whole. */
type ForItem<Result> = (item: Dynamic, index: number, whole: Dynamic) => Result;

/** Called with what came of the items before, an item, its index and the whole. */
type Reducer = (before: Dynamic, item: Dynamic, index: number, whole: Dynamic) => Dynamic;

/** A sequence: it has the methods of an array that change nothing. */
export interface PySequence extends PyProxy {
  readonly [Symbol.isConcatSpreadable]: boolean;
  join(separator?: string): string;
  slice(start?: number, stop?: number): Dynamic;
  indexOf(item: Dynamic, from?: number): number;
  lastIndexOf(item: Dynamic, from?: number): number;
  forEach(callback: (item: Dynamic) => void, thisArg?: Dynamic): void;
  map<Made>(callback: ForItem<Made>, thisArg?: Dynamic): Made[];
  filter(predicate: ForItem<boolean>, thisArg?: Dynamic): Dynamic[];
  some(predicate: ForItem<unknown>, thisArg?: Dynamic): boolean;
  every(predicate: ForItem<unknown>, thisArg?: Dynamic): boolean;
  find(predicate: ForItem<Dynamic>, thisArg?: Dynamic): Dynamic;
  findIndex(predicate: ForItem<Dynamic>, thisArg?: Dynamic): number;
  reduce(callback: Reducer, initial?: Dynamic): Dynamic;
  reduceRight(callback: Reducer, initial?: Dynamic): Dynamic;
  at(index: number): Dynamic;
  concat(...others: ConcatArray<Dynamic>[]): Dynamic[];
  includes(item: Dynamic): Dynamic;
  entries(): IterableIterator<[number, Dynamic]>;
  keys(): IterableIterator<number>;
  values(): IterableIterator<Dynamic>;
  toJSON(): unknown[];
  asJsJson(): PyProxy;
}

/** A sequence that can be changed: it has the other methods of an array too. */
export interface PyMutableSequence extends PyProxy {
  reverse(): PyMutableSequence;
  sort(compare?: (a: Dynamic, b: Dynamic) => number): PyMutableSequence;
  splice(start: number, count?: number, ...items: Dynamic[]): Dynamic[];
  push(...items: Dynamic[]): Dynamic;
  pop(): Dynamic;
  shift(): Dynamic;
  unshift(...items: Dynamic[]): Dynamic;
  copyWithin(target: number, start?: number, end?: number): Dynamic;
  fill(value: Dynamic, start?: number, end?: number): Dynamic;
}

/** A coroutine, a future or another awaitable. */
export interface PyAwaitable extends PyProxy, Promise<Dynamic> {
  readonly [Symbol.toStringTag]: string;
}

/** Has `__call__`. */
export interface PyCallable extends PyProxy {
  (...args: Dynamic[]): Dynamic;
  apply(thisArg: Dynamic, args: Dynamic): Dynamic;
  call(thisArg: Dynamic, ...args: Dynamic[]): Dynamic;
  bind(thisArg: Dynamic, ...args: Dynamic[]): PyProxy;
  /** `kwargs`: the last argument's properties are keyword arguments; `relaxed`: too many arguments are left out. */
  callWithOptions(options: { relaxed?: boolean; kwargs?: boolean; promising?: boolean }, ...args: Dynamic[]): Dynamic;
  callKwargs(...args: Dynamic[]): Dynamic;
  callRelaxed(...args: Dynamic[]): Dynamic;
  callKwargsRelaxed(...args: Dynamic[]): Dynamic;
  /** Calls it so that Python's stack may be suspended; needs JavaScript Promise Integration. */
  callPromising(...args: Dynamic[]): Promise<Dynamic>;
  callPromisingKwargs(...args: Dynamic[]): Promise<Dynamic>;
  /** A function that gives Python its `this` as the first argument. */
  captureThis(): PyProxy;
}

/** Has Python's buffer protocol. */
export interface PyBuffer extends PyProxy {
  /** The object's memory itself. `type` names a view, such as `"u8"` or `"f64"`, where its own is not wanted. */
  getBuffer(type?: string): PyBufferView;
}

/** An object's memory, multidimensional. Numbers of places are in items, not bytes, unless the name says so. */
export interface PyBufferView {
  /** Where the first item is in `data`. */
  offset: number;
  readonly: boolean;
  /** As in Python's `struct`. */
  format: string;
  /** Bytes of an item. */
  itemsize: number;
  ndim: number;
  nbytes: number;
  shape: number[];
  strides: number[];
  data: TypedArray;
  c_contiguous: boolean;
  f_contiguous: boolean;
  /** Has to be called when it is not needed any more; until then the object cannot change its size. */
  release(): void;
  /** Pyodide's own. */
  _released: boolean;
  _view_ptr: number;
}

/** An exception of Python's in JavaScript. */
export interface PythonError extends Error {
  /** The class of the exception, such as `"ValueError"`. */
  type: string;
  /** Pyodide's own. */
  __error_address: number;
}

/** A class whose instances `instanceof` knows. Only Python makes them, but of `PythonError`. */
interface ProxyClass<Instance, Arguments extends unknown[] = []> {
  readonly prototype: Instance;
  new (...args: Arguments): Instance;
  [Symbol.hasInstance](value: unknown): value is Instance;
}

/** `pyodide.ffi`. */
export interface PyodideFFI {
  PyProxy: ProxyClass<PyProxy>;
  PyProxyWithLength: ProxyClass<PyProxyWithLength>;
  PyProxyWithGet: ProxyClass<PyProxyWithGet>;
  PyProxyWithSet: ProxyClass<PyProxyWithSet>;
  PyProxyWithHas: ProxyClass<PyProxyWithHas>;
  PyDict: ProxyClass<PyDict>;
  PyIterable: ProxyClass<PyIterable>;
  PyAsyncIterable: ProxyClass<PyAsyncIterable>;
  PyIterator: ProxyClass<PyIterator>;
  PyAsyncIterator: ProxyClass<PyAsyncIterator>;
  PyGenerator: ProxyClass<PyGenerator>;
  PyAsyncGenerator: ProxyClass<PyAsyncGenerator>;
  PyAwaitable: ProxyClass<PyAwaitable>;
  PyCallable: ProxyClass<PyCallable>;
  PyBuffer: ProxyClass<PyBuffer>;
  PyBufferView: ProxyClass<PyBufferView>;
  PythonError: ProxyClass<PythonError, [type: string, message: string, error_address: number]>;
  PySequence: ProxyClass<PySequence>;
  PyMutableSequence: ProxyClass<PyMutableSequence>;
}
