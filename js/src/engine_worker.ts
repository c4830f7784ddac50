/** The script of the worker: it starts the engine and serves the page's requests. */
import type { BootOptions } from "./boundary.js";
import { aborted } from "./common_errors.js";
import { makeStore } from "./early_store.js";
import type { Engine as EngineInterface } from "./engine.js";
import { describeError, isBreakdown } from "./error_transfer.js";
import { TaipanError } from "./errors.js";
import { FromPage } from "./from_page.js";
import { HeadStart } from "./head_start.js";
import { importModule, type KnownFilesFromPage, WorkerHost } from "./host.js";
import type { BootEnd, FromWorker, Got, HostOptions, Method, RequestOf, Sent, WorkerEvent } from "./protocol.js";
import { Engine } from "./wasm/taipan_web.js";
import { loadPart, loadWasm, setAddresses } from "./wasm_module.js";
import { takeOver } from "./worker_start.js";

/** What is used of the worker's global object; the DOM's declarations describe that of a page. */
interface WorkerScope extends EventTarget {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

const start = takeOver();
setAddresses(start.addresses);
const compiled = loadWasm(start.compiled);
// The request to boot reports it.
compiled.catch(() => {});

const files: KnownFilesFromPage = { glue: new FromPage(), module: new FromPage() };

let started: { engine: EngineInterface; host: WorkerHost } | undefined;
let starting: Promise<{ engine: EngineInterface; host: WorkerHost }> | undefined;
const aborts = new Map<number, AbortController>();

type Handlers = { [M in Method]: (args: Sent<M>, signal: AbortSignal) => Got<M> | Promise<Got<M>> };

const handlers: Handlers = {
  boot: ([options, hostOptions], signal) => boot(options, hostOptions, signal),
  run: ([request], signal) => run(request, signal),
  loadPackage: async ([names], signal) => withTimings(await engine().loadPackage(names, signal)),
  loadPackagesFromImports: async ([code], signal) => withTimings(await engine().loadPackagesFromImports(code, signal)),
  install: async ([requirements, options], signal) =>
    withTimings(await engine().install(requirements, options, signal)),
  freeze: () => engine().freeze(),
  loadedPackages: () => engine().loadedPackages(),
  globalsGet: ([name]) => engine().globalsGet(name),
  globalsSet: ([name, value]) => void engine().globalsSet(name, value),
  // A copy in memory of its own, which is not shared.
  readFile: ([path]) => engine().readFile(path) as Uint8Array<ArrayBuffer>,
  writeFile: ([path, data]) => void engine().writeFile(path, data),
  mkdir: ([path, recursive]) => void engine().mkdir(path, recursive),
  readdir: ([path]) => engine().readdir(path),
  stat: ([path]) => engine().stat(path),
  lstat: ([path]) => engine().lstat(path),
  rename: ([from, to]) => void engine().rename(from, to),
  unlink: ([path]) => void engine().unlink(path),
  rmdir: ([path]) => void engine().rmdir(path),
  mount: async ([path, source]) => void (await engine().mount(path, source)),
  unmount: ([path]) => void engine().unmount(path),
  bake: async () => new Blob(await engine().bake()),
  keepImage: async ([name], signal) => void (await engine().keepImage(name, signal)),
  images: () => engine().images(),
  forgetImage: async ([name]) => void (await engine().forgetImage(name)),
  checkpoint: () => engine().checkpoint(),
  rollback: async ([id]) => void (await engine().rollback(id)),
  disposeCheckpoint: ([id]) => void engine().disposeCheckpoint(id),
  imageWanted: () => engine().imageWanted(),
  makeImage: ([{ key, modules, atWork }]) => engine().makeImage(key, modules, atWork),
  forgetAutomaticImage: async () => void (await engine().forgetAutomaticImage()),
  memory: () => engine().memory(),
  storeUsage: () => engine().storeUsage(),
  storeClear: async () => void (await engine().storeClear()),
};

start.receive = (message) => {
  if (message.type === "abort") {
    aborts.get(message.id)?.abort();
  } else if (message.type === "module") {
    files.module.put(message.module);
  } else if (message.type === "glue") {
    // Evaluated before the engine is there to use it. What is wrong with it is said by whoever has to do without.
    files.glue.put(message.url === undefined ? undefined : importModule(message.url).catch(() => undefined));
  } else {
    void serve(message);
  }
};
start.waiting.forEach(start.receive);

// A breakdown in a callback belongs to no request. Any other stray error is Python's or the user's, and for the console.
scope.addEventListener("error", (event) => {
  event.preventDefault();
  reportStray((event as ErrorEvent).error);
});
scope.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  reportStray((event as PromiseRejectionEvent).reason);
});

async function serve<M extends Method>({ id, method, args }: RequestOf<M>): Promise<void> {
  const controller = new AbortController();
  aborts.set(id, controller);
  try {
    if (method !== "boot") {
      await starting;
    }
    const value = await handlers[method](args, controller.signal);
    started?.host.outputs.flush();
    const transfer = value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [];
    scope.postMessage({ type: "result", id, value }, transfer);
  } catch (error) {
    started?.host.outputs.flush();
    scope.postMessage({ type: "failure", id, error: describeError(error) }, []);
  } finally {
    aborts.delete(id);
  }
}

async function boot(options: Sent<"boot">[0], hostOptions: HostOptions, signal: AbortSignal): Promise<BootEnd> {
  const { helps } = hostOptions;
  const headStart = new HeadStart(options, helps, signal);
  if (mayRestore(options)) {
    // The engine asks for it as well, and then learns what is wrong.
    loadPart("image").catch(() => {});
  }
  const store = start.store.then((found) => {
    const make = () => (options.cache === "none" ? undefined : makeStore());
    return found === "none" ? make() : found;
  });
  starting = (async () => {
    await compiled;
    const early = { headStart, store, files: helps ? files : undefined };
    const host = new WorkerHost(hostOptions, early, post);
    return { engine: await Engine.boot({ ...options, bytecode: start.bytecode }, host, signal), host };
  })();
  started = await starting;
  const { engine } = started;
  return withTimings({
    version: engine.version(),
    pythonVersion: engine.pythonVersion(),
    store: engine.storeBackend(),
    known: engine.knownFiles(),
  });
}

/** Whether Python will start from an image at an address, or may from one that is kept in this browser. */
function mayRestore({ image, imageName, automaticImage, distributionImage, forgetImage, known }: BootOptions): boolean {
  const mayBeKept = imageName !== undefined || automaticImage === true || distributionImage === true;
  return !forgetImage && (image !== undefined || (known !== undefined && mayBeKept));
}

async function run(request: Sent<"run">[0], signal: AbortSignal): Promise<Got<"run">> {
  const { engine: python, host } = begun();
  const prefetchFailure = await prefetch(request.code, signal);
  const onAbort = () => {
    // The run awaits, else this message would not have come; the wish in shared memory is taken so that the code that
    // cleans up after the cancellation is not interrupted as well.
    const taken = host.takeInterrupt();
    if (!python.cancel(request.run) && taken) {
      host.putInterruptBack();
    }
  };
  host.run = request.run;
  signal.addEventListener("abort", onAbort);
  post({ type: "started", run: request.run });
  try {
    return withTimings(await python.run(request));
  } catch (error) {
    if (prefetchFailure !== undefined && error instanceof Error) {
      error.cause ??= prefetchFailure;
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    host.run = 0;
  }
}

/**
 * Fetches what the code imports, all at once. That only saves time: an import finds its package by itself, and one that
 * the code never gets to must not fail the run. So a failure is handed back, to explain an import that fails later.
 */
async function prefetch(code: string, signal: AbortSignal): Promise<unknown> {
  let failure: unknown;
  try {
    await engine().loadPackagesFromImports(code, signal);
  } catch (error) {
    failure = error;
  }
  if (signal.aborted) {
    throw aborted("the run", signal.reason);
  }
  return failure;
}

function begun(): { engine: EngineInterface; host: WorkerHost } {
  if (started === undefined) {
    throw new TaipanError({ code: "WORKER", message: "Python has not been started" });
  }
  return started;
}

function engine(): EngineInterface {
  return begun().engine;
}

/** Tells the page what has been moved so far, before it gets `value`. */
function withTimings<T>(value: T): T {
  post({ type: "timings", timings: engine().timings() });
  return value;
}

function post(event: WorkerEvent): void {
  scope.postMessage(event, []);
}

function reportStray(error: unknown): void {
  if (isBreakdown(error)) {
    post({ type: "fatal", error: describeError(error) });
  } else {
    console.error(error);
  }
}
