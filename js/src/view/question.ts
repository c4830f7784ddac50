import { button, element } from "./dom.js";

/** Where a question is asked, and what ends it. */
export interface QuestionOptions {
  parent: HTMLElement;
  prompt: string;
  /** The run that asks has been stopped. */
  signal: AbortSignal;
}

let count = 0;

/**
 * What Python's `input()` asks, as a form in the output of the cell that runs. Resolves to the line, or to `null`
 * (end of file) when the run is stopped. The question and its answer stay to be read.
 */
export function ask({ parent, prompt, signal }: QuestionOptions): Promise<string | null> {
  count += 1;
  const id = `question-${count}`;
  const field = element("input", { id, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const label = element("label", { for: id }, prompt.trim() || "Python waits for a line of text:");
  const send = button("Enter", "primary", () => form.requestSubmit());
  const form = element("form", { class: "question" }, label, element("span", { class: "question-line" }, field, send));
  parent.append(form);
  field.focus();
  return new Promise((resolve) => {
    const end = (answer: string | null) => {
      signal.removeEventListener("abort", stop);
      const shown = answer ?? "(stopped)";
      const answered = element("p", { class: "answered" }, `${prompt || "› "}`, element("strong", {}, shown));
      const hadFocus = form.contains((form.getRootNode() as Document | ShadowRoot).activeElement);
      form.replaceWith(answered);
      if (hadFocus) {
        // Whoever uses the keyboard goes on from here, and not from the top of the page.
        answered.tabIndex = -1;
        answered.focus();
      }
      resolve(answer);
    };
    const stop = () => end(null);
    signal.addEventListener("abort", stop, { once: true });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      end(field.value);
    });
  });
}
