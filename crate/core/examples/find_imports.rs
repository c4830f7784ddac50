//! Scans the Python sources on standard input: each a line with its length in bytes, then the source. Answers each
//! with a line of JSON, `[[module, names, level, line, optional], …]`.

use std::io::{BufRead, Read, Write};

use taipan_core::imports::find_imports;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let mut length = String::new();
    while input.read_line(&mut length)? > 0 {
        let mut source = vec![0; length.trim().parse()?];
        input.read_exact(&mut source)?;
        let rows: Vec<_> = find_imports(std::str::from_utf8(&source)?)
            .into_iter()
            .map(|import| (import.module, import.names, import.level, import.line, import.optional))
            .collect();
        serde_json::to_writer(&mut output, &rows)?;
        writeln!(output)?;
        length.clear();
    }
    Ok(())
}
