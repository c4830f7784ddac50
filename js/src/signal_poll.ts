import type { SignalPoll } from "./boundary.js";

/** Every how many times the page and the clock are really looked at: looking each time would slow Python down. */
const LOOK_EVERY = 32;

/** An answer to CPython's question for signals, which comes without a step into our own module most of the time. */
export function signalPoll(): SignalPoll {
  let polls = 0;
  const signals: SignalPoll = {
    look: () => 0,
    poll() {
      polls = (polls + 1) % LOOK_EVERY;
      return polls === 0 ? signals.look() : 0;
    },
    buffer: {
      get 0() {
        return signals.poll();
      },
      set 0(_cleared) {},
    },
  };
  return signals;
}
