//! The import scanner. Python's own `ast` is its oracle in `tests/differential`; here are the cases that need no oracle
//! and those that `ast` cannot read.

use std::fmt::Write;

use proptest::prelude::*;
use taipan_core::imports::{Import, dotted_modules, find_imports, top_level_modules};

fn modules(source: &str) -> Vec<String> {
    find_imports(source).into_iter().map(|import| ".".repeat(import.level as usize) + &import.module).collect()
}

/// Modules with whether they are optional.
fn optional(source: &str) -> Vec<(String, bool)> {
    find_imports(source).into_iter().map(|import| (import.module, import.optional)).collect()
}

fn pairs(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
    expected.iter().map(|(module, optional)| ((*module).to_owned(), *optional)).collect()
}

#[test]
fn reads_both_statements() {
    let found = find_imports("import a.b, c as d\nfrom x . y import (z, w as v,\n  u,)  # more\nfrom m import *\n");
    let import = |module: &str, names: &[&str], line| Import {
        module: module.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        level: 0,
        line,
        optional: false,
    };
    let expected =
        [import("a.b", &[], 1), import("c", &[], 1), import("x.y", &["z", "w", "u"], 2), import("m", &["*"], 4)];
    assert_eq!(found, expected);
}

#[test]
fn finds_them_wherever_a_statement_may_stand() {
    assert_eq!(modules("x = 1; import a; import b"), ["a", "b"]);
    assert_eq!(modules("if x: import a\nelse: from b import c"), ["a", "b"]);
    assert_eq!(modules("def f():\n\timport a\n\tclass B:\n\t\timport b\n"), ["a", "b"]);
    assert_eq!(modules("import \\\n  a\\\n.b, \\\r\n c"), ["a.b", "c"]);
    assert_eq!(modules("\\\n  import a"), ["a"]);
    assert_eq!(modules("\u{feff}import a\rimport b\r\nimport c"), ["a", "b", "c"]);
    assert_eq!(modules("async def f():\n  async with g() as h: import a"), ["a"]);
    assert_eq!(modules("match x:\n  case 1: import a"), ["a"]);
    assert_eq!(modules("from .... import a\nfrom ..b.c import d\nfrom.e import f"), ["....", "..b.c", ".e"]);
    assert_eq!(modules("import größe.数"), ["größe.数"]);
}

#[test]
fn other_uses_of_the_words_are_nothing() {
    assert_eq!(modules("important = imported; x.imports = 1  # import a\n'import b'"), [""; 0]);
    assert_eq!(modules("def f():\n  yield from g\n  raise A from b\n  x = (yield\nfrom g)"), [""; 0]);
    assert_eq!(modules("'''\nimport a\n''' \"\"\"\nimport b\n\"\"\" rb'\\'\\\nimport c'"), [""; 0]);
    assert_eq!(modules("x = 'a\\\\'; import b; y = r'\\'; import c'"), ["b"]);
    assert_eq!(modules("x = {'a': 1, 'b': [\n1]}; import c"), ["c"]);
}

#[test]
fn f_strings_end_where_pep_701_says() {
    assert_eq!(modules(r#"f"{x["a"]}"; import a"#), ["a"]);
    assert_eq!(modules(r#"f"{f"{f"{1}; import n"}"}"; import a"#), ["a"]);
    assert_eq!(modules(r#"f"{x!r:>{w}}{{"; import a"#), ["a"]);
    assert_eq!(modules(r#"f"\N{LEFT CURLY BRACKET} \{x}"; import a"#), ["a"]);
    assert_eq!(modules(r#"rf"\{x["b"]}\""; import a"#), ["a"]);
    assert_eq!(modules("f'''{\nx # ' import b }\n}\nimport n\n'''; import a"), ["a"]);
    assert_eq!(modules("f'{ {1: 2}[1]:{w}.{p}}'; import a"), ["a"]);
    assert_eq!(modules("t'{x}' f'{y' import n\nimport a"), ["a"]);
}

#[test]
fn imports_that_may_fail_are_optional() {
    let source =
        "try:\n  import a\n  if x:\n    import b\nexcept ImportError:\n  import c\nelse:\n  import d\nimport e";
    assert_eq!(optional(source), pairs(&[("a", true), ("b", true), ("c", true), ("d", false), ("e", false)]));
    for handler in [
        "except:",
        "except Exception:",
        "except BaseException as e:",
        "except (ValueError, builtins.ModuleNotFoundError) as error:",
        "except* ImportError:",
        "except ValueError: pass\nexcept ImportError:",
        "except A, ImportError:",
    ] {
        assert_eq!(optional(&format!("try: import a\n{handler} pass")), pairs(&[("a", true)]), "{handler}");
    }
    for handler in ["except ValueError:", "except (A, B) as ImportError:", "finally:"] {
        assert_eq!(optional(&format!("try: import a\n{handler} import b")), pairs(&[("a", false), ("b", false)]));
    }
    assert_eq!(
        optional("try:\n try:\n  import a\n finally: import b\nexcept ImportError: pass\nimport c"),
        pairs(&[("a", true), ("b", true), ("c", false)])
    );
}

#[test]
fn imports_for_type_checkers_and_suppressed_ones_are_optional() {
    assert_eq!(
        optional("if TYPE_CHECKING:\n  import a\nelse:\n  import b\nif t.TYPE_CHECKING: import c"),
        pairs(&[("a", true), ("b", false), ("c", true)])
    );
    assert_eq!(optional("if not TYPE_CHECKING:\n  import a"), pairs(&[("a", false)]));
    assert_eq!(
        optional("with contextlib.suppress(ImportError):\n  import a\nimport b"),
        pairs(&[("a", true), ("b", false)])
    );
}

#[test]
fn source_with_errors_gives_what_can_be_seen() {
    assert_eq!(modules("x = (1,\nimport a\n"), ["a"]);
    assert_eq!(modules("print('hello\nimport a\nf'{x\nimport b"), ["a", "b"]);
    assert_eq!(modules("x = [\n  from a import b\n]"), ["a"]);
    assert_eq!(
        modules("import a,\nimport b.\nimport\nimport c d\nfrom x\nfrom . import\nimport e"),
        ["a", "c", ".", "e"]
    );
    assert_eq!(modules(")]}; import a"), ["a"]);
    assert_eq!(modules("import a\0b \\ c\nimport d"), ["a", "d"]);
    assert_eq!(optional("except ImportError:\n import a\nelse: import b"), pairs(&[("a", false), ("b", false)]));
}

#[test]
fn names_for_looking_up() {
    let source = "import os.path, numpy\nfrom google.protobuf import message, text_format as t\nfrom . import own\n\
                  from numpy import *\nimport numpy.linalg";
    assert_eq!(top_level_modules(source), ["os", "numpy", "google"]);
    assert_eq!(
        dotted_modules(source),
        [
            "os",
            "os.path",
            "numpy",
            "google",
            "google.protobuf",
            "google.protobuf.message",
            "google.protobuf.text_format",
            "numpy.linalg"
        ]
    );
    assert_eq!(dotted_modules(&format!("import a{}", ".a".repeat(100_000))).len(), 32);
}

#[test]
fn hostile_source_takes_linear_time() {
    let mut nested = String::new();
    for depth in 0..1500 {
        let _ = writeln!(nested, "{}try:", " ".repeat(depth));
    }
    let many = 300_000;
    for source in [
        "f'{".repeat(many),
        "f\"{x\n".repeat(many),
        "f'''{".repeat(many),
        "(\nfrom a\n".repeat(many),
        "\\\n".repeat(many),
        "try: import a\nexcept ImportError: import b\n".repeat(many / 10),
        "'''".repeat(many + 1),
        "import a,".repeat(many),
        "from ".repeat(many),
        nested,
    ] {
        find_imports(&source);
    }
}

proptest! {
    #[test]
    fn any_text_is_read(source in any::<String>()) {
        find_imports(&source);
    }

    #[test]
    fn anything_like_python_is_read(parts in prop::collection::vec(prop::sample::select(vec![
        "import", "from", " ", "\n", "\t", "  ", "a", "é", ".", ",", ";", ":", "as", "(", ")", "[", "]", "{", "}", "'",
        "\"", "'''", "\"\"\"", "f'", "f\"", "rb'", "\\", "\\\r\n", "#", "try:", "except ImportError:", "else:", "\r",
        "if TYPE_CHECKING:", "with suppress(", "*", "\0", "\u{feff}", "1", "import x\n",
    ]), 0..60)) {
        let source = parts.concat();
        let lines = source.split(['\n', '\r']).count();
        let mut last = 1;
        for import in find_imports(&source) {
            prop_assert!(import.line >= last && import.line as usize <= lines);
            last = import.line;
            prop_assert!(import.level > 0 || !import.module.is_empty());
            prop_assert!(source.contains(import.module.split('.').next().unwrap_or_default()));
        }
    }

    #[test]
    fn a_new_line_of_any_good_source_is_seen(
        imports in prop::collection::vec(("[a-z]{1,8}(\\.[a-z]{1,4}){0,3}", any::<bool>()), 0..20),
    ) {
        let mut source = String::new();
        for (name, nested) in &imports {
            if *nested {
                let _ = writeln!(source, "def f():\n    x = f'{{y[\"import z\"]}}'; import x{name}");
            } else {
                let _ = writeln!(source, "import x{name} # import z");
            }
        }
        let expected: Vec<String> = imports.iter().map(|(name, _)| format!("x{name}")).collect();
        prop_assert_eq!(modules(&source), expected);
    }
}
