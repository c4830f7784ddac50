/** Milliseconds that the page may be busy with other things; then the worker helps itself. */
const PATIENCE = 1000;

type Module = WebAssembly.Module | undefined;

/** CPython's module, as the page hands it over. */
export class PageModule {
  /** It has come, or is not to be had. */
  put!: (module: Module) => void;
  readonly #arrival = new Promise<Module>((resolve) => {
    this.put = resolve;
  });

  /** Waits for it. */
  async take(): Promise<Module> {
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
