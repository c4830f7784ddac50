//! Heads that say what cannot be, sealed as if they could.

use taipan_core::image::{Chunk, Compression, Head, ImageError, PAGE_SIZE, PartKind, Verify};

use crate::fixture::{bake, memory_of, read_all, sealed};

/// Places in the head where numbers stand, by what is there in an image of one page.
fn hostile(change: impl Fn(&mut Vec<Chunk>, &mut HeadParts)) -> Result<(), ImageError> {
    let page = memory_of(&[Some(1)]);
    let (image, head) = bake(&page, false, None);
    let memory = head.find_kind(PartKind::Memory).unwrap();
    let mut parts = HeadParts {
        has_parent: false,
        memory_length: head.memory.length,
        zeroed: vec![0],
        manifest_runs: vec![0],
        behind_head: image.len() as u64 - head.head_length,
    };
    let mut chunks = head.parts[memory].chunks.clone();
    change(&mut chunks, &mut parts);
    let rebuilt = parts.encode(&head, memory, &chunks);
    read_all(&sealed([&rebuilt, &image[head.head_length as usize..]].concat()), Verify::Checksum)
}

/// What a hostile head says, written by hand: the writer would not.
struct HeadParts {
    has_parent: bool,
    memory_length: u64,
    zeroed: Vec<u8>,
    manifest_runs: Vec<u8>,
    behind_head: u64,
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn text(value: &str, out: &mut Vec<u8>) {
    number(value.len() as u64, out);
    out.extend(value.bytes());
}

impl HeadParts {
    fn encode(&self, head: &Head, memory: usize, chunks: &[Chunk]) -> Vec<u8> {
        let mut out = b"\x89TAIPAN\n\x02\0\0\0\0\0\0\0".to_vec();
        out.extend([0; 40]);
        let identity = &head.identity;
        text(&identity.engine, &mut out);
        out.extend(identity.python_files.0);
        text(&identity.distribution.version, &mut out);
        text(&identity.distribution.abi, &mut out);
        for hash in [identity.distribution.glue, identity.distribution.module, identity.distribution.standard_library] {
            out.extend(hash.0);
        }
        number(identity.features.len() as u64, &mut out);
        for (name, value) in &identity.features {
            text(name, &mut out);
            text(value, &mut out);
        }
        number(identity.packages.len() as u64, &mut out);
        for (name, package) in &identity.packages {
            text(name, &mut out);
            text(&package.version, &mut out);
            out.extend(package.archive.0);
        }
        out.push(u8::from(self.has_parent));
        out.extend(if self.has_parent { vec![7; 32] } else { Vec::new() });
        number(self.memory_length, &mut out);
        out.extend(&self.zeroed);
        number(head.parts.len() as u64, &mut out);
        for (index, part) in head.parts.iter().enumerate() {
            out.push(part.kind as u8);
            text(&part.name, &mut out);
            let chunks = if index == memory { chunks } else { &part.chunks };
            number(chunks.len() as u64, &mut out);
            for chunk in chunks {
                out.push(u8::from(chunk.compression == Compression::Deflate));
                number(chunk.stored_length, &mut out);
                number(chunk.length, &mut out);
                out.extend(chunk.checksum.to_le_bytes());
                out.extend(chunk.sha256.0);
                if part.kind == PartKind::Manifest {
                    out.extend(&self.manifest_runs);
                    continue;
                }
                number(chunk.runs.len() as u64, &mut out);
                let mut end = 0;
                for run in &chunk.runs {
                    number(u64::from(run.first.wrapping_sub(end)), &mut out);
                    number(u64::from(run.count), &mut out);
                    end = run.first.wrapping_add(run.count);
                }
            }
        }
        let length = out.len() as u64;
        out[12..16].copy_from_slice(&(length as u32).to_le_bytes());
        out[16..24].copy_from_slice(&(length + self.behind_head).to_le_bytes());
        out
    }
}

#[test]
fn a_head_that_is_written_by_hand_is_the_writers() {
    assert_eq!(hostile(|_, _| {}), Ok(()), "or the cases below show nothing");
}

#[test]
fn heads_that_lie_are_refused() {
    let inconsistent = |result: Result<(), ImageError>| matches!(result, Err(ImageError::Inconsistent { .. }));
    let too_much = |result: Result<(), ImageError>| matches!(result, Err(ImageError::TooMuch { .. }));
    let damaged = |result: Result<(), ImageError>| matches!(result, Err(ImageError::Damaged { .. }));
    let wrong_length = |result: Result<(), ImageError>| matches!(result, Err(ImageError::Length { .. }));

    assert!(too_much(hostile(|_, parts| parts.memory_length = 1 << 40)), "memory of a terabyte");
    assert!(inconsistent(hostile(|_, parts| parts.memory_length = 4097)), "memory of parts of pages");
    assert!(too_much(hostile(|_, parts| parts.memory_length = 0)), "pages without a memory");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].runs[0].first = 1)), "a page outside");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].runs[0].count = 2)), "pages that are not there");
    assert!(damaged(hostile(|chunks, _| chunks[0].runs[0].count = 0)), "a run of nothing");
    assert!(damaged(hostile(|chunks, _| chunks[0].runs[0].count = u32::MAX)), "pages beyond 4 GiB");
    assert!(damaged(hostile(|chunks, _| chunks[0].runs[0].first = u32::MAX)), "a page beyond 4 GiB");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].runs.clear())), "bytes of no page");
    let touching = |chunks: &mut Vec<Chunk>, _: &mut HeadParts| {
        let run = chunks[0].runs[0];
        chunks[0].runs.push(run);
        chunks[0].runs[1].first = 1;
    };
    assert!(damaged(hostile(touching)), "runs that touch");
    let twice = |chunks: &mut Vec<Chunk>, parts: &mut HeadParts| {
        chunks.push(chunks[0].clone());
        parts.memory_length = 2 * PAGE_SIZE as u64;
    };
    assert!(inconsistent(hostile(twice)), "a page in two chunks");
    assert!(too_much(hostile(|chunks, _| chunks[0].length = u64::MAX)), "a chunk of everything");
    assert!(too_much(hostile(|chunks, _| chunks[0].stored_length = 1 << 62)), "a chunk of everything, stored");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].length = 0)), "a chunk of nothing");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].stored_length -= 1)), "a stored chunk of two lengths");
    assert!(wrong_length(hostile(|_, parts| parts.behind_head += 1)), "an image that is longer than its parts");
    let backwards = |chunks: &mut Vec<Chunk>, parts: &mut HeadParts| {
        chunks.push(chunks[0].clone());
        chunks[0].runs[0].first = 1;
        parts.memory_length = 2 * PAGE_SIZE as u64;
    };
    assert!(inconsistent(hostile(backwards)), "pages that do not ascend");
    assert!(inconsistent(hostile(|_, parts| parts.manifest_runs = vec![1, 0, 1])), "pages of a manifest");
    let zeroed = |has_parent: bool, zeroed: [u8; 3]| {
        hostile(|_, parts| {
            (parts.has_parent, parts.zeroed) = (has_parent, zeroed.to_vec());
            parts.memory_length = 2 * PAGE_SIZE as u64;
        })
    };
    assert_eq!(zeroed(true, [1, 1, 1]), Ok(()));
    assert!(inconsistent(zeroed(false, [1, 1, 1])), "changes since nothing");
    assert!(inconsistent(zeroed(true, [1, 0, 1])), "a page that is zero and is not");
    assert!(inconsistent(zeroed(true, [1, 2, 1])), "zeros outside");
    assert!(wrong_length(hostile(|chunks, _| chunks.clear())), "a body that nothing accounts for");
    let impossible = |chunks: &mut Vec<Chunk>, _: &mut HeadParts| {
        chunks[0].compression = Compression::Deflate;
        chunks[0].stored_length = 3;
    };
    assert!(inconsistent(hostile(impossible)), "more than DEFLATE can do");
    let not_deflate = |chunks: &mut Vec<Chunk>, _: &mut HeadParts| chunks[0].compression = Compression::Deflate;
    let expected = ImageError::Chunk { part: "memory".into(), chunk: 0 };
    assert_eq!(hostile(not_deflate), Err(expected), "pages that are not DEFLATE data");
}
