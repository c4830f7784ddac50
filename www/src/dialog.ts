import { element } from "./dom.js";

/** A question with two answers, in the page's own modal dialog. Escape is "no". */
export function confirmed(question: { title: string; text: string; yes: string; no: string }): Promise<boolean> {
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
    element("h2", { id: "confirm-title" }, question.title),
    element("p", { id: "confirm-text" }, question.text),
    element(
      "form",
      { method: "dialog" },
      element("button", { value: "no", autofocus: true }, question.no),
      element("button", { value: "yes", class: "primary" }, question.yes),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
