//! Side modules: real ones, and real ones that were cut or spoilt.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use support::open;
use taipan_core::side_module::{SideModule, SideModuleError};
use taipan_core::wheel::is_side_module;

/// A module with a section that needs two libraries.
const SAMPLE: &[u8] =
    b"\0asm\x01\0\0\0\0\x23\x08dylink.0\x01\x05\x80\x02\x00\x00\x00\x02\x11\x02\x07libb.so\x07liba.so\x01\0";

fn real_modules(file: &str) -> BTreeMap<String, SideModule> {
    let Some(bytes) = support::real(file) else { return BTreeMap::new() };
    let archive = open(bytes).unwrap();
    let modules = archive.entries().iter().filter(|entry| is_side_module(entry));
    modules
        .map(|entry| {
            let bytes = archive.read(entry).unwrap();
            let module = SideModule::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", entry.path));
            assert!(module.memory_alignment < 32 && module.table_alignment < 32, "{}", entry.path);
            (entry.path.rsplit('/').next().unwrap().to_owned(), module)
        })
        .collect()
}

#[test]
fn real_modules_say_what_they_need() {
    if support::distribution().is_none() {
        return;
    }
    let openssl = real_modules("libopenssl-1.1.1w.zip");
    assert_eq!(openssl["libssl.so"].needed, ["libcrypto.so"]);
    assert_eq!(openssl["libcrypto.so"].needed, [""; 0]);
    let ssl = real_modules("ssl-1.0.0-cp313-cp313-pyodide_2025_0_wasm32.whl");
    assert_eq!(ssl["_ssl.so"].needed, ["libssl.so", "libcrypto.so"]);
    let numpy = real_modules("numpy-2.2.5-cp313-cp313-pyodide_2025_0_wasm32.whl");
    assert_eq!(numpy.len(), 13);
    let umath = &numpy["_multiarray_umath.cpython-313-wasm32-emscripten.so"];
    assert!(umath.memory_size > 10_000 && umath.table_size > 100, "{umath:?}");
}

#[test]
fn a_part_of_a_section_is_damaged_and_what_follows_it_is_not_looked_at() {
    // The section ends before the type section, of which two bytes follow.
    let whole = SideModule::parse(SAMPLE);
    let section_end = SAMPLE.len() - 2;
    assert_eq!(whole.as_ref().unwrap().needed, ["libb.so", "liba.so"]);
    assert_eq!(SideModule::parse(&SAMPLE[..section_end]), whole);
    for length in 8..section_end {
        assert!(matches!(SideModule::parse(&SAMPLE[..length]), Err(SideModuleError::Damaged { .. })), "{length}");
    }
}

#[test]
fn the_main_module_needs_nothing() {
    let Some(bytes) = support::real("pyodide.asm.wasm") else { return };
    let module = SideModule::parse(&bytes).unwrap();
    assert!(module.memory_size > 1 << 20 && module.needed.is_empty(), "{module:?}");
}

proptest! {
    #[test]
    fn spoilt_sections_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = SAMPLE.to_vec();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        let _ = SideModule::parse(&bytes);
    }
}
