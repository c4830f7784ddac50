import { aborted } from "./common_errors.js";
import { reviveError } from "./error_transfer.js";
import { TaipanError } from "./errors.js";
import type {
  FromWorker,
  GlueMessage,
  Got,
  Method,
  ModuleMessage,
  Request,
  RequestOf,
  Sent,
  ToWorker,
  WorkerEvent,
} from "./protocol.js";

/** What a connection needs of a `Worker`. */
export interface Endpoint extends Pick<EventTarget, "addEventListener"> {
  postMessage(message: ToWorker, transfer: Transferable[]): void;
  terminate(): void;
}

/** A request that is under way. */
export interface Call<M extends Method> {
  id: number;
  result: Promise<Got<M>>;
}

interface Pending {
  resolve(value: Got<Method>): void;
  reject(error: TaipanError): void;
}

/**
 * The page's end of the line to one worker: it pairs answers with requests. Whatever happens to the worker, every
 * request settles: when the connection closes, for whichever reason, all that is pending rejects with that reason, and
 * so does all that is asked later.
 */
export class Connection {
  #endpoint: Endpoint | undefined;
  readonly #onEvent: (event: WorkerEvent) => void;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isChanged = false;
  #closed: TaipanError | undefined;

  /** `spawn` makes the worker; if it throws, the connection is closed from the start. */
  constructor(spawn: () => Endpoint, onEvent: (event: WorkerEvent) => void) {
    this.#onEvent = onEvent;
    try {
      const endpoint = spawn();
      if (typeof endpoint?.addEventListener !== "function") {
        throw new TypeError("`worker` must give a Worker");
      }
      this.#listen(endpoint);
      this.#endpoint = endpoint;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `the worker cannot be made: ${reason}`;
      this.close(new TaipanError({ code: "WORKER", message, hint: MAKE_HINT, cause }));
    }
  }

  #listen(endpoint: Endpoint): void {
    endpoint.addEventListener("message", (event) => this.#receive((event as MessageEvent<FromWorker>).data));
    endpoint.addEventListener("messageerror", () => {
      this.close(new TaipanError({ code: "WORKER", message: "a message of the worker could not be read" }));
    });
    endpoint.addEventListener("error", (event) => {
      const { message } = event as Partial<ErrorEvent>;
      // Without a message it is the script itself that did not load.
      this.close(
        message
          ? new TaipanError({ code: "WORKER", message: `the worker failed: ${message}`, hint: RESTART_HINT })
          : new TaipanError({ code: "WORKER", message: "the worker's script did not load", hint: SCRIPT_HINT }),
      );
    });
  }

  /** Why the connection is closed, `undefined` while it is open. */
  get closed(): TaipanError | undefined {
    return this.#closed;
  }

  /** Whether something is under way, or has been asked for that makes this interpreter another than a fresh one. */
  get isUsed(): boolean {
    return this.#isChanged || this.#pending.size > 0;
  }

  /** Asks for something. Never throws: what cannot be sent rejects. */
  call<M extends Method>(method: M, args: Sent<M>, transfer: Transferable[] = []): Call<M> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#isChanged ||= !UNCHANGING.has(method);
    const result = new Promise<Got<M>>((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      const request: RequestOf<M> = { type: "request", id, method, args } as RequestOf<M>;
      try {
        this.#endpoint?.postMessage(request as Request, transfer);
      } catch (cause) {
        reject(notCloneable(method, cause));
        return;
      }
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    });
    return { id, result };
  }

  /** Asks for something; when `signal` aborts, the request is given up at once and the worker told to end it. */
  async request<M extends Method>(
    method: M,
    args: Sent<M>,
    { signal, transfer = [] }: { signal?: AbortSignal | undefined; transfer?: Transferable[] } = {},
  ): Promise<Got<M>> {
    if (signal?.aborted) {
      throw aborted(method, signal.reason);
    }
    const { id, result } = this.call(method, args, transfer);
    const onAbort = () => {
      this.abort(id);
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      pending?.reject(aborted(method, signal?.reason));
    };
    signal?.addEventListener("abort", onAbort);
    try {
      return await result;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Hands something over that nobody answers. */
  post(message: GlueMessage | ModuleMessage): void {
    if (this.#closed === undefined) {
      this.#endpoint?.postMessage(message, []);
    }
  }

  /** Tells the worker to end a request early, which still settles by its answer. */
  abort(id: number): void {
    if (this.#closed === undefined && this.#pending.has(id)) {
      this.#endpoint?.postMessage({ type: "abort", id }, []);
    }
  }

  /** Ends the worker. All that is pending, and all that is asked later, rejects with `reason`. The first reason counts. */
  close(reason: TaipanError): void {
    if (this.#closed !== undefined) {
      return;
    }
    this.#closed = reason;
    this.#endpoint?.terminate();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) {
      reject(reason);
    }
  }

  #receive(message: FromWorker): void {
    if (this.#closed !== undefined) {
      return;
    }
    if (message.type !== "result" && message.type !== "failure") {
      if (message.type === "fatal") {
        this.close(reviveError(message.error));
      } else {
        this.#onEvent(message);
      }
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === "result") {
      pending?.resolve(message.value);
      return;
    }
    const error = reviveError(message.error);
    pending?.reject(error);
    if (error.code === "FATAL") {
      this.close(error);
    }
  }
}

const RESTART_HINT = "Call restart() for a fresh interpreter.";
const MAKE_HINT =
  "Let the page's policies (worker-src, Trusted Types) allow it, or make a module worker with loadPython's option `worker`.";
const SCRIPT_HINT =
  "Check that worker.js and the wasm folder are served beside index.js, or beside the bundle that holds it, or give loadPython the option `worker`.";

/** What leaves no trace in an interpreter, or, as an installation that failed, has left none. */
const UNCHANGING: ReadonlySet<Method> = new Set([
  "boot",
  "install",
  "loadedPackages",
  "readFile",
  "readdir",
  "stat",
  "lstat",
  "memory",
  "storeUsage",
  "imageWanted",
  "forgetAutomaticImage",
] satisfies Method[]);

/** Where an argument that cannot be cloned came from, in the caller's words. */
const ARGUMENTS: Partial<Record<Method, string>> = {
  run: "globals",
  globalsSet: "value",
  mount: "source",
};

function notCloneable(method: Method, cause: unknown): TaipanError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TaipanError({
    code: "BAD_ARGUMENT",
    message: `${ARGUMENTS[method] ?? method} cannot be sent to the worker: ${reason}`,
    hint: "Pass plain data: numbers, strings, arrays, objects, typed arrays, Map, Set, Date.",
    cause,
  });
}
