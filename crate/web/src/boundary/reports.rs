//! What the engine tells a page when it is asked.

use serde::{Deserialize, Serialize};

/// `PackageInfo` of `boundary.d.ts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageInfo {
    /// Name as in the lock file.
    pub name: String,
    /// PEP 440.
    pub version: String,
    /// File name of the wheel or archive.
    pub file_name: String,
    /// `"lock"` or a URL.
    pub source: String,
}

/// `FileStat` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
pub struct FileStat {
    /// `"file"`, `"directory"`, `"symlink"` or `"device"`.
    pub kind: &'static str,
    /// Bytes.
    pub size: f64,
    /// Permission bits.
    pub mode: u32,
    /// Milliseconds since 1970.
    pub accessed: f64,
    /// Milliseconds since 1970.
    pub modified: f64,
    /// Milliseconds since 1970.
    pub changed: f64,
    /// Inode number.
    pub inode: u32,
}

/// `StoreUsage` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StoreUsage {
    /// Bytes of content.
    pub bytes: f64,
    /// The most that is kept, in bytes.
    pub limit: f64,
    /// Pieces of content.
    pub entries: u32,
    /// `StoreBackend`.
    pub backend: &'static str,
}

/// `Notice` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    /// What it is about.
    pub code: NoticeCode,
    /// Sentences.
    pub message: String,
    /// What can be done about it.
    pub hint: &'static str,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeCode {
    /// Nothing more is kept for the next visit.
    StoreInMemory,
}

/// `MemoryUse` of `boundary.d.ts`, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MemoryUse {
    /// Linear memory of CPython.
    pub interpreter: f64,
    /// Linear memory of Taipan.
    pub loader: f64,
    /// Archives held outside both.
    pub archives: f64,
    /// Pages of CPython's memory that checkpoints hold.
    pub checkpoints: f64,
}

/// `KeptImage` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptImage {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: f64,
    /// Milliseconds since 1970.
    pub last_used: f64,
}

/// `CheckpointInfo` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CheckpointInfo {
    /// Its number.
    pub id: u32,
    /// Bytes of memory that it has added.
    pub bytes: f64,
}

/// Where a restored image came from: `Timings.image` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageOrigin {
    /// The page gave its address.
    Address,
    /// The page gave the name under which it is kept.
    Name,
    /// Taipan had made it by itself.
    Automatic,
    /// The lock file names it.
    Distribution,
}

impl ImageOrigin {
    /// The string in `Timings.image`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Name => "name",
            Self::Automatic => "automatic",
            Self::Distribution => "distribution",
        }
    }
}
