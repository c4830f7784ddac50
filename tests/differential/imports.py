"""Compares the import scanner with CPython's own `ast` over every source file of the standard library and of wheels.

usage: imports.py SCANNER [WHEEL_OR_FOLDER …]

SCANNER is the binary of `crate/core/examples/find_imports.rs`. Files that this CPython cannot parse are left out.
Prints disagreements and `N passed, N failed`; the exit status is 1 if there are any.
"""

import ast
import io
import json
import subprocess
import sys
import sysconfig
import tokenize
import warnings
import zipfile
from pathlib import Path

CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def names_in(node):
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def is_type_checking(test):
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING" and isinstance(test.value, ast.Name)
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def catches(handler):
    return handler.type is None or not CATCHING.isdisjoint(names_in(handler.type))


def is_suppressing(items):
    names = [name for item in items for name in names_in(item)]
    return "suppress" in names and not CATCHING.isdisjoint(names)


def visit(node, optional, found):
    """Collects the imports under `node` in the order of the text."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            found.append([alias.name, [], 0, node.lineno, optional])
    elif isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names]
        found.append([node.module or "", names, node.level, node.lineno, optional])
    elif isinstance(node, (ast.Try, ast.TryStar)):
        caught = any(catches(handler) for handler in node.handlers)
        visit_all(node.body, optional or caught, found)
        for handler in node.handlers:
            visit_all(handler.body, optional or catches(handler), found)
        visit_all(node.orelse, optional, found)
        visit_all(node.finalbody, optional, found)
    elif isinstance(node, ast.If):
        visit_all(node.body, optional or is_type_checking(node.test), found)
        visit_all(node.orelse, optional, found)
    elif isinstance(node, ast.With):
        visit_all(node.body, optional or is_suppressing(node.items), found)
    elif isinstance(node, (ast.stmt, ast.mod, ast.match_case)):
        visit_all(ast.iter_child_nodes(node), optional, found)


def visit_all(nodes, optional, found):
    for node in nodes:
        visit(node, optional, found)


def sources(places):
    """Pairs of a name and the bytes of a Python source file."""
    for place in places:
        if place.is_dir():
            for path in sorted(place.rglob("*.py")):
                # What happens to be installed beside the standard library is not part of the comparison.
                if "site-packages" not in path.parts and "dist-packages" not in path.parts:
                    yield str(path), path.read_bytes()
            for path in sorted(place.rglob("*.whl")):
                yield from sources([path])
        else:
            with zipfile.ZipFile(place) as archive:
                for name in archive.namelist():
                    if name.endswith(".py"):
                        yield f"{place.name}/{name}", archive.read(name)


def main():
    scanner, *places = sys.argv[1:]
    places = [Path(place) for place in places] or [Path(sysconfig.get_path("stdlib"))]
    warnings.simplefilter("ignore")
    cases = []
    seen = set()
    unreadable = 0
    for name, data in sources(places):
        if data in seen:
            continue
        seen.add(data)
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            # As it is, without a translation of line ends.
            text = data.decode(encoding)
            found = []
            visit(ast.parse(text), False, found)
            cases.append((name, text.encode(), found))
        except (SyntaxError, UnicodeError, ValueError, RecursionError, MemoryError):
            unreadable += 1

    stream = b"".join(b"%d\n%s" % (len(text), text) for _, text, _ in cases)
    answers = subprocess.run([scanner], input=stream, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    failed = 0
    for (name, _, expected), answer in zip(cases, answers, strict=True):
        got = json.loads(answer)
        if got != expected:
            failed += 1
            print(f"{name}:")
            for row in expected:
                if row not in got:
                    print(f"  ast only:     {row}")
            for row in got:
                if row not in expected:
                    print(f"  scanner only: {row}")
    imports = sum(len(expected) for _, _, expected in cases)
    optional = sum(row[4] for _, _, expected in cases for row in expected)
    print(f"imports: {len(cases)} files, {imports} imports, {optional} optional; {unreadable} files without a syntax tree")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return failed > 0 or not cases


if __name__ == "__main__":
    sys.exit(main())
