import { beginning, required } from "./dom.js";

const REPEAT_GAP_MS = 50;
/** More is not listened to, and cannot be skipped. */
const MOST_CHARACTERS = 600;

/**
 * Has a screen reader say something when it next falls silent. What the page shows while it streams is not in a live
 * region, or every chunk would be read out; what matters is said here, once, in one sentence.
 */
export function announce(sentence: string): void {
  const region = required("announcer", HTMLDivElement);
  // The same sentence twice is a change only if the region was empty in between.
  region.textContent = "";
  setTimeout(() => {
    region.textContent = beginning(sentence, MOST_CHARACTERS);
  }, REPEAT_GAP_MS);
}
