//! What is written is read, whole or piece by piece.

use std::rc::Rc;

use proptest::prelude::*;
use taipan_core::image::{
    Checksum, Compression, Event, Image, ImageError, ImageWriter, Manifest, PAGE_SIZE, PageSet, PartKind, Verify,
};
use taipan_core::source::ByteSource;

use crate::fixture::{LIMITS, bake, identity, manifest, memory_in, memory_of, open, small, stream_all};

#[test]
fn what_is_written_is_read() {
    for verify in [Verify::Checksum, Verify::Sha256] {
        let image = open(&small(), verify).unwrap();
        assert_eq!(image.manifest(), Ok(manifest()));
        let head = image.head();
        assert_eq!((&head.identity, head.parent), (&identity(), None));
        assert_eq!(image.part(head.find("x.so").unwrap()).unwrap(), b"\0asm\x01\0\0\0");
        assert_eq!(image.part(head.find("files").unwrap()).unwrap(), b"abcdefg");
        assert_eq!(image.part(head.find("nothing").unwrap()).unwrap(), b"");
        assert_eq!(head.find("else"), Err(ImageError::NoPart { name: "else".into() }));
        assert_eq!(memory_in(&image), memory_of(&[None, Some(3), None, Some(200), Some(3)]));
    }
}

#[test]
fn stored_runs_lie_in_the_file_as_they_are() {
    let memory = memory_of(&[Some(1), None, Some(2), Some(3)]);
    let (bytes, head) = bake(&memory, false, None);
    let mut found = 0;
    for extent in head.extents().into_iter().filter(|extent| head.parts[extent.part].kind == PartKind::Memory) {
        let chunk = head.chunk(extent);
        assert_eq!(chunk.compression, Compression::None);
        let mut checksum = Checksum::default();
        for piece in bytes[extent.file_offset as usize..][..extent.stored_length as usize].chunks(1000) {
            checksum.update(piece);
        }
        assert_eq!(checksum.value(), chunk.checksum);
        for (offset, run) in chunk.copies() {
            let in_file = &bytes[(extent.file_offset + offset) as usize..][..run.bytes() as usize];
            assert_eq!(in_file, &memory[run.address() as usize..][..run.bytes() as usize]);
            found += run.count;
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn an_image_that_arrives_is_given_in_order() {
    let image = small();
    let whole = open(&image, Verify::Sha256).unwrap();
    for piece in [1, 7, 4096, image.len()] {
        let mut events = stream_all(&image, piece, Verify::Sha256).unwrap().into_iter();
        assert_eq!(events.next(), Some(Event::Head(Rc::new(whole.head().clone()))));
        assert_eq!(events.next(), Some(Event::Manifest(Box::new(manifest()))));
        let rest: Vec<Event> = events.collect();
        let expected: Vec<Event> = whole
            .head()
            .extents()
            .into_iter()
            .filter(|extent| extent.part > 0)
            .map(|extent| Event::Chunk { extent, contents: whole.chunk(extent).unwrap() })
            .collect();
        assert_eq!(rest, expected);
    }
}

#[test]
fn memory_that_is_none_is_not_written() {
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |_| {});
    let order = |result| matches!(result, Err(ImageError::Order(_)));
    assert!(order(writer.memory(&vec![0_u8; 100], None)));
    let mut outside = PageSet::default();
    outside.insert(1);
    assert!(order(writer.memory(&vec![0_u8; PAGE_SIZE], Some(&outside))));
    writer.memory(&vec![0_u8; PAGE_SIZE], None).unwrap();
    writer.memory(&vec![0_u8; PAGE_SIZE], None).unwrap();
    let twice = writer.finish(identity(), None, &LIMITS).map(|baked| baked.head.id);
    assert_eq!(twice, Err(ImageError::Inconsistent { what: "parts", reason: "one is there twice" }));
}

#[test]
fn the_same_input_is_the_same_image() {
    let memory = memory_of(&(0..700).map(|page| (page % 3 > 0).then_some((page % 251) as u8)).collect::<Vec<_>>());
    let (first, head) = bake(&memory, true, None);
    assert_eq!(first, bake(&memory, true, None).0);
    let part = head.find_kind(PartKind::Memory).unwrap();
    let lengths: Vec<u64> = head.parts[part].chunks.iter().map(|chunk| chunk.length).collect();
    assert_eq!(lengths, [1 << 20, (466 - 256) * 4096], "chunks are full before the next begins");
}

/// A host that fails.
struct Broken(u64);

impl ByteSource for Broken {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<(), taipan_core::source::SourceError> {
        Err(taipan_core::source::SourceError::Host("it is gone".into()))
    }
}

#[test]
fn a_host_that_cannot_read_is_named() {
    let error = Image::open(Rc::new(Broken(1 << 20)), Verify::Checksum, &LIMITS).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the host could not read: it is gone");
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |_| {});
    assert!(matches!(writer.memory(&Broken(PAGE_SIZE as u64), None), Err(ImageError::Source(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_comes_back(
        pages in prop::collection::vec(prop::option::of(any::<u8>()), 1..600),
        compress in any::<bool>(),
        piece in 1..200_000_usize,
    ) {
        let memory = memory_of(&pages);
        let (image, _) = bake(&memory, compress, None);
        let opened = open(&image, Verify::Checksum).unwrap();
        prop_assert_eq!(memory_in(&opened), memory);
        let events = stream_all(&image, piece, Verify::Checksum).unwrap();
        prop_assert_eq!(events.len(), 1 + opened.head().extents().len());
    }
}
