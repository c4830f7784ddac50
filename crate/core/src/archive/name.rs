//! Names of entries: which are allowed, and that each is there once.

use std::collections::HashMap;

use super::{ArchiveError, Entry, EntryKind};

/// The longest path, in bytes.
pub(super) const PATH_MAX: usize = 4096;

/// The path that a raw name stands for.
pub(crate) fn parse(raw: &[u8]) -> Result<(String, bool), ArchiveError> {
    let name = std::str::from_utf8(raw)
        .map_err(|_| ArchiveError::NameEncoding { name: String::from_utf8_lossy(raw).into_owned() })?;
    let refuse = |reason| Err(ArchiveError::Name { name: name.to_owned(), reason });
    if name.len() > PATH_MAX {
        return refuse("it is too long");
    }
    if name.contains('\0') {
        return refuse("it contains NUL");
    }
    if name.contains('\\') {
        return refuse("it contains a backslash");
    }
    if name.starts_with('/') {
        return refuse("it is absolute");
    }
    if name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic() {
        return refuse("it begins with a drive letter");
    }
    let is_directory = name.ends_with('/');
    let path = name.strip_suffix('/').unwrap_or(name);
    for part in path.split('/') {
        match part {
            "" => return refuse("a part of it is empty"),
            "." | ".." => return refuse("it contains `.` or `..`"),
            _ if part.len() > 255 => return refuse("a part of it is too long"),
            _ => {}
        }
    }
    Ok((path.to_owned(), is_directory))
}

/// Entries by path.
///
/// # Errors
/// [`ArchiveError::Duplicate`] if a path is there twice, or is a file and has entries below it.
pub(super) fn index(entries: &[Entry]) -> Result<HashMap<String, usize>, ArchiveError> {
    let mut by_path = HashMap::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        if by_path.insert(entry.path.clone(), index).is_some() {
            return Err(ArchiveError::Duplicate { path: entry.path.clone() });
        }
    }
    // Looking up every parent of every path would take time in the square of a path's length.
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_unstable_by(|left, right| slash_first(&left.path).cmp(slash_first(&right.path)));
    for pair in sorted.windows(2) {
        let [above, below] = pair else { continue };
        let is_inside = below.path.strip_prefix(&above.path).is_some_and(|rest| rest.starts_with('/'));
        if is_inside && above.kind != EntryKind::Directory {
            return Err(ArchiveError::Duplicate { path: above.path.clone() });
        }
    }
    Ok(by_path)
}

/// A key by which what is in a directory follows it at once: names hold no NUL.
fn slash_first(path: &str) -> impl Iterator<Item = u8> {
    path.bytes().map(|byte| if byte == b'/' { 0 } else { byte })
}

/// Whether a symbolic link's target is inside the tree that the link is in, whatever other links are on the way: steps
/// up lead through directories that are no links as long as they come first.
pub(super) fn stays_inside(link: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\0', '\\']) {
        return false;
    }
    let parts = || target.split('/').filter(|part| !matches!(*part, "" | "."));
    let steps_up = parts().take_while(|part| *part == "..").count();
    steps_up <= link.matches('/').count() && parts().skip(steps_up).all(|part| part != "..")
}
