/** What the samples of the documents take for given: what a page has when it has come so far, and functions of its own. */
import type * as taipan from "taipan";

declare global {
  const python: taipan.Python;
  const loadPython: typeof taipan.loadPython;
  const PythonError: typeof taipan.PythonError;
  const InterruptedError: typeof taipan.InterruptedError;
  const code: string;
  const text: string;
  function show(html: unknown): void;
  function write(text: string): void;
  function mark(line: number | undefined, message: string): void;
  function say(sentence: string): void;
}
