/** Milliseconds that the page may be busy with other things; then the worker helps itself. */
const PATIENCE = 1000;

/** What the page hands over while Python starts. */
export class FromPage<T> {
  /** It has come, or is not to be had. */
  put!: (value: T | undefined | PromiseLike<T | undefined>) => void;
  readonly #arrival = new Promise<T | undefined>((resolve) => {
    this.put = resolve;
  });

  /** Waits for it. */
  async take(): Promise<T | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    try {
      return await Promise.race([this.#arrival, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
