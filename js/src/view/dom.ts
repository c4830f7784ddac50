/** An element with attributes and children; an attribute that is `false` is left out, `true` is empty. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** A button that does `action` when pressed. */
export function button(label: string, className: string, action: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: className }, label);
  made.addEventListener("click", action);
  return made;
}

/** `count` and the noun in the right number: `1 line`, `2,000 lines`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** A text's beginning, where it is longer than anybody reads. */
export function beginning(text: string, most = 1000): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
