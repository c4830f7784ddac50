//! Side modules that are linked when they are first called: real ones, hand-made ones and hostile ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::{Value, json};
use support::module::{self, I32, I64};
use support::open;
use taipan_core::side_module::{
    Forwarder, FunctionType, Functions, ImportKind, Shim, SideModule, SideModuleError, strip,
};
use taipan_core::wheel::is_side_module;

const TABLE_BASE: u32 = 10;

/// Cases for `support/link.mjs`.
#[derive(Default)]
struct Cases(Vec<u8>);

impl Cases {
    fn add(&mut self, mut header: Value, parts: &[&[u8]]) {
        header["parts"] = parts.iter().map(|part| part.len()).collect();
        writeln!(self.0, "{header}").unwrap();
        self.0.extend(parts.concat());
    }

    /// Runs them in Node, if there is one.
    fn run(&self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/link.mjs");
        let node = Command::new("node")
            .args(["--experimental-wasm-type-reflection", script])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut node) = node else {
            assert!(support::distribution().is_none(), "there is no Node");
            eprintln!("skipped: there is no Node");
            return;
        };
        // Node may stop before it has read everything, and says why.
        let _ = node.stdin.take().unwrap().write_all(&self.0);
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

const fn value_name(value: u8) -> &'static str {
    match value {
        0x7f => "i32",
        0x7e => "i64",
        0x7d => "f32",
        0x7c => "f64",
        0x7b => "v128",
        0x70 => "funcref",
        _ => "externref",
    }
}

/// A module that forwards every function that another one imports to a slot that does not matter.
fn forwarder(functions: &Functions) -> Vec<u8> {
    let mut forwarder = Forwarder::new();
    for import in functions.imports() {
        if let ImportKind::Function(function) = import.kind {
            forwarder.add(&format!("{}.{}", import.module, import.name), 0, function);
        }
    }
    forwarder.finish()
}

fn real_case(cases: &mut Cases, path: &str, bytes: &[u8]) {
    let module = SideModule::parse(bytes).unwrap();
    let functions = Functions::parse(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    let stripped = strip(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(stripped.len() < bytes.len(), "{path}");
    assert_eq!(SideModule::parse(&stripped).as_ref(), Ok(&module), "{path}");
    assert_eq!(Functions::parse(&stripped).as_ref(), Ok(&functions), "{path}");

    let mut shim = Shim::new();
    let mut slots = Vec::new();
    for (slot, function) in functions.element_slots() {
        assert!(slot < module.table_size, "{path}");
        slots.push(TABLE_BASE + slot);
        shim.add(TABLE_BASE + slot, 0, function);
    }
    // Functions whose addresses were taken elsewhere, in slots that the linker gave them.
    let mut exported = Vec::new();
    for import in functions.imports().iter().filter(|import| import.module == "GOT.func") {
        if let Some(function) = functions.export_type(import.name) {
            shim.add(TABLE_BASE + module.table_size + exported.len() as u32, 0, function);
            exported.push(import.name);
        }
    }
    let header = json!({
        "case": "real", "path": path, "memorySize": module.memory_size, "tableBase": TABLE_BASE,
        "tableSize": module.table_size, "slots": slots, "exported": exported,
    });
    cases.add(header, &[&stripped, &shim.finish(), &forwarder(&functions)]);
}

#[test]
fn every_real_module_is_stripped_and_its_functions_are_known() {
    let mut count = 0;
    for path in support::all_real_archives() {
        let archive = open(support::read(&path)).unwrap();
        let mut cases = Cases::default();
        for entry in archive.entries().iter().filter(|entry| is_side_module(entry)) {
            real_case(&mut cases, &entry.path, &archive.read(entry).unwrap());
            count += 1;
        }
        if !cases.0.is_empty() {
            cases.run();
        }
    }
    assert!(support::distribution().is_none() || count > 250, "{count}");
}

#[test]
fn a_library_is_linked_by_the_first_call_of_one_of_its_functions() {
    let whole = module::library();
    let functions = Functions::parse(&whole).unwrap();
    let mut shim = Shim::new();
    let bases = [20, 40];
    for (library, base) in (0..).zip(bases) {
        for (slot, function) in functions.element_slots() {
            shim.add(base + slot, library, function);
        }
    }
    let mut forwarder = Forwarder::new();
    forwarder.add("env.weak", bases[0] + 3, functions.export_type("add").unwrap());
    let mut cases = Cases::default();
    let parts = [&whole[..], &strip(&whole).unwrap(), &shim.finish(), &forwarder.finish()];
    cases.add(json!({"case": "linking", "slots": bases}), &parts);
    cases.run();
}

#[test]
fn shims_of_all_sizes_are_valid() {
    let many = [I32; 200];
    let all = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f];
    let types = [
        FunctionType { params: &[], results: &[] },
        FunctionType { params: &many, results: &[I64, I32] },
        FunctionType { params: &all, results: &all },
        FunctionType { params: &[0x6f, 0x70], results: &[0x6f] },
    ];
    let names = |values: &[u8]| values.iter().map(|value| value_name(*value)).collect::<Vec<_>>();
    let types_json: Vec<_> = types
        .iter()
        .map(|function| json!({"parameters": names(function.params), "results": names(function.results)}))
        .collect();
    let slots: Vec<u32> = (0..300).chain([8191, 8192, 8193, 65_535, 1 << 20, 5_000_000]).collect();
    let (mut shim, mut forwarder) = (Shim::new(), Forwarder::new());
    // In any order, and the last one of a slot has it.
    for (library, slot) in slots.iter().enumerate().rev() {
        shim.add(*slot, 7, types[0]);
        shim.add(*slot, library as u32, types[library % types.len()]);
        forwarder.add(&format!("slot {slot}"), *slot, types[library % types.len()]);
    }
    let mut cases = Cases::default();
    cases.add(json!({"case": "sizes", "slots": slots, "types": types_json}), &[&shim.finish(), &forwarder.finish()]);
    let none: [u32; 1] = [0];
    shim = Shim::new();
    shim.add(0, 0, types[0]);
    forwarder = Forwarder::new();
    forwarder.add("slot 0", 0, types[0]);
    cases.add(json!({"case": "sizes", "slots": none, "types": types_json}), &[&shim.finish(), &forwarder.finish()]);
    cases.run();

    let length = |step: u32| {
        let mut shim = Shim::new();
        (0..50).for_each(|nth| shim.add(nth * step, 0, types[0]));
        shim.finish().len()
    };
    assert!(length(1) + 49 * 5 <= length(2), "slots in a row share a segment");
}

#[test]
fn what_a_module_is_made_of_is_read() {
    let whole = module::library();
    let functions = Functions::parse(&whole).unwrap();
    let add = FunctionType { params: &[I32, I64], results: &[I32] };
    let address = FunctionType { params: &[], results: &[I32] };
    let slots: Vec<_> = functions.element_slots().collect();
    assert_eq!(slots, [(0, address), (1, address), (1, address), (2, address), (3, add), (4, address)]);
    assert_eq!(functions.export_type("add"), Some(add));
    assert_eq!(functions.export_type("address"), None, "it is a global");
    let imports: Vec<_> = functions.imports().iter().map(|import| (import.module, import.name, import.kind)).collect();
    let base = ImportKind::Global { value: I32, mutable: false };
    let expected = [
        ("env", "memory", ImportKind::Memory),
        ("env", "__indirect_function_table", ImportKind::Table),
        ("env", "__memory_base", base),
        ("env", "__table_base", base),
        ("env", "weak", ImportKind::Function(add)),
    ];
    assert_eq!(imports, expected);
}

#[test]
fn slots_are_counted_from_the_table_base_and_a_constant() {
    let slots = |segment: &[u8]| {
        let whole = module::library_with(9, module::items(&[segment]));
        Functions::parse(&whole).map(|functions| functions.element_slots().map(|(slot, _)| slot).collect::<Vec<_>>())
    };
    assert_eq!(slots(&[0, 0x23, 1, 0x41, 0xc0, 0, 0x6a, 0x0b, 2, 2, 3]), Ok(vec![64, 65]));
    assert_eq!(slots(&[0, 0x41, 0xc0, 0, 0x41, 0x7f, 0x6a, 0x23, 1, 0x6a, 0x0b, 1, 2]), Ok(vec![63]));
    assert_eq!(slots(&[2, 1, 0x41, 0, 0x0b, 0, 1, 2]), Ok(vec![]), "another table");
    // No base, another base, twice the base, an instruction that is missing or unknown; an offset after the last slot.
    for offset in
        [&[0x41, 3][..], &[0x23, 0], &[0x23, 1, 0x23, 1, 0x6a], &[0x23, 1, 0x41, 3], &[0x23, 1, 0x41, 3, 0x6c]]
    {
        let found = slots(&[&[0][..], offset, &[0x0b, 1, 2]].concat());
        assert!(matches!(found, Err(SideModuleError::Unsupported { .. })), "{offset:?}: {found:?}");
    }
    let found = slots(&[0, 0x23, 1, 0x41, 0x7f, 0x6a, 0x0b, 2, 2, 3]);
    assert!(matches!(found, Err(SideModuleError::Damaged { .. })), "{found:?}");
}

#[test]
fn stripping_leaves_what_does_not_write() {
    let whole = module::library();
    let stripped = strip(&whole).unwrap();
    assert_eq!(strip(&stripped).as_ref(), Ok(&stripped));
    let find = |bytes: &[u8]| stripped.windows(bytes.len()).any(|window| window == bytes);
    assert!(find(b"dylink.0") && find(b"\x03abc") && !find(b"data") && !find(b"debugger"));
    let start = [
        module::START[0],
        module::START[1],
        &[0x23, 0, 0x41, 0xc0, 0, 0x6a, 0x41, 0, 0x41, 32, 0x1a, 0x1a, 0x1a],
        &[0x23, 0, 0x42, 0x7f, 0x1a, 0x1a],
        &[0x23, 0, 0xfd, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x1a, 0x1a],
        &[0x23, 0, 0x41, 0, 0x41, 3, 0x1a, 0x1a, 0x1a, 0xfc, 9, 1],
        &[0x41, 8, 0x23, 0, 0x41, 3, 0x1a, 0x1a, 0x1a, 0x0b],
    ];
    let data = module::items(&[&[0, 0x23, 0, 0x0b, 0], &[1, 3, b'a', b'b', b'c']]);
    let mut expected = module::library_starting_with(&start.concat());
    let old_data = module::library_sections().into_iter().find(|(id, _)| *id == 11).unwrap().1;
    let at = expected.windows(old_data.len()).position(|window| window == old_data).unwrap();
    expected.truncate(at - 2);
    expected.extend([11, data.len() as u8]);
    expected.extend(data);
    assert_eq!(stripped, expected);
}

#[test]
fn a_start_function_that_could_write_in_another_way_is_refused() {
    let refused = |code: &[u8]| strip(&module::library_starting_with(code)).unwrap_err();
    // A call, a load, a block, `memory.grow`, `table.init`, an atomic store, a store to another memory.
    let codes: [&[u8]; 7] = [
        &[0x10, 0],
        &[0x41, 0, 0x28, 2, 0],
        &[0x02, 0x40, 0x0b],
        &[0x41, 0, 0x40, 0],
        &[0xfc, 12, 0, 0],
        &[0xfe, 0x17, 2, 0],
        &[0x41, 0, 0x41, 0, 0x36, 0x42, 0, 0],
    ];
    for code in codes {
        let error = refused(&[code, &[0x0b]].concat());
        assert!(matches!(error, SideModuleError::Unsupported { .. }), "{code:x?}: {error:?}");
    }
    assert!(refused(&[0x10, 0, 0x0b]).to_string().contains("start function the instruction 0x10"));
    // Two ends, and none.
    assert!(matches!(refused(&[0x0b, 0x0b]), SideModuleError::Damaged { .. }));
    assert!(matches!(refused(&[0x01]), SideModuleError::Damaged { .. }));
    let imported = strip(&module::library_with(8, vec![0])).unwrap_err();
    assert!(matches!(imported, SideModuleError::Unsupported { .. }), "{imported}");
    let missing = strip(&module::library_with(8, vec![5])).unwrap_err();
    assert!(matches!(missing, SideModuleError::Damaged { .. }), "{missing}");
}

#[test]
fn sections_that_cannot_be_are_refused() {
    let mut swapped = module::library_sections();
    swapped.swap(1, 2);
    let mut twice = module::library_sections();
    twice.insert(2, twice[1].clone());
    for sections in [swapped, twice] {
        let bytes = module::assemble(&sections);
        assert!(matches!(Functions::parse(&bytes), Err(SideModuleError::Damaged { .. })));
        assert!(matches!(strip(&bytes), Err(SideModuleError::Damaged { .. })));
    }
    for id in [1, 2, 3, 7, 9, 10, 11] {
        for count in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff, 0xff, 0xff, 0xff, 0xff], &[]] {
            let bytes = module::library_with(id, count.to_vec());
            assert!(matches!(strip(&bytes), Err(SideModuleError::Damaged { .. })), "{id} {count:?}");
        }
    }
    let unknown = module::assemble(&[(14, vec![0])]);
    assert!(matches!(strip(&unknown), Err(SideModuleError::Unsupported { .. })));
    assert_eq!(strip(b"\x7fELF"), Err(SideModuleError::OtherSystem { system: "Linux" }));
}

/// Holds for any bytes. What was stripped, if it could be, and a shim for it.
fn assert_sound(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let functions = Functions::parse(bytes);
    let stripped = strip(bytes).ok()?;
    assert_eq!(Functions::parse(&stripped), functions);
    assert_eq!(strip(&stripped).as_ref(), Ok(&stripped));
    let mut shim = Shim::new();
    for (slot, function) in functions.ok()?.element_slots() {
        shim.add(slot, 0, function);
    }
    Some((stripped, shim.finish()))
}

#[test]
fn cut_and_spoilt_modules_are_read_or_refused() {
    let whole = module::library();
    for length in 0..whole.len() {
        assert_sound(&whole[..length]);
        let mut spoilt = whole.clone();
        for value in 0..=255 {
            spoilt[length] = value;
            assert_sound(&spoilt);
        }
    }
}

#[test]
fn what_was_spoilt_but_is_valid_is_valid_when_stripped_and_leaves_memory_alone() {
    let whole = module::library();
    let mut cases = Cases::default();
    for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1 << bit;
        if let Some((stripped, shim)) = assert_sound(&spoilt) {
            cases.add(json!({"case": "spoilt", "at": at}), &[&spoilt, &stripped, &shim]);
        }
    }
    cases.add(json!({"case": "enough"}), &[]);
    cases.run();
}

proptest! {
    #[test]
    fn arbitrary_sections_never_panic(
        index in 0_usize..12,
        body in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut sections = module::library_sections();
        sections[index].1.clone_from(&body);
        assert_sound(&module::assemble(&sections));
        let mut bytes = module::library();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        assert_sound(&bytes);
    }
}
