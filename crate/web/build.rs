//! Computes what need not be computed at every start: the hash of Taipan's own Python files.

use std::error::Error;
use std::fs;

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
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        hasher.update(format!("_taipan/{name}\0{}\0", fs::read_to_string(&path)?));
    }
    println!("cargo:rustc-env=PYTHON_FILES_HASH={:x}", hasher.finalize());
    Ok(())
}
