//! Compatibility tags. The whole list is compared with `packaging` in `tests/differential`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use taipan_core::tag::SupportedTags;
use taipan_core::wheel::WheelFilename;

fn rank(tags: &SupportedTags, wheel: &str) -> Option<usize> {
    tags.rank(&wheel.parse::<WheelFilename>().unwrap())
}

#[test]
fn the_best_come_first() {
    let tags = SupportedTags::cpython((3, 14), &["pyemscripten_2026_0_wasm32", "emscripten_5_0_3_wasm32"]);
    let best_first = [
        "a-1-cp314-cp314-pyemscripten_2026_0_wasm32.whl",
        "a-1-cp314-cp314-emscripten_5_0_3_wasm32.whl",
        "a-1-cp314-abi3-pyemscripten_2026_0_wasm32.whl",
        "a-1-cp314-none-pyemscripten_2026_0_wasm32.whl",
        "a-1-cp39-abi3-pyemscripten_2026_0_wasm32.whl",
        "a-1-py3-none-pyemscripten_2026_0_wasm32.whl",
        "a-1-cp314-none-any.whl",
        "a-1-py314-none-any.whl",
        "a-1-py2.py3-none-any.whl",
        "a-1-py38-none-any.whl",
    ];
    let ranks: Vec<_> = best_first.iter().map(|wheel| rank(&tags, wheel).unwrap()).collect();
    assert!(ranks.is_sorted_by(|left, right| left < right), "{ranks:?}");
    assert_eq!(ranks[0], 0);
}

#[test]
fn others_are_not_taken() {
    let tags = SupportedTags::cpython((3, 13), &["pyodide_2025_0_wasm32"]);
    for wheel in [
        "a-1-cp313-cp313-manylinux_2_17_x86_64.whl",
        "a-1-cp312-cp312-pyodide_2025_0_wasm32.whl",
        "a-1-cp314-abi3-pyodide_2025_0_wasm32.whl",
        "a-1-cp313-cp313t-pyodide_2025_0_wasm32.whl",
        "a-1-cp313-cp313-pyodide_2024_0_wasm32.whl",
        "a-1-cp313-cp313-any.whl",
        "a-1-py2-none-any.whl",
        "a-1-py314-none-any.whl",
    ] {
        assert_eq!(rank(&tags, wheel), None, "{wheel}");
    }
}

#[test]
fn a_wheel_of_many_tags_counts_by_its_best() {
    let tags = SupportedTags::cpython((3, 13), &["pyodide_2025_0_wasm32"]);
    assert_eq!(rank(&tags, "a-1-py2.cp313-none.CP313-any.pyodide_2025_0_wasm32.whl"), Some(0));
    let many = format!("a-1-{0}-{0}-{0}.whl", vec!["x1"; 3000].join("."));
    assert_eq!(rank(&tags, &many), None);
}
