//! The example of `docs/image-format.md`.

use taipan_core::image::{Distribution, Identity, ImageWriter, Manifest, PAGE_SIZE, Verify};

use crate::fixture::{LIMITS, memory_in, open};

/// The bytes of a dump as `hexdump -C` prints it.
fn bytes_of_dump(dump: &str) -> Vec<u8> {
    let (mut bytes, mut line): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut repeats = false;
    for text in dump.lines() {
        if text == "*" {
            repeats = true;
            continue;
        }
        let offset = usize::from_str_radix(&text[..8], 16).unwrap();
        while repeats && bytes.len() < offset {
            bytes.extend(&line);
        }
        repeats = false;
        assert_eq!(bytes.len(), offset);
        let digits = text[8..].split('|').next().unwrap().split_whitespace();
        line = digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        bytes.extend(&line);
    }
    bytes
}

#[test]
fn the_example_of_the_specification_is_what_is_written_and_read() {
    let specification = include_str!("../../../../docs/image-format.md");
    let dump = specification.split("```hexdump\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example = bytes_of_dump(dump);

    let mut memory = vec![0; PAGE_SIZE];
    memory[..5].copy_from_slice(b"hello");
    let distribution = Distribution { version: "0.28.3".into(), abi: "2025_0".into(), ..Distribution::default() };
    let identity = Identity { engine: "0.1.0".into(), distribution, ..Identity::default() };
    let mut body = Vec::new();
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |bytes| body.extend_from_slice(bytes));
    writer.memory(&memory, None).unwrap();
    let written = [writer.finish(identity.clone(), None, &LIMITS).unwrap().bytes, body].concat();
    assert!(example == written, "written:\n{}", dump_of(&written));

    let image = open(&example, Verify::Sha256).unwrap();
    assert_eq!(image.head().identity, identity);
    assert_eq!(image.manifest(), Ok(Manifest::default()));
    assert_eq!(memory_in(&image), memory);
}

/// As `hexdump -C` prints bytes.
fn dump_of(bytes: &[u8]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let chunks: Vec<&[u8]> = bytes.chunks(16).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        if index > 0 && chunks[index - 1] == *chunk {
            if lines.last().is_some_and(|line| line != "*") {
                lines.push("*".into());
            }
            continue;
        }
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let (left, right) = hex.split_at(hex.len().min(8));
        let text: String =
            chunk.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' }).collect();
        lines.push(format!("{:08x}  {:<48}  |{text}|", index * 16, format!("{}  {}", left.join(" "), right.join(" "))));
    }
    lines.push(format!("{:08x}", bytes.len()));
    lines.join("\n")
}
