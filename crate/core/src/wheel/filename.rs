//! File names of wheels, and which interpreters they are for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::name::PackageName;
use crate::tag::SupportedTags;

/// `{distribution}-{version}(-{build tag})?-{python tag}-{abi tag}-{platform tag}.whl`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFilename {
    /// The distribution, normalised.
    pub name: PackageName,
    /// The distribution as it is written.
    pub written_name: String,
    /// The version as it is written.
    pub version: String,
    /// The build tag, if there is one.
    pub build: Option<String>,
    /// Python tags, such as `cp313` or `py3`.
    pub python: Vec<String>,
    /// ABI tags, such as `cp313` or `none`.
    pub abi: Vec<String>,
    /// Platform tags, such as `any`.
    pub platform: Vec<String>,
}

/// Why a name is not that of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{input:?} is not the file name of a wheel: {reason}")]
pub struct WheelFilenameError {
    /// What was given.
    pub input: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The tags that an interpreter takes (PEP 425).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterpreterTags {
    /// Major and minor version of CPython.
    pub python: (u32, u32),
    /// Platform tags besides `any`, best first.
    pub platforms: Vec<String>,
}

/// A wheel that an interpreter cannot use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{wheel} is for {}, this interpreter is CPython {}.{} and takes {} or any", .wheel.platform.join(", "), .tags.python.0, .tags.python.1, .tags.platforms.join(", "))]
pub struct NoMatchingTag {
    /// The wheel.
    pub wheel: Box<WheelFilename>,
    /// What the interpreter takes.
    pub tags: Box<InterpreterTags>,
}

impl FromStr for WheelFilename {
    type Err = WheelFilenameError;

    fn from_str(input: &str) -> Result<Self, WheelFilenameError> {
        let refuse = |reason| WheelFilenameError { input: input.to_owned(), reason };
        let stem = input.strip_suffix(".whl").ok_or_else(|| refuse("it does not end in .whl"))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
            [name, version, build, python, abi, platform] => (name, version, Some(build), [python, abi, platform]),
            _ => return Err(refuse("it must have five or six parts with `-` between them")),
        };
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!+_".contains(&byte)) {
            return Err(refuse("the version is not one"));
        }
        let is_build = |build: &str| {
            build.starts_with(|first: char| first.is_ascii_digit())
                && build.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte))
        };
        if build.is_some_and(|build| !is_build(build)) {
            return Err(refuse("the build tag does not begin with a digit, or has characters that it cannot have"));
        }
        let [python, abi, platform] = tags.map(|tags| tags.split('.').map(str::to_owned).collect::<Vec<_>>());
        let is_tag =
            |tag: &String| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if ![&python, &abi, &platform].iter().all(|tags| tags.iter().all(is_tag)) {
            return Err(refuse("a tag is empty or has characters that tags do not have"));
        }
        Ok(Self {
            name: name.parse().map_err(|_| refuse("the name of the distribution is not one"))?,
            written_name: name.to_owned(),
            version: version.to_owned(),
            build: build.map(str::to_owned),
            python,
            abi,
            platform,
        })
    }
}

impl fmt::Display for WheelFilename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.written_name, self.version)?;
        if let Some(build) = &self.build {
            write!(formatter, "-{build}")?;
        }
        write!(formatter, "-{}-{}-{}.whl", self.python.join("."), self.abi.join("."), self.platform.join("."))
    }
}

impl WheelFilename {
    /// Whether an interpreter can use the wheel.
    ///
    /// # Errors
    /// [`NoMatchingTag`], which says what it is for and what would do.
    pub fn check(&self, tags: &InterpreterTags) -> Result<(), NoMatchingTag> {
        match SupportedTags::cpython(tags.python, &tags.platforms).rank(self) {
            Some(_) => Ok(()),
            None => Err(NoMatchingTag { wheel: Box::new(self.clone()), tags: Box::new(tags.clone()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> InterpreterTags {
        InterpreterTags { python: (3, 13), platforms: vec!["pyodide_2025_0_wasm32".into()] }
    }

    #[test]
    fn names_round_trip() {
        for name in [
            "numpy-2.2.5-cp313-cp313-pyodide_2025_0_wasm32.whl",
            "python_dateutil-2.9.0.post0-py2.py3-none-any.whl",
            "a.b-1!2.0+local.1-1build-py3-none-any.whl",
        ] {
            assert_eq!(name.parse::<WheelFilename>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_not_a_wheel_is_refused() {
        for name in [
            "",
            "numpy.whl",
            "numpy-2.tar.gz",
            "a-1-py3-none.whl",
            "-1-py3-none-any.whl",
            "a-1-x-py3-none-any.whl",
            "a--py3-none-any.whl",
            "a-1-py3--any.whl",
        ] {
            assert!(name.parse::<WheelFilename>().is_err(), "{name}");
        }
    }

    #[test]
    fn wheels_of_other_interpreters_are_refused_with_what_would_do() {
        let check = |name: &str| name.parse::<WheelFilename>().unwrap().check(&tags());
        for name in [
            "a-1-cp313-cp313-pyodide_2025_0_wasm32.whl",
            "a-1-cp39-abi3-pyodide_2025_0_wasm32.whl",
            "a-1-py3-none-any.whl",
            "a-1-py2.py3-none-any.whl",
            "a-1-py310-none-any.whl",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in [
            "a-1-cp312-cp312-pyodide_2024_0_wasm32.whl",
            "a-1-cp314-abi3-pyodide_2025_0_wasm32.whl",
            "a-1-cp313-cp313-manylinux_2_17_x86_64.whl",
            "a-1-py2-none-any.whl",
            "a-1-py314-none-any.whl",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
        let message = check("a-1-cp313-cp313-win_amd64.whl").unwrap_err().to_string();
        assert!(message.contains("win_amd64") && message.contains("pyodide_2025_0_wasm32"), "{message}");
    }
}
