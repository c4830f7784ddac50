//! What markers are evaluated against.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The values of the marker variables on an interpreter, as PEP 508 defines them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerEnvironment {
    /// `sys.implementation.name`
    pub implementation_name: String,
    /// `sys.implementation.version`, such as `3.13.2`.
    pub implementation_version: String,
    /// `os.name`
    pub os_name: String,
    /// `platform.machine()`
    pub platform_machine: String,
    /// `platform.python_implementation()`
    pub platform_python_implementation: String,
    /// `platform.release()`
    pub platform_release: String,
    /// `platform.system()`
    pub platform_system: String,
    /// `platform.version()`
    pub platform_version: String,
    /// `platform.python_version()`, such as `3.13.2`.
    pub python_full_version: String,
    /// Major and minor version, such as `3.13`.
    pub python_version: String,
    /// `sys.platform`
    pub sys_platform: String,
}

impl MarkerEnvironment {
    /// What Python's reference implementation of version `python` (such as `3.13.2`) has when it is compiled by
    /// Emscripten of version `emscripten` (such as `4.0.9`).
    pub fn emscripten(python: &str, emscripten: &str) -> Self {
        let minor_end = python.match_indices('.').nth(1).map_or(python.len(), |(index, _)| index);
        Self {
            implementation_name: "cpython".to_owned(),
            implementation_version: python.to_owned(),
            os_name: "posix".to_owned(),
            platform_machine: "wasm32".to_owned(),
            platform_python_implementation: "CPython".to_owned(),
            platform_release: emscripten.to_owned(),
            platform_system: "Emscripten".to_owned(),
            platform_version: "#1".to_owned(),
            python_full_version: python.to_owned(),
            python_version: python[..minor_end].to_owned(),
            sys_platform: "emscripten".to_owned(),
        }
    }

    /// The value of a variable; `extra` is the extra that the marker is evaluated for.
    pub(super) fn value<'a>(&'a self, variable: MarkerVariable, extra: &'a str) -> Cow<'a, str> {
        let value = match variable {
            MarkerVariable::ImplementationName => &self.implementation_name,
            MarkerVariable::ImplementationVersion => &self.implementation_version,
            MarkerVariable::OsName => &self.os_name,
            MarkerVariable::PlatformMachine => &self.platform_machine,
            MarkerVariable::PlatformPythonImplementation => &self.platform_python_implementation,
            MarkerVariable::PlatformRelease => &self.platform_release,
            MarkerVariable::PlatformSystem => &self.platform_system,
            MarkerVariable::PlatformVersion => &self.platform_version,
            // A build between two releases says `3.14.0+`, which is no version.
            MarkerVariable::PythonFullVersion if self.python_full_version.ends_with('+') => {
                return Cow::Owned(format!("{}local", self.python_full_version));
            }
            MarkerVariable::PythonFullVersion => &self.python_full_version,
            MarkerVariable::PythonVersion => &self.python_version,
            MarkerVariable::SysPlatform => &self.sys_platform,
            MarkerVariable::Extra => extra,
        };
        Cow::Borrowed(value)
    }
}

/// A variable of the marker language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkerVariable {
    /// `implementation_name`
    ImplementationName,
    /// `implementation_version`
    ImplementationVersion,
    /// `os_name`
    OsName,
    /// `platform_machine`
    PlatformMachine,
    /// `platform_python_implementation`
    PlatformPythonImplementation,
    /// `platform_release`
    PlatformRelease,
    /// `platform_system`
    PlatformSystem,
    /// `platform_version`
    PlatformVersion,
    /// `python_full_version`
    PythonFullVersion,
    /// `python_version`
    PythonVersion,
    /// `sys_platform`
    SysPlatform,
    /// `extra`
    Extra,
}

impl MarkerVariable {
    /// All variables.
    pub const ALL: [Self; 12] = [
        Self::ImplementationName,
        Self::ImplementationVersion,
        Self::OsName,
        Self::PlatformMachine,
        Self::PlatformPythonImplementation,
        Self::PlatformRelease,
        Self::PlatformSystem,
        Self::PlatformVersion,
        Self::PythonFullVersion,
        Self::PythonVersion,
        Self::SysPlatform,
        Self::Extra,
    ];

    /// As written in a marker.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImplementationName => "implementation_name",
            Self::ImplementationVersion => "implementation_version",
            Self::OsName => "os_name",
            Self::PlatformMachine => "platform_machine",
            Self::PlatformPythonImplementation => "platform_python_implementation",
            Self::PlatformRelease => "platform_release",
            Self::PlatformSystem => "platform_system",
            Self::PlatformVersion => "platform_version",
            Self::PythonFullVersion => "python_full_version",
            Self::PythonVersion => "python_version",
            Self::SysPlatform => "sys_platform",
            Self::Extra => "extra",
        }
    }

    /// The variable of this name, the names from before PEP 508 included (`os.name`, `python_implementation`).
    pub(super) fn named(name: &str) -> Option<Self> {
        let current = match name {
            "os.name" => "os_name",
            "sys.platform" => "sys_platform",
            "platform.version" => "platform_version",
            "platform.machine" => "platform_machine",
            "platform.python_implementation" | "python_implementation" => "platform_python_implementation",
            name => name,
        };
        Self::ALL.into_iter().find(|variable| variable.as_str() == current)
    }

    /// Whether values are compared as versions where both sides are versions.
    pub(super) fn is_version(self) -> bool {
        matches!(
            self,
            Self::ImplementationVersion | Self::PlatformRelease | Self::PythonFullVersion | Self::PythonVersion
        )
    }
}

impl fmt::Display for MarkerVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
