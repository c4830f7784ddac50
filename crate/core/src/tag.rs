//! Compatibility tags: which wheels an interpreter takes, and which of several it takes first (PEP 425, 600, 783).

use std::fmt;

use crate::wheel::WheelFilename;

/// The triple at the end of a wheel's file name, such as `cp313-cp313-pyodide_2025_0_wasm32`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    /// Python tag, such as `cp313` or `py3`.
    pub python: String,
    /// ABI tag, such as `cp313`, `abi3` or `none`.
    pub abi: String,
    /// Platform tag, such as `pyemscripten_2026_0_wasm32` or `any`.
    pub platform: String,
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

/// The tags that an interpreter takes, best first: what `packaging.tags.sys_tags()` gives when it runs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedTags {
    tags: Vec<Tag>,
}

impl SupportedTags {
    /// The oldest minor version whose limited API exists (PEP 384).
    const OLDEST_ABI3: u32 = 2;

    /// The tags of the reference implementation, built with the GIL and without debugging, of version
    /// `major.minor`, on platforms given best first and without `any`.
    ///
    /// For Pyodide these are its ABI (`pyemscripten_2026_0_wasm32`, before that `pyodide_2025_0_wasm32`) and the
    /// compiler's (`emscripten_4_0_9_wasm32`). Minor versions above 999 are taken as 999.
    pub fn cpython<S: AsRef<str>>((major, minor): (u32, u32), platforms: &[S]) -> Self {
        let minor = minor.min(999);
        let mut tags = Vec::new();
        let mut add = |python: &str, abi: &str| {
            for platform in platforms {
                tags.push(Tag::new(python, abi, platform.as_ref()));
            }
        };
        let own = format!("cp{major}{minor}");
        let has_abi3 = (major, minor) >= (3, Self::OLDEST_ABI3);
        add(&own, &own);
        if has_abi3 {
            add(&own, "abi3");
        }
        add(&own, "none");
        if has_abi3 {
            for older in (Self::OLDEST_ABI3..minor).rev() {
                add(&format!("cp{major}{older}"), "abi3");
            }
        }
        let older = (0..minor).rev().map(|older| format!("py{major}{older}"));
        let generic: Vec<String> =
            [format!("py{major}{minor}"), format!("py{major}")].into_iter().chain(older).collect();
        for python in &generic {
            add(python, "none");
        }
        tags.push(Tag::new(&own, "none", "any"));
        tags.extend(generic.iter().map(|python| Tag::new(python, "none", "any")));
        Self { tags }
    }

    /// The tags, best first.
    pub fn iter(&self) -> std::slice::Iter<'_, Tag> {
        self.tags.iter()
    }

    /// How good a wheel is for the interpreter: the place of the best of its tags in the list, so that 0 is best, or
    /// `None` if the interpreter takes none of them.
    pub fn rank(&self, wheel: &WheelFilename) -> Option<usize> {
        let has = |tags: &[String], wanted: &str| tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted));
        self.tags.iter().position(|tag| {
            has(&wheel.platform, &tag.platform) && has(&wheel.abi, &tag.abi) && has(&wheel.python, &tag.python)
        })
    }
}

impl Tag {
    fn new(python: &str, abi: &str, platform: &str) -> Self {
        Self { python: python.to_owned(), abi: abi.to_owned(), platform: platform.to_owned() }
    }
}

impl<'a> IntoIterator for &'a SupportedTags {
    type Item = &'a Tag;
    type IntoIter = std::slice::Iter<'a, Tag>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
