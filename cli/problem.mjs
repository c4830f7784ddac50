/** A failure that the person at the terminal can do something about. */
export class Problem extends Error {
  /**
   * @param {string} message what went wrong
   * @param {string} [next] what to do, one or more sentences
   */
  constructor(message, next) {
    super(message);
    this.name = "Problem";
    this.next = next;
  }
}

/** Prints any failure the way people can read it; the stack only where the failure is one of ours. */
export function explain(error) {
  if (error instanceof AggregateError) {
    for (const one of error.errors) explain(one);
  } else if (error instanceof Problem) {
    console.error(`\n✗ ${error.message}`);
    if (error.next) console.error(`  What to do: ${error.next}`);
  } else {
    console.error(`\n✗ ${error?.stack ?? error}`);
  }
}
