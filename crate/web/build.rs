//! Prepares what need not be prepared at every start: Taipan's own Python files without their comments, and their hash.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use sha2::{Digest as _, Sha256};

const FOLDER: &str = "python/_taipan";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={FOLDER}");
    let mut paths = Vec::new();
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut hasher = Sha256::new();
    let mut files = Vec::new();
    for path in paths {
        let name = format!("_taipan/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let text = without_comments(&fs::read_to_string(&path)?);
        hasher.update(format!("{name}\0{text}\0"));
        files.push((name, text));
    }
    println!("cargo:rustc-env=PYTHON_FILES_HASH={:x}", hasher.finalize());
    // What Rust shows of strings and tuples is how it writes them.
    fs::write(Path::new(&env::var("OUT_DIR")?).join("own_files.rs"), format!("&{files:?}"))?;
    Ok(())
}

/// A program with lines that are nothing but a comment emptied: what they say, the reader of the source has, and every page
/// would fetch it. No string of ours has such a line. The others keep their numbers.
fn without_comments(program: &str) -> String {
    let lines = program.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line });
    lines.flat_map(|line| [line, "\n"]).collect()
}
