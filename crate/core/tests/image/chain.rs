//! Images of which one stands on the other.

use proptest::prelude::*;
use taipan_core::image::{Head, Image, ImageError, PAGE_SIZE, PageHashes, PageSet, PartKind, Verify, resolve};

use crate::fixture::{bake, memory_of, open};

/// What the memory is after all of a chain has been laid over each other, by way of the index.
fn restored(chain: &[Image]) -> Result<Vec<u8>, ImageError> {
    let heads: Vec<&Head> = chain.iter().map(Image::head).collect();
    let mut memory = vec![0; heads.last().unwrap().memory.length as usize];
    for piece in resolve(&heads)? {
        let image = &chain[piece.image];
        let part = image.head().find_kind(PartKind::Memory).unwrap();
        let extent = image.extents(part).nth(piece.chunk).unwrap();
        let contents = image.chunk(extent)?;
        let bytes = &contents[piece.offset as usize..][..piece.run.bytes() as usize];
        let target = &mut memory[piece.run.address() as usize..][..bytes.len()];
        assert!(target.iter().all(|byte| *byte == 0), "no page is copied twice");
        target.copy_from_slice(bytes);
    }
    Ok(memory)
}

#[test]
fn chains_that_do_not_fit_are_refused() {
    let first = memory_of(&[Some(1)]);
    let (base, base_head) = bake(&first, false, None);
    let changed = PageSet::default();
    let (next, _) = bake(&first, false, Some((&changed, base_head.id)));
    let (base, next) = (open(&base, Verify::Sha256).unwrap(), open(&next, Verify::Sha256).unwrap());
    assert!(resolve(&[base.head(), next.head()]).is_ok());
    for chain in [&[next.head()][..], &[base.head(), base.head()], &[base.head(), next.head(), next.head()]] {
        assert!(matches!(resolve(chain), Err(ImageError::Parent { .. })));
    }
    let mut other = next.head().clone();
    other.identity.distribution.version = "314.0.7".into();
    assert!(matches!(resolve(&[base.head(), &other]), Err(ImageError::Inconsistent { .. })));
}

#[test]
fn what_is_above_the_memory_of_a_parent_is_zeros() {
    let of_length = |pages: usize, set: usize| {
        let set = |page| (page == set).then_some(7);
        memory_of(&(0..pages).map(set).collect::<Vec<_>>())
    };
    let (long, short, again) = (of_length(100, 80), of_length(50, 10), of_length(100, 20));
    let changed = |page| {
        let mut changed = PageSet::default();
        changed.insert(page);
        changed
    };
    let (first, first_head) = bake(&long, false, None);
    let (second, second_head) = bake(&short, false, Some((&changed(10), first_head.id)));
    let (third, _) = bake(&again, false, Some((&changed(20), second_head.id)));
    let chain = [first, second, third].map(|image| open(&image, Verify::Sha256).unwrap());
    let mut expected = again;
    expected[10 * PAGE_SIZE..][..PAGE_SIZE].copy_from_slice(&short[10 * PAGE_SIZE..][..PAGE_SIZE]);
    assert!(restored(&chain).unwrap() == expected, "page 80 of the first is not seen through the second");
    assert!(restored(&chain[..2]).unwrap() == short);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn checkpoints_restore_what_was_there(
        states in prop::collection::vec(prop::collection::vec(prop::option::of(0..4_u8), 1..40), 1..6),
        compress in any::<bool>(),
    ) {
        let mut hashes = PageHashes::default();
        let (mut chain, mut memories): (Vec<Image>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for state in &states {
            let mut memory = memory_of(state);
            // Memory never shrinks.
            let length = memory.len().max(memories.last().map_or(0, Vec::len));
            memory.resize(length, 0);
            let mut changed = PageSet::default();
            hashes.update(0, &memory, &mut changed).unwrap();
            let parent = chain.last().map(|image| (&changed, image.head().id));
            let (image, _) = bake(&memory, compress, parent);
            chain.push(open(&image, Verify::Sha256).unwrap());
            memories.push(memory);
        }
        for length in 1..=chain.len() {
            prop_assert_eq!(&restored(&chain[..length]).unwrap(), &memories[length - 1], "checkpoint {}", length);
        }
    }
}
