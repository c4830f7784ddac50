/**
 * What an exception means, in words for somebody who sees it for the first time, and what to do about it. Code stands
 * between backticks. `source` is the line of code that it is about.
 */
export function explain(type: string, message: string, source = ""): string | undefined {
  const name = type.split(".").at(-1) ?? type;
  if (name === "SyntaxError" && /^[%!]/.test(source)) return NOT_PYTHON;
  for (const [pattern, sentence] of EXPLANATIONS[name] ?? []) {
    const match = pattern.exec(message);
    if (match) {
      return sentence.replaceAll(/\$(kind)?(\d)/g, (_, kind: string | undefined, index: string) => {
        const found = (match[Number(index)] ?? "").replaceAll("`", "");
        return kind ? (KINDS[found] ?? `a \`${found}\``) : found;
      });
    }
  }
  return undefined;
}

const NOT_PYTHON =
  "A line that begins with `%` or `!` is a command of Jupyter's and not Python. Take it out: libraries come by themselves when they are imported, and plots are shown.";

const KINDS: Record<string, string> = {
  str: "a text (`str`)",
  int: "a whole number (`int`)",
  float: "a number (`float`)",
  bool: "a truth value (`bool`)",
  list: "a list",
  tuple: "a `tuple`",
  dict: "a dictionary (`dict`)",
  NoneType: "nothing (`None`)",
  function: "a function",
};

const ANY = /^/;
const EXCEL =
  'To read Excel files, pandas needs the library `openpyxl`. Run `import micropip; await micropip.install("openpyxl")` first, or save the table as CSV.';
const ADDRESS =
  "In a web page Python gets only what the server gives to other pages. Download the file yourself, and add it to this page.";
const LIBRARIES: [RegExp, string][] = [
  [/^name 'pd'/, "`pd` is the usual short name of pandas. Run the cell that has `import pandas as pd` first."],
  [/^name 'np'/, "`np` is the usual short name of NumPy. Write `import numpy as np` above this line."],
  [/^name 'plt'/, "`plt` is the usual short name for plots. Write `import matplotlib.pyplot as plt` above this line."],
];

/** For each type the first pattern that fits the message; `$1` is what the pattern's first group has found. */
const EXPLANATIONS: Record<string, [RegExp, string][]> = {
  NameError: [
    ...LIBRARIES,
    [
      /^name '(.+?)'.*Did you mean/s,
      "Python does not know the name `$1`. Look at the spelling; a name that is near is in the message.",
    ],
    [
      /^name '(.+?)'/,
      "Python does not know the name `$1` yet. Look at the spelling, and run the cell that gives it a value first. A text needs quotes around it.",
    ],
  ],
  UnboundLocalError: [[ANY, "The function uses this name before it has given it a value."]],
  SyntaxError: [
    [/'(.)' was never closed/, "A `$1` is opened here and never closed. Count the brackets."],
    [/unmatched '(.)'/, "This `$1` closes something that was never opened. Count the brackets."],
    [/unterminated .*string/, "A text starts with a quote here and does not end. Put the same quote at its end."],
    [/expected ':'/, "A line that begins with `if`, `for`, `while`, `def` or `class` ends in a colon."],
    [/Maybe you meant '==' /, "One `=` gives a name to a value; to compare two values, write two: `==`."],
    [/Missing parentheses in call to 'print'/, '`print` needs brackets around what it prints: `print("hello")`.'],
    [/forgot a comma/, "Two things stand side by side with nothing between them. A comma is probably missing."],
    [
      ANY,
      "Python cannot read this line. Often a bracket, a quote, a comma or a colon is missing here or on the line above.",
    ],
  ],
  IndentationError: [
    [/expected an indented block/, "The line above ends in a colon, so this line starts further right: four spaces."],
    [
      /unexpected indent/,
      "This line starts further right than the one above, without a reason. Take the spaces at its start away.",
    ],
    [ANY, "The spaces at the start of this line do not fit those of the lines above it."],
  ],
  TabError: [[ANY, "Some lines start with tabs and some with spaces. Use spaces only."]],
  TypeError: [
    [
      /can only concatenate str|must be str, not|for \+: '(int|float)' and 'str'/,
      "Text and numbers cannot be added. Use `str()` to make text of the number, or `float()` to make a number of the text.",
    ],
    [
      /unsupported operand type\(s\) for (.+?): '(.+?)' and '(.+?)'/,
      "`$1` does not work between $kind2 and $kind3. Print the two values to see what they are.",
    ],
    [
      /'(.+?)' object is not callable/,
      "The round brackets call a function, but this is $kind1. Perhaps an operator is missing, or a function's name was given to a value.",
    ],
    [
      /'(.+?)' object is not subscriptable/,
      "The square brackets take one part out of a list or a table, but this is $kind1.",
    ],
    [
      /'(.+?)' object is not iterable/,
      "A loop needs several things, and this is only one: $kind1. Perhaps `range()` is missing.",
    ],
    [/missing (\d+) required/, "The function needs more values between its brackets: $1 more."],
    [/takes .* positional arguments? but/, "The function was given more values than it takes."],
    [ANY, "A value is of the wrong kind for what is done with it. Print it, or its `type()`, to see what it is."],
  ],
  ValueError: [
    [
      /could not convert string to float: (.+)/s,
      "`$1` does not look like a number. Write digits, and a point for decimals.",
    ],
    [/invalid literal for int\(\).*: (.+)/s, "`$1` does not look like a whole number."],
    [
      /arrays must (all )?be (of )?(the )?same length/,
      "All columns of a data frame need the same number of values. Count them.",
    ],
    [ANY, "The value is of the right kind, but not one that can be used here."],
  ],
  ZeroDivisionError: [[ANY, "Nothing can be divided by zero. Find out why the divisor is 0."]],
  IndexError: [
    [ANY, "There are not that many items. The first one has the number 0, so the last of three has the number 2."],
  ],
  KeyError: [
    [/^(.+)$/s, "There is no entry or column called `$1`. Look at the spelling, large and small letters too."],
  ],
  AttributeError: [
    [/'NoneType' object/, "The value is `None`: nothing. Perhaps a function above gave nothing back."],
    [/Did you mean/, "There is nothing of this name after the point. A name that is near is in the message."],
    [ANY, "There is nothing of this name after the point. Look at the spelling, and at what the value is."],
  ],
  ModuleNotFoundError: [
    [
      /No module named '(.+?)': its package could not be loaded/,
      "The library `$1` could not be brought to this page. Look at your connection, then run the cell again.",
    ],
    [/No module named 'openpyxl'/, EXCEL],
    [
      /No module named '(.+?)'/,
      "There is no library called `$1` here. Look at the spelling; some libraries do not run in a browser.",
    ],
  ],
  ImportError: [
    [/^cannot import name/, "The library is there, but it has nothing of this name."],
    [/optional dependency 'openpyxl'/, EXCEL],
    [/optional dependency|usable engine/, "This takes another library, which could not be brought to this page."],
  ],
  FileNotFoundError: [
    [
      ANY,
      "Python has no file of this name. Add the file to the page first, and write its name exactly as the page lists it.",
    ],
  ],
  UnicodeDecodeError: [
    [
      ANY,
      'The file is not written in UTF-8. Tell how it is written: `encoding="cp1252"` is usual on Windows, `encoding="utf-16"` is another.',
    ],
  ],
  EmptyDataError: [[ANY, "The file has nothing in it."]],
  ParserError: [
    [
      /Expected \d+ fields/,
      'Not all lines of the file have the same number of columns. Perhaps something else than a comma stands between them: try `sep=";"`.',
    ],
  ],
  URLError: [[/unknown url type: https/, ADDRESS]],
  ConnectionError: [[ANY, ADDRESS]],
  OSError: [[/emscripten does not support processes/, "In a web page Python cannot start other programs."]],
  RuntimeError: [[/can't start new thread/, "In a web page Python cannot start threads. Call the function itself."]],
  RecursionError: [[ANY, "A function called itself again and again without an end."]],
  MemoryError: [[ANY, "There was not enough memory. Try it with less data."]],
  EOFError: [[ANY, "The program asked for an answer and got none."]],
  SystemExit: [[ANY, "The code asked Python to stop here."]],
  AssertionError: [[ANY, "An `assert` line found something that should not be so."]],
};
