import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** What an editor needs from the cell around it. */
export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  /** What a screen reader calls the editor. */
  label: string;
  onChange(text: string): void;
  /** `advance`: Shift+Enter, the learner goes on to the next cell. */
  onRun(advance: boolean): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: tags.function(tags.variableName), color: "var(--code-function)" },
  { tag: tags.definition(tags.variableName), color: "var(--text)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "var(--code-line)" },
  ".cm-content": { padding: "0.75rem 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 1rem 0 0.5rem" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--text-faint)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 0.5rem 0 0.25rem", minWidth: "2.25rem" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-wash)" },
});

const markLine = StateEffect.define<number | null>();

const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(markLine)) continue;
      if (effect.value === null || effect.value > transaction.state.doc.lines) return Decoration.none;
      const { from } = transaction.state.doc.line(effect.value);
      return Decoration.set(Decoration.line({ class: "cm-failed-line" }).range(from));
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/**
 * The editor of a cell. Tab leaves it, as it leaves any other field, unless the learner has chosen that Tab indents;
 * then Escape, followed by Tab, leaves it.
 */
export class Editor {
  readonly #view: EditorView;
  readonly #tabKey = new Compartment();

  constructor(options: EditorOptions) {
    const run = (advance: boolean) => () => {
      options.onRun(advance);
      return true;
    };
    const extensions: Extension[] = [
      Prec.highest(
        keymap.of([
          { key: "Shift-Enter", run: run(true) },
          { key: "Mod-Enter", run: run(false) },
          { key: "Ctrl-Enter", run: run(false) },
        ]),
      ),
      this.#tabKey.of([]),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
      lineNumbers(),
      history(),
      closeBrackets(),
      bracketMatching(),
      indentOnInput(),
      indentUnit.of("    "),
      EditorState.tabSize.of(4),
      python(),
      syntaxHighlighting(colours),
      theme,
      markedLine,
      EditorView.contentAttributes.of({ "aria-label": options.label, autocapitalize: "off", spellcheck: "false" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) options.onChange(update.state.doc.toString());
      }),
    ];
    this.#view = new EditorView({ parent: options.parent, doc: options.text, extensions });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Replaces the text as an edit, so that undo brings the old one back. */
  set text(text: string) {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
  }

  focus(): void {
    this.#view.focus();
  }

  /** The text of a one-based line, absent if there is no such line. */
  line(number: number): string | undefined {
    const { doc } = this.#view.state;
    return number >= 1 && number <= doc.lines ? doc.line(number).text : undefined;
  }

  /** Marks a one-based line as the one that failed until the text is edited; `null` takes the mark away. */
  mark(line: number | null): void {
    this.#view.dispatch({ effects: markLine.of(line) });
  }

  /** Puts the cursor at the start of a one-based line and shows it. */
  goTo(line: number): void {
    const { doc } = this.#view.state;
    const { from } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    this.#view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.#view.focus();
  }

  /** Whether Tab indents, else it moves the focus on. */
  set tabIndents(on: boolean) {
    this.#view.dispatch({ effects: this.#tabKey.reconfigure(on ? keymap.of([indentWithTab]) : []) });
  }
}
