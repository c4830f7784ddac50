/**
 * The style of `<python-cell>`. The custom properties are its theme: a page sets them on the element, where its rules win
 * over these. Light or dark is as the page's own `color-scheme` says.
 */
export const STYLE = `
:host {
  display: block;
  margin-block: 1rem;
  color: var(--text);
  font-family: var(--sans);
  font-size: 1rem;
  line-height: 1.5;
  --ground: light-dark(#ffffff, #1d2023);
  --text: light-dark(#1f2328, #e8e6e1);
  --text-soft: light-dark(#565d66, #b0b4b8);
  --line: light-dark(#e6e2d9, #33383c);
  --line-strong: light-dark(#8a8f96, #7c8288);
  --accent: light-dark(#0b6e4f, #6ccfa6);
  --accent-wash: light-dark(#e6f1ec, #1f3a30);
  --on-accent: light-dark(#ffffff, #10241b);
  --danger: light-dark(#a8201a, #ff9d94);
  --danger-wash: light-dark(#fcecea, #3d2422);
  --caution: light-dark(#7a4b00, #f0c674);
  --caution-wash: light-dark(#fcf3df, #38301d);
  --mono: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --sans: system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
.cell { position: relative; border: 1px solid var(--line); border-radius: 0.75rem; background: var(--ground); overflow: clip; }
.cell:focus-within { border-color: var(--accent); }
textarea {
  display: block;
  width: 100%;
  margin: 0;
  padding: 0.875rem 1rem;
  border: 0;
  background: transparent;
  color: inherit;
  font: 0.875rem/1.6 var(--mono);
  tab-size: 4;
  white-space: pre;
  overflow: auto hidden;
  resize: none;
}
textarea:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; border-radius: 0.75rem 0.75rem 0 0; }
.bar { display: flex; align-items: center; gap: 0.5rem; padding: 0.5rem 0.5rem 0.5rem 1rem; border-top: 1px solid var(--line); }
.state { flex: 1; min-width: 0; color: var(--text-soft); font-size: 0.875rem; overflow-wrap: anywhere; }
.unseen { position: absolute; overflow: hidden; width: 1px; height: 1px; clip-path: inset(50%); white-space: nowrap; }
.failed .state { color: var(--danger); }
button {
  min-height: 2.5rem;
  padding: 0.25rem 1rem;
  border: 1px solid var(--line-strong);
  border-radius: 0.5rem;
  background: transparent;
  color: inherit;
  font: 600 0.9375rem var(--sans);
  cursor: pointer;
}
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
button[aria-disabled="true"] { opacity: 0.55; cursor: default; }
button.quiet { min-height: 1.5rem; padding: 0 0.5rem; border-color: transparent; color: var(--accent); }
.output:not(:empty) { display: grid; gap: 0.75rem; padding: 1rem; border-top: 1px solid var(--line); }
.output > * { min-width: 0; }
.output p { margin: 0; }
pre { margin: 0; font: 0.875rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.plain { overflow-x: auto; white-space: pre; overflow-wrap: normal; }
.stream-block { display: block; }
.stream-all { max-height: 60vh; overflow: auto; }
.stream-stderr, .problem, .question { padding: 0.75rem 1rem; border-left: 3px solid var(--caution); background: var(--caution-wash); }
.stream-label { color: var(--caution); font-size: 0.8125rem; font-weight: 600; }
.stream-note { color: var(--text-soft); font-size: 0.875rem; }
.rich { contain: content; overflow: auto; max-height: 36rem; }
.rich:focus-visible { outline: 2px solid var(--accent); }
.picture { display: block; max-width: 100%; height: auto; border-radius: 0.5rem; }
.problem { border-left-color: var(--danger); background: var(--danger-wash); }
.headline { color: var(--danger); font: 600 0.9375rem var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.problem summary { padding-block: 0.375rem; color: var(--text-soft); cursor: pointer; font-size: 0.875rem; }
.question { display: grid; gap: 0.5rem; border-left-color: var(--accent); background: var(--accent-wash); }
.question-line { display: flex; gap: 0.5rem; }
.question input {
  flex: 1;
  min-width: 0;
  min-height: 2.5rem;
  padding: 0.25rem 0.75rem;
  border: 1px solid var(--line-strong);
  border-radius: 0.5rem;
  background: var(--ground);
  color: inherit;
  font: inherit;
}
.answered { color: var(--text-soft); }
`;
