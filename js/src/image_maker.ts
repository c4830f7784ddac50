import { TaipanError } from "./errors.js";
import { Interpreter, type Settings, unseen } from "./interpreter.js";

/** Milliseconds without a run after which an image is made. */
const IDLE = 4000;

/** One tab of an origin at a time makes an image (Web Locks). */
const LOCK = "taipan-image";

/**
 * Makes an image for the next visit when nothing has run for a while, of an interpreter of its own: in another worker, which
 * imports what this visit's interpreter has imported. A run that begins meanwhile ends that worker.
 */
export class ImageMaker {
  readonly #settings: Settings;
  readonly #visited: () => Interpreter;
  #runs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #making: AbortController | undefined;

  /** `visited` gives the interpreter whose imports count. */
  constructor(settings: Settings, visited: () => Interpreter) {
    this.#settings = settings;
    this.#visited = visited;
  }

  /** A run has been asked for. */
  begin(): void {
    this.#runs += 1;
    this.stop();
  }

  /** A run has ended. */
  end(): void {
    this.#runs -= 1;
    if (this.#runs === 0) {
      this.#timer = setTimeout(() => void this.#make(), IDLE);
    }
  }

  /** Gives up what is under way. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#making?.abort();
  }

  async #make(): Promise<void> {
    const making = new AbortController();
    this.#making = making;
    try {
      await unlessAnotherTab(() => this.#makeOne(making.signal));
    } catch {
      // The next visit starts as this one did; the next run is the next occasion.
    }
  }

  async #makeOne(signal: AbortSignal): Promise<void> {
    const request = await this.#visited().connection.request("imageWanted", [], { signal });
    if (request === undefined) {
      return;
    }
    const own = { packages: request.packages, automaticImage: false };
    const maker = new Interpreter(unseen(this.#settings, own), signal);
    try {
      await maker.ready;
      await maker.connection.request("makeImage", [request], { signal });
    } finally {
      maker.close(new TaipanError({ code: "DISPOSED", message: "the image is made" }));
    }
  }
}

/** Does nothing where another tab is at it. Browsers without locks may do it twice, which costs time alone. */
async function unlessAnotherTab(work: () => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) {
    await work();
    return;
  }
  await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock !== null) {
      await work();
    }
  });
}
