"""Writes test cases with the verdict of Python's `packaging`, one JSON object a line.

usage: cases.py FOLDER_WITH_PACKAGING [SEED]

Left out, because we differ on purpose:
- numbers of 2^64 and more, which we refuse;
- names that end in `_`, which `packaging` takes against its own grammar, and `===` without a text;
- a comparison of two texts or two variables, for which `packaging` has no defined answer;
- `===1,` in a requirement, whose comma `packaging` takes for a part of the text;
- `~=` with a version that is not normalised, which `packaging` compares as text.
"""

import itertools
import json
import random
import re
import sys

sys.path.insert(0, sys.argv[1])

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, _normalize_extra_values  # noqa: E402
from packaging.requirements import InvalidRequirement, Requirement  # noqa: E402
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet  # noqa: E402
from packaging.tags import compatible_tags, cpython_tags, parse_tag  # noqa: E402
from packaging.utils import canonicalize_name  # noqa: E402
from packaging.version import InvalidVersion, Version  # noqa: E402

LISTED = """
1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345
1.0b2-346 1.0c1.dev456 1.0c1 1.0rc2 1.0c3 1.0 1.0.post456.dev34 1.0.post456 1.1.dev1 1.2+123abc 1.2+123abc456
1.2+abc 1.2+abc123 1.2+abc123def 1.2+1234.abc 1.2+123456 1.2.r32+123456 1.2.rev33+123456 1!1.0 1!1.0.post1
1.0dev 1.0.dev 1.0-dev 1.0dev0 1.0-dev1 1.0_dev-1 1.0DEV 1.0a 1.0.a 1.0-a 1.0ALPHA 1.0-alpha_1 1.0.beta.2 1.0c
1.0preview 1.0-pre 1.0PRE4 1.0post 1.0-post 1.0.post- 1.0-r4 1.0_rev.5 1.0-5 1.0a-5 1.0a--5 1.0-1-dev2 v1.0 V1
1.2.3.4.5.6 0 00 01.002 1.0.0 1.0.0.0+ubuntu-1_2.3 1.0+Ubuntu 1.0+001 1.0+1-a.B 2020.10.01 20241225 2!0
french toast 1.0+a+ 1.0++ 1.0+ 1.0+_foobar 1.0+foo&asd 1.0+1+1 1. .1 1..2 a1 1.0a1a 1.0.post1.post2 -1 1.0- 1.0_
1!!2 1!v2 vv1 1.0rc1.rc2 1.0.dev1.dev2 1.0.* 1.0dev1a1 1.0postdev 1.0pdev 1.0e1 ١.٢ 1.0é 1,0 1;0 (1.0) =1.0 1.x
""".split() + ["", " ", "1.0 ", " 1.0\t", "1 .0", "1.0 a1", "\n1.0", "\u00a01.0", "\x1c1.0"]

OPERATORS = ["==", "!=", "<=", ">=", "<", ">", "~=", "==="]
NAMES = ["numpy", "A", "scikit-learn", "zope.interface", "ruamel.yaml.clib", "a_b", "x1", "1x", "a-_.b"]
ENVIRONMENTS = [
    {
        "implementation_name": "cpython",
        "implementation_version": "3.13.2",
        "os_name": "posix",
        "platform_machine": "wasm32",
        "platform_python_implementation": "CPython",
        "platform_release": "4.0.9",
        "platform_system": "Emscripten",
        "platform_version": "#1",
        "python_full_version": "3.13.2",
        "python_version": "3.13",
        "sys_platform": "emscripten",
    },
    {
        "implementation_name": "pypy",
        "implementation_version": "7.3.13rc1",
        "os_name": "nt",
        "platform_machine": "AMD64",
        "platform_python_implementation": "PyPy",
        "platform_release": "10-generic",
        "platform_system": "Windows",
        "platform_version": "10.0.22000",
        "python_full_version": "3.9.0+",
        "python_version": "3.9",
        "sys_platform": "win32",
    },
]
LEGACY = ["os.name", "sys.platform", "platform.version", "platform.machine", "platform.python_implementation", "python_implementation"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, *choices):
        return self.random.choice(choices)

    def maybe(self, text, chance=0.5):
        return text if self.random.random() < chance else ""

    def case(self, text):
        return self.one(text, text, text.upper(), text.capitalize())

    def number(self):
        return self.one("0", "1", "1", "2", "3", "9", "10", "11", "007", "2024", "18446744073709551615")

    def version(self, wild=True):
        """A version in any spelling; with `wild`, at times nearly one."""
        separator = lambda: self.one("", "", ".", "-", "_")  # noqa: E731
        parts = [self.maybe("v", 0.05) if wild else "", self.maybe(self.one("0!", "1!", "2!"), 0.1)]
        parts.append(".".join(self.one("0", "1", "1", "2", "10", self.number()) for _ in range(self.random.randint(1, 4))))
        word = self.one("a", "b", "rc", "c", "alpha", "beta", "pre", "preview")
        parts.append(self.maybe(separator() + self.case(word) + separator() + self.maybe(self.number(), 0.8), 0.3))
        post = self.one("-" + self.number(), separator() + self.case(self.one("post", "rev", "r")) + separator() + self.number())
        parts.append(self.maybe(post, 0.2))
        parts.append(self.maybe(separator() + self.case("dev") + separator() + self.maybe(self.number(), 0.8), 0.2))
        local = [self.one("1", "2", "abc", "ubuntu", "a1", "1a", "007", "X") for _ in range(self.random.randint(1, 3))]
        parts.append(self.maybe("+" + self.one(".", "-", "_").join(local), 0.15))
        text = "".join(parts)
        return self.mutate(text, ".-_!+*abrc01 vé") if wild and self.random.random() < 0.1 else text

    def mutate(self, text, letters):
        position = self.random.randint(0, len(text))
        return text[:position] + self.maybe(self.random.choice(letters), 0.7) + text[position + self.one(0, 1) :]

    def specifier(self):
        operator = self.random.choice(OPERATORS)
        version = self.version(wild=operator != "~=")
        if operator == "~=":
            version = str(Version(version))
        trail = ".*" if self.random.random() < (0.3 if operator in ("==", "!=") else 0.03) else ""
        if trail and self.random.random() < 0.8:
            version = self.one("1", "1.0", "0", "1!2", "2.10", "1.0.0.0")
        return f"{self.maybe(' ', 0.1)}{operator}{self.maybe(' ', 0.2)}{version}{trail}{self.maybe(' ', 0.1)}"

    def specifiers(self):
        return ",".join(self.specifier() for _ in range(self.random.choice([0, 1, 1, 1, 2, 2, 3]))) + self.maybe(",", 0.03)

    def comparison(self):
        variable = self.random.choice([*ENVIRONMENTS[0], "extra", "extra", "python_version", "python_full_version", *LEGACY])
        value = self.one(
            "3.13", "3.13.2", "3.9", "3.*", "3.13.*", "3", "3.8, 3.13", "cpython", "posix", "nt", "emscripten", "win32", "Linux",
            "4.0.9", "4.0", "10-generic", "CPython", "", "a", "b_C", "dev..extra", "wasm32", "#1", "7.3.13rc1", " 3.9 ", "3.9.0+local", "3.9.0",
            self.version(),
        )  # fmt: skip
        quote = self.one('"', "'")
        operator = self.one(*OPERATORS, "in", "not in", "not  in")
        sides = [variable, f"{quote}{value}{quote}"]
        if self.random.random() < 0.2:
            sides.reverse()
        # `~=` with an odd spelling on its right, see above.
        if operator == "~=" and not is_normalised(value):
            operator = ">="
        if operator == "===" and not value.strip():
            operator = "=="
        space = " " if operator[0].isalpha() or operator[-1].isalpha() else self.one("", " ", "  ")
        return f"{sides[0]}{space}{operator}{space}{sides[1]}"

    def marker(self, depth=2):
        parts = []
        for index in range(self.random.choice([1, 1, 1, 2, 2, 3])):
            if index:
                parts.append(self.one("and", "or"))
            if depth and self.random.random() < 0.25:
                parts.append(f"({self.maybe(' ', 0.2)}{self.marker(depth - 1)}{self.maybe(' ', 0.2)})")
            else:
                parts.append(self.comparison())
        text = " ".join(parts)
        return self.mutate(text, "\"'()= nox.é") if self.random.random() < 0.03 else text

    def requirement(self):
        text = self.maybe(" ", 0.05) + self.random.choice(NAMES) + self.maybe(" ", 0.2)
        if self.random.random() < 0.3:
            extras = [self.one("a", "B_c", "dev", "x.y") for _ in range(self.random.randint(0, 3))]
            text += "[" + self.one(",", ", ", " , ").join(extras) + self.maybe(",", 0.05) + "]" + self.maybe(" ", 0.2)
        if self.random.random() < 0.15:
            text += "@" + self.maybe(" ") + self.one("https://e.org/a-1-py3-none-any.whl#sha256=0", "file:///a;b", "x", "")
            text += self.maybe(" ", 0.7) + self.maybe("; " + self.marker(), 0.5)
        else:
            specifiers = self.specifiers()
            text += f"({specifiers})" if self.random.random() < 0.2 else specifiers
            text += self.maybe(self.maybe(" ") + ";" + self.maybe(" ") + self.marker(), 0.5)
        return self.mutate(text, "[]()@;,= x~<é") if self.random.random() < 0.05 else text


def is_normalised(text):
    try:
        return str(Version(text)) == text
    except InvalidVersion:
        return False


def version_or_none(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def fits(text):
    """Whether every number in the text is one that we take."""
    digits = "".join(character if character.isdecimal() else " " for character in text)
    return all(int(number) < 1 << 64 for number in digits.split())


def specifier_row(specifier):
    operator, text = specifier.operator, specifier.version
    if operator == "===":
        return operator + text
    if text.endswith(".*"):
        return f"{operator}{Version(text[:-2])}.*"
    return f"{operator}{Version(text)}"


def has_odd_specifier(specifiers):
    for specifier in specifiers:
        if specifier.operator == "===" and not specifier.version:
            return True
        if specifier.operator == "~=" and not is_normalised(specifier.version):
            return True
    return False


def evaluate(marker, extras):
    normalise_extras(marker._markers)

    def one(environment, extra):
        try:
            return marker.evaluate({**environment, "extra": extra})
        except UndefinedComparison:
            return False

    return [any(one(environment, extra) for extra in extras or [""]) for environment in ENVIRONMENTS]


def normalise_extras(marker):
    """Does in parentheses what `packaging` does only outside them: normalises what is compared with `extra`."""
    for part in marker:
        if isinstance(part, list):
            part[:] = _normalize_extra_values(part)
            normalise_extras(part)


def two_of_a_kind(marker):
    """Whether a comparison in a marker is of two texts or of two variables."""
    for part in marker:
        if isinstance(part, list) and two_of_a_kind(part):
            return True
        if isinstance(part, tuple) and type(part[0]) is type(part[2]):
            return True
    return False


def leaves(marker):
    for part in marker:
        if isinstance(part, list):
            yield from leaves(part)
        elif isinstance(part, tuple):
            yield part


def unordered(marker):
    """Whether `packaging` would refuse to evaluate a comparison: its answer then depends on the order of evaluation."""
    for left, operator, right in leaves(marker):
        if operator.value in ("~=", "==="):
            key = left.value if type(left).__name__ == "Variable" else right.value
            if key not in ("implementation_version", "platform_release", "python_full_version", "python_version"):
                return True
            values = [right.value] if type(right).__name__ == "Value" else [environment[key] for environment in ENVIRONMENTS]
            for value in values:
                try:
                    Specifier(f"{operator.value}{value}")
                except InvalidSpecifier:
                    return True
                if operator.value == "~=" and not is_normalised(value):
                    return True
    return False


def cases(generate):
    versions = LISTED + [generate.version() for _ in range(4000)]
    versions = [text for text in dict.fromkeys(versions) if fits(text)]
    for text in versions:
        version = version_or_none(text)
        flags = [version.is_prerelease, version.is_postrelease] if version else None
        yield {"kind": "version", "input": text, "expected": version and str(version), "flags": flags}

    good = [text for text in versions if version_or_none(text)]
    pairs = list(itertools.product([text for text in LISTED if version_or_none(text) and fits(text)], repeat=2))
    pairs += [(generate.random.choice(good), generate.random.choice(good)) for _ in range(4000)]
    for left, right in pairs:
        a, b = Version(left), Version(right)
        yield {"kind": "order", "left": left, "right": right, "expected": (a > b) - (a < b)}

    near = [text for text in good if Version(text).release[0] < 3]
    texts = [f"{operator}{text}" for operator in OPERATORS[:6] + ["==="] for text in LISTED if text]
    texts += [f"~={Version(text)}" for text in LISTED if version_or_none(text)]
    texts += [generate.specifiers() for _ in range(6000)]
    for text in texts:
        if not fits(text):
            continue
        candidates = [str(Version(generate.random.choice(near))) for _ in range(6)]
        expected = None
        try:
            specifiers = SpecifierSet(text)
        except InvalidSpecifier:
            pass
        else:
            if has_odd_specifier(specifiers):
                continue
            # Versions next to the ones named, where the rules are most particular.
            for specifier in specifiers:
                base = version_or_none(specifier.version.removesuffix(".*"))
                if base:
                    public = base.public.partition(".dev")[0].partition(".post")[0]
                    candidates += [str(base), base.public, base.base_version, f"{base.base_version}.0", f"{base.base_version}.1"]
                    candidates += [f"{base.base_version}.dev0", f"{base.base_version}a0", f"{base.base_version}+x", f"{base.base_version}.post0"]
                    candidates += [f"{public}.post0.dev0", f"{public}.post1+x", f"{public}+x.1"]
            parsed = [Version(candidate) for candidate in candidates]
            expected = {
                "specifiers": sorted(specifier_row(specifier) for specifier in specifiers),
                "contains": [specifiers.contains(version, prereleases=True) for version in parsed],
                "filter": [str(version) for version in specifiers.filter(parsed)],
                "filter_final": [str(version) for version in specifiers.filter(parsed, prereleases=False)],
            }
        yield {"kind": "specifiers", "input": text, "versions": candidates, "expected": expected}

    markers = [generate.marker() for _ in range(5000)]
    for text in markers:
        if not fits(text):
            continue
        extras = generate.one([], [], ["a"], ["B.c", "a"], ["dev--extra"])
        try:
            marker = Marker(text)
        except (InvalidMarker, SyntaxError):
            expected = None
        else:
            if two_of_a_kind(marker._markers) or unordered(marker._markers):
                continue
            expected = evaluate(marker, extras)
        yield {"kind": "marker", "input": text, "extras": extras, "environments": ENVIRONMENTS, "expected": expected}

    for _ in range(5000):
        text = generate.requirement()
        if not fits(text) or re.search(r"===\s*[^;\s]*,", text):
            continue
        try:
            requirement = Requirement(text)
        except (InvalidRequirement, InvalidSpecifier, SyntaxError):
            expected = None
        else:
            if requirement.name.endswith("_") or any(extra.endswith("_") for extra in requirement.extras):
                continue
            if has_odd_specifier(requirement.specifier):
                continue
            marker = requirement.marker
            if marker and (two_of_a_kind(marker._markers) or unordered(marker._markers)):
                continue
            expected = {
                "name": canonicalize_name(requirement.name),
                "extras": sorted({canonicalize_name(extra) for extra in requirement.extras}),
                "specifiers": sorted(specifier_row(specifier) for specifier in requirement.specifier),
                "url": requirement.url,
                "marker": marker and evaluate(marker, ["a"]),
            }
        yield {"kind": "requirement", "input": text, "environments": ENVIRONMENTS, "expected": expected}


def tag_cases(generate):
    """Lists of tags, and the places of wheels in them. `sys_tags()` puts the two lists together in this way."""
    for minor in range(2, 16):
        for platforms in (["pyodide_2025_0_wasm32", "emscripten_4_0_9_wasm32"], ["pyemscripten_2026_0_wasm32"], ["linux_x86_64"]):
            own = f"cp3{minor}"
            tags = list(cpython_tags((3, minor), [own], platforms)) + list(compatible_tags((3, minor), own, platforms))
            wheels = {}
            for _ in range(40):
                python = ".".join(sorted({generate.one("py2", "py3", "py30", f"py3{minor}", own, "cp37", "cp312", "cp39") for _ in range(2)}))
                abi = ".".join(sorted({generate.one("none", "abi3", own, "cp39", "cp312") for _ in range(generate.one(1, 1, 2))}))
                platform = ".".join(sorted({generate.one("any", *platforms, "win32") for _ in range(generate.one(1, 2))}))
                wanted = parse_tag(f"{python}-{abi}-{platform}")
                ranks = [index for index, tag in enumerate(tags) if tag in wanted]
                wheels[f"a-1-{python}-{abi}-{platform}.whl"] = ranks[0] if ranks else None
            yield {"kind": "tags", "minor": minor, "platforms": platforms, "expected": [str(tag) for tag in tags], "wheels": wheels}


def main():
    seed = sys.argv[2] if len(sys.argv) > 2 else "taipan"
    generate = Generator(seed)
    for case in itertools.chain(cases(generate), tag_cases(generate)):
        print(json.dumps(case))


if __name__ == "__main__":
    main()
