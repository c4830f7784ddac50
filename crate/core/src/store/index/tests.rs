//! The books, after any changes.

use std::collections::BTreeMap;

use proptest::collection::{hash_set, vec};
use proptest::prelude::*;

use super::*;

/// One of a few hashes, so that they meet.
pub fn hash(number: u8) -> ContentHash {
    ContentHash::of(&[number])
}

#[derive(Debug, Clone)]
pub enum Change {
    Add(u8, u64),
    AddNamed(String, u8, u64),
    RemoveName(String),
    Remove(u8),
    Touch(u8),
    Remark(u8, String),
}

pub fn change() -> impl Strategy<Value = Change> {
    let (number, size, name) = (0..12_u8, 0..1000_u64, "(bytecode|image)/[ab\"= \\\\é]{1,2}");
    prop_oneof![
        (number.clone(), size.clone()).prop_map(|(number, size)| Change::Add(number, size)),
        (name, number.clone(), size).prop_map(|(name, number, size)| Change::AddNamed(name, number, size)),
        name.prop_map(Change::RemoveName),
        number.clone().prop_map(Change::Remove),
        number.clone().prop_map(Change::Touch),
        (number, "[ab# ]{0,3}").prop_map(|(number, text)| Change::Remark(number, text)),
    ]
}

pub fn apply(changes: &[Change]) -> Index {
    let mut index = Index::default();
    for (now, change) in (1..).zip(changes) {
        match change {
            Change::Add(number, size) => index.add(hash(*number), *size, now),
            Change::AddNamed(name, number, size) => drop(index.add_named(name, hash(*number), *size, now)),
            Change::RemoveName(name) => drop(index.remove_name(name)),
            Change::Remove(number) => index.remove(&hash(*number)),
            Change::Touch(number) => index.touch(&hash(*number), now),
            Change::Remark(number, text) => index.set_remark(hash(*number), text),
        }
    }
    index
}

proptest! {
    #[test]
    fn names_always_refer_to_content_and_content_to_a_reason(changes in vec(change(), 0..40)) {
        let index = apply(&changes);
        for name in index.names("") {
            prop_assert!(index.entry(&index.find(name).unwrap()).is_some());
        }
        for (hash, text) in &index.remarks {
            prop_assert!(index.entry(hash).is_some());
            prop_assert_eq!(index.remark(hash), Some(text.as_str()), "there is one of each");
        }
        for entry in index.entries() {
            let is_named = index.names("").any(|name| index.find(name) == Some(entry.hash));
            prop_assert!(is_named || entry.is_direct);
            prop_assert_eq!(index.entry(&entry.hash), Some(entry), "it is there once");
        }
        let with_prefix: Vec<&str> = index.names("").filter(|name| name.starts_with("image/")).collect();
        prop_assert_eq!(index.names("image/").collect::<Vec<_>>(), with_prefix);
    }

    #[test]
    fn the_least_recently_used_goes_and_no_more_than_needed(
        changes in vec(change(), 0..40), needed in 0..2000_u64, limit in 0..4000_u64,
        in_use in hash_set(0..12_u8, 0..6),
    ) {
        let index = apply(&changes);
        let in_use: Vec<ContentHash> = in_use.into_iter().map(hash).collect();
        let size = |hash: &ContentHash| index.entry(hash).unwrap().size;
        let used = |hash: &ContentHash| index.entry(hash).unwrap().last_used;
        if let Some(victims) = index.victims(needed, limit, &in_use) {
            prop_assert!(victims.iter().all(|victim| !in_use.contains(victim)));
            let rest = index.bytes() + needed - victims.iter().map(size).sum::<u64>();
            prop_assert!(rest <= limit);
            if let Some(last) = victims.last() {
                prop_assert!(rest + size(last) > limit, "the last one need not go");
                let mut spared =
                    index.entries().iter().filter(|entry| ![&in_use, &victims].iter().any(|hashes| hashes.contains(&entry.hash)));
                prop_assert!(spared.all(|spared| spared.last_used >= used(last)));
            }
        } else {
            let held: u64 =
                index.entries().iter().filter(|entry| in_use.contains(&entry.hash)).map(|entry| entry.size).sum();
            prop_assert!(held + needed > limit, "there would have been room");
        }
    }

    #[test]
    fn reconciled_books_say_what_is_there(
        changes in vec(change(), 0..40), present in prop::collection::hash_map(0..16_u8, 0..1000_u64, 0..16),
    ) {
        let mut index = apply(&changes);
        let before = index.clone();
        let present: BTreeMap<ContentHash, u64> =
            present.into_iter().map(|(number, size)| (hash(number), size)).collect();
        index.reconcile(&present.clone().into_iter().collect::<Vec<_>>());
        prop_assert_eq!(index.entries().len(), present.len());
        prop_assert_eq!(index.bytes(), present.values().sum::<u64>());
        for (hash, size) in present {
            let new = Entry { hash, size, last_used: 0, is_direct: true };
            let known = before.entry(&hash).copied().unwrap_or(new);
            prop_assert_eq!(index.entry(&hash), Some(&Entry { size, ..known }));
        }
    }
}

#[test]
fn content_goes_with_its_last_name_unless_it_is_kept_for_its_hash() {
    let mut index = Index::default();
    assert_eq!(index.add_named("a", hash(1), 1, 1), None);
    assert_eq!(index.goes_with("a").map(|entry| entry.hash), Some(hash(1)));
    assert_eq!(index.add_named("b", hash(1), 1, 1), None);
    assert_eq!((index.goes_with("a"), index.goes_with("c")), (None, None));
    assert_eq!(index.add_named("a", hash(2), 1, 1), None, "b still refers to it");
    assert_eq!(index.add_named("b", hash(2), 1, 1), Some(hash(1)));
    index.add(hash(2), 1, 1);
    assert_eq!(index.goes_with("b"), None, "it is kept for its hash");
    assert_eq!((index.remove_name("a"), index.remove_name("b")), (None, None));
    assert_eq!(index.entries().len(), 1);
    assert_eq!(index.remove_name("b"), None);
}
