/** How output is shown in a page, for pages that have cells of their own: `import { OutputArea } from "taipan/view"`. */
export { type Display, display } from "./view/display.js";
export { beginning, button, element, plural } from "./view/dom.js";
export { OutputArea } from "./view/output_area.js";
export { ask, type QuestionOptions } from "./view/question.js";
export { sanitize } from "./view/sanitize.js";
