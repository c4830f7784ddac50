import "./style/page.css";
import "./style/controls.css";
import "./style/cell.css";
import "./style/output.css";
import { confirmed } from "./dialog.js";
import { distributionURL } from "./distribution.js";
import { required } from "./dom.js";
import { Files } from "./files.js";
import { Keeper } from "./keeper.js";
import { Lesson } from "./lesson.js";
import { problem, sentence } from "./problem.js";
import { Session } from "./session.js";
import { Status } from "./status.js";
import { Storage } from "./storage.js";

const TAB_INDENTS = "setting:tab-indents";

const root = required("lesson", HTMLElement);
const stop = required("stop", HTMLButtonElement);
const status = new Status();
const name = root.dataset.lesson ?? "lesson";
const storage = new Storage(name);
const keeper = new Keeper({ name: `lesson-${name}`, storage, onChange: (kept) => status.kept(kept) });
const session: Session = new Session({
  indexURL: distributionURL(),
  keeper,
  onState: (state, error) => {
    stop.disabled = state !== "running";
    const what = state === "broken" ? "Python cannot go on" : "Python did not start";
    const { headline, advice = "" } = problem(error, () => false);
    status.show(state, error === undefined ? "" : `${what}: ${sentence(headline)} ${advice}`.trim());
  },
  onProgress: (progress) => status.progress(progress),
  onFresh: (python) => files.fill(python),
  onRan: (python) => void files.look(python),
  onUndone: (python) => files.complete(python),
  onLost: () => lesson.outdate(),
});
// Its worker starts while the editors are made.
session.start();
const files: Files = new Files({ python: () => session.python, onChange: () => session.keep() });
const lesson: Lesson = new Lesson({ root, session, storage, onRestart: () => void restart() });

async function restart(): Promise<void> {
  lesson.stop();
  await session.restart();
}

async function confirmRestart(): Promise<void> {
  const question = {
    title: "Restart Python?",
    text: "All variables are lost, and the files that Python has written. What you have typed and your own files stay.",
    yes: "Restart",
    no: "Cancel",
  };
  if (!session.used || (await confirmed(question))) await restart();
}

async function confirmReset(): Promise<void> {
  const question = {
    title: "Reset the lesson?",
    text: "Every cell gets its first text back. What you have typed is lost.",
    yes: "Reset",
    no: "Cancel",
  };
  if (!lesson.edited || (await confirmed(question))) lesson.reset();
}

required("fresh", HTMLButtonElement).addEventListener("click", () => void restart());
required("run-all", HTMLButtonElement).addEventListener("click", () => void lesson.runAll());
required("retry", HTMLButtonElement).addEventListener("click", () => session.start());
required("restart", HTMLButtonElement).addEventListener("click", () => void confirmRestart());
required("reset-lesson", HTMLButtonElement).addEventListener("click", () => void confirmReset());
stop.addEventListener("click", () => lesson.stop());

const keys = required("keys", HTMLDialogElement);
required("keys-open", HTMLButtonElement).addEventListener("click", () => keys.showModal());

const tabIndents = required("tab-indents", HTMLInputElement);
tabIndents.checked = storage.get(TAB_INDENTS) === "yes";
lesson.tabIndents = tabIndents.checked;
tabIndents.addEventListener("change", () => {
  lesson.tabIndents = tabIndents.checked;
  storage.set(TAB_INDENTS, tabIndents.checked ? "yes" : undefined);
});
