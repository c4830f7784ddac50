import { LoadError, PackageNotFoundError, PythonError, TaipanError } from "taipan";
import { beginning, button, element } from "./dom.js";
import { explain } from "./explanations.js";

/** A place in the learner's own code. */
export interface Place {
  /** The `filename` of the run, which names the cell. */
  filename: string;
  /** One-based. */
  line: number;
  /** The function, or `<module>`. */
  name: string;
  /** The line as it was when it ran. */
  source?: string;
}

/** What the page needs to know of an error to show it. */
export interface Problem {
  /** `NameError: name 'x' is not defined`. */
  headline: string;
  /** What it means and what to do. */
  advice?: string;
  /** Places in the learner's cells, the one that failed last. */
  places: Place[];
  traceback?: string;
  /** The learner stopped the run: nothing went wrong. */
  stopped: boolean;
  /** Python cannot go on until it is restarted. */
  fatal: boolean;
}

/** Reads an error of `python.run` or `loadPython`. `isCell` tells the learner's own files from library files. */
export function problem(error: unknown, isCell: (filename: string) => boolean): Problem {
  if (error instanceof PythonError) return fromPython(error, isCell);
  if (error instanceof TaipanError) {
    return {
      headline: beginning(error.message),
      advice: [...reasons(error), error.hint ?? ""].filter(Boolean).join(" "),
      places: [],
      stopped: error.code === "INTERRUPTED" || error.code === "ABORTED",
      fatal: error.code === "FATAL" || error.code === "OUT_OF_MEMORY" || error.code === "WORKER",
    };
  }
  return { headline: String(error), places: [], stopped: false, fatal: false };
}

/** A text with a full stop, where it ends without a mark. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function reasons(error: TaipanError): string[] {
  if (error instanceof PackageNotFoundError && error.suggestions.length > 0) {
    return [`Did you mean ${error.suggestions.join(" or ")}?`];
  }
  return error instanceof LoadError ? error.packages.map(({ name, message }) => `${name}: ${message}.`) : [];
}

function fromPython(error: PythonError, isCell: (filename: string) => boolean): Problem {
  const plain = error.message.startsWith(error.type) ? error.message : `${error.type}: ${error.message}`;
  // Python's own last line may say more than the exception does: "Did you mean".
  const headline = error.traceback.split("\n").find((line) => line.startsWith(plain)) ?? plain;
  const message = beginning(headline.slice(error.type.length)).replace(/^:\s*/, "");
  const last = error.frames.at(-1);
  const where = last?.filename.startsWith(FOLDER)
    ? `It is in line ${last.line} of \`${last.filename.slice(FOLDER.length)}\`.`
    : "";
  const advice = [where, explain(error.type, message, last?.source)].filter(Boolean).join(" ");
  const fromFrames = error.frames.filter((frame) => isCell(frame.filename));
  const places = SYNTAX.test(error.type) ? syntaxPlaces(error.traceback, isCell) : fromFrames;
  return {
    headline: beginning(headline),
    ...(advice && { advice }),
    places: places.length > 0 ? places : fromFrames,
    traceback: error.traceback,
    stopped: error.type === "KeyboardInterrupt",
    fatal: false,
  };
}

/** Where the learner's own files are. */
const FOLDER = "/home/pyodide/";

const SYNTAX = /^(SyntaxError|IndentationError|TabError)$/;

/** Code that could not be compiled has no frame of its own: the place is in the traceback's last `File` line. */
function syntaxPlaces(traceback: string, isCell: (filename: string) => boolean): Place[] {
  const last = [...traceback.matchAll(/^\s*File "(.+?)", line (\d+)/gm)].at(-1);
  const [, filename, line] = last ?? [];
  if (filename === undefined || line === undefined || !isCell(filename)) return [];
  return [{ filename, line: Number(line), name: "<module>" }];
}

/** The code between backticks as `<code>`. */
function withCode(sentence: string): (Node | string)[] {
  return sentence.split("`").map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
}

/** How a place is called and what a press on it does. */
export interface PlaceLink {
  label: string;
  open(): void;
}

/** The error for the learner: headline, meaning, the way to the line, and the traceback for those who want it. */
export function problemElement(shown: Problem, links: PlaceLink[]): HTMLElement {
  if (shown.stopped) return element("p", { class: "stopped" }, "Stopped.");
  const box = element("div", { class: "problem" }, element("p", { class: "problem-headline" }, shown.headline));
  if (shown.advice) box.append(element("p", { class: "problem-advice" }, ...withCode(shown.advice)));
  if (links.length > 0) {
    const row = element("p", { class: "problem-places" });
    for (const link of links) row.append(button(link.label, "quiet", link.open));
    box.append(row);
  }
  if (shown.traceback) {
    box.append(
      element(
        "details",
        { class: "traceback" },
        element("summary", {}, "Full traceback"),
        element("pre", { tabindex: "0", role: "region", "aria-label": "Full traceback" }, shown.traceback.trimEnd()),
      ),
    );
  }
  return box;
}
