//! Bytes that are spoilt, cut off or added are noticed.

use proptest::prelude::*;
use taipan_core::image::{Baked, Compression, ImageError, ImageWriter, Manifest, PREAMBLE_LENGTH, PartKind, Verify};

use crate::fixture::{LIMITS, identity, open, read_all, sealed, small, stream_all};
use crate::support;

#[test]
fn every_spoilt_byte_is_noticed() {
    let image = small();
    for at in 0..image.len() {
        for flip in [1, 0x80, 0xff] {
            let mut spoilt = image.clone();
            spoilt[at] ^= flip;
            for verify in [Verify::Checksum, Verify::Sha256] {
                assert!(read_all(&spoilt, verify).is_err(), "byte {at} with {flip:#x}");
            }
            if flip == 1 {
                assert!(stream_all(&spoilt, 5000, Verify::Checksum).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn every_cut_and_everything_behind_is_noticed() {
    let image = small();
    for length in 0..image.len() {
        assert!(read_all(&image[..length], Verify::Checksum).is_err(), "{length}");
        assert!(stream_all(&image[..length], 3000, Verify::Checksum).is_err(), "{length}");
    }
    let longer = [image.as_slice(), b"\0"].concat();
    let expected = ImageError::Length { expected: image.len() as u64, actual: longer.len() as u64 };
    assert_eq!(read_all(&longer, Verify::Checksum), Err(expected.clone()));
    assert_eq!(stream_all(&longer, longer.len(), Verify::Checksum), Err(expected));
}

#[test]
fn other_files_and_versions_are_told_apart() {
    assert_eq!(read_all(b"", Verify::Checksum), Err(ImageError::NotImage));
    assert_eq!(read_all(&[b'P'; 5000], Verify::Checksum), Err(ImageError::NotImage));
    let mut newer = small();
    newer[8] = 3;
    let expected = ImageError::Version { found: 3, known: 2 };
    assert_eq!(read_all(&newer, Verify::Checksum), Err(expected.clone()));
    assert_eq!(expected.to_string(), "it is an image of format 3, this reader knows format 2");
}

#[test]
fn a_bomb_is_not_inflated_past_its_length() {
    let bomb = support::deflate(&vec![0; 64 << 20]);
    let followed = [support::deflate(&[7; 9000]), vec![0]].concat();
    let cases =
        [(bomb, 900_000), (support::deflate(b"less"), 6000), (followed, 9000), (support::deflate(&[7; 8999]), 9000)];
    for (packed, length) in cases {
        // A compressor that says what it likes stands for somebody who writes images by hand.
        let compress = |bytes: &[u8]| (bytes.len() == length).then(|| packed.clone());
        let mut body = Vec::new();
        let mut writer = ImageWriter::new(Manifest::default(), compress, |bytes| body.extend_from_slice(bytes));
        writer.part(PartKind::Other, "bomb", [vec![7; length]]);
        let Baked { bytes, .. } = writer.finish(identity(), None, &LIMITS).unwrap();
        let image = open(&[bytes, body].concat(), Verify::Sha256).unwrap();
        assert_eq!(image.head().parts[1].chunks[0].compression, Compression::Deflate);
        let expected = ImageError::Chunk { part: "bomb".into(), chunk: 0 };
        assert_eq!(image.part(1), Err(expected), "{length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sealed_nonsense_never_panics(
        spots in prop::collection::vec((0..5000_usize, any::<u8>()), 1..8),
        insert in prop::option::of((PREAMBLE_LENGTH..400, any::<u8>())),
    ) {
        let mut image = small();
        if let Some((at, byte)) = insert {
            image.insert(at, byte);
        }
        let length = image.len();
        for (at, byte) in spots {
            image[at % length] = byte;
        }
        let image = sealed(image);
        let _ = read_all(&image, Verify::Checksum);
        let _ = stream_all(&image, 777, Verify::Checksum);
    }
}
