/** A failure that the person at the terminal can do something about. */
export class Problem extends Error {
  /**
   * @param {string} message what went wrong
   * @param {string} [next] what to do, one or more sentences
   * @param {object} [more]
   * @param {string} [more.code] what kind it is; the list is in `docs/prepare.md`
   * @param {unknown} [more.cause]
   */
  constructor(message, next, { code, cause } = {}) {
    super(message, { cause });
    this.name = "Problem";
    this.next = next;
    this.code = code;
  }
}

/** Prints any failure the way people can read it; the stack only where the failure is one of ours. */
export function explain(error) {
  if (error instanceof AggregateError) {
    for (const one of error.errors) explain(one);
  } else if (error instanceof Problem) {
    console.error(`\n✗ ${error.message}${error.code ? ` [${error.code}]` : ""}`);
    if (error.next) console.error(`  What to do: ${error.next}`);
  } else {
    console.error(`\n✗ ${error?.stack ?? error}`);
  }
}
