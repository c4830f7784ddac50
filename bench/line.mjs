/** When bytes arrive that share a line with others. */

/**
 * What is given to the line leaves in the order in which it was given, at the line's rate, and is on its way for half a
 * round trip. All times are milliseconds of one clock, which the caller reads.
 */
export class Line {
  #free;
  #delay;
  #perByte;

  /**
   * @param {{ bytesPerSecond: number, roundTrip: number, from?: number }} line it takes nothing before the time `from`
   */
  constructor({ bytesPerSecond, roundTrip, from = 0 }) {
    this.#perByte = 1000 / bytesPerSecond;
    this.#delay = roundTrip / 2;
    this.#free = from;
  }

  /** @returns {{ sent: number, arrives: number }} when the last byte has left, and when it is there */
  take(now, bytes) {
    const sent = Math.max(now, this.#free) + bytes * this.#perByte;
    this.#free = sent;
    return { sent, arrives: sent + this.#delay };
  }
}
