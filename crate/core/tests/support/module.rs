//! A side module by hand, as `wasm-ld` would put it together, with some of everything.

pub const I32: u8 = 0x7f;
pub const I64: u8 = 0x7e;

/// A section: its id and what is in it.
pub type Section = (u8, Vec<u8>);

fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub fn sized(bytes: &[u8]) -> Vec<u8> {
    [number(bytes.len()), bytes.to_vec()].concat()
}

/// Items, their number before them.
pub fn items(items: &[&[u8]]) -> Vec<u8> {
    [number(items.len()), items.concat()].concat()
}

pub fn import(module: &str, name: &str, kind: &[u8]) -> Vec<u8> {
    [sized(module.as_bytes()), sized(name.as_bytes()), kind.to_vec()].concat()
}

pub fn assemble(sections: &[Section]) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (id, body) in sections {
        module.push(*id);
        module.extend(sized(body));
    }
    module
}

/// What the start function does: relocates a global, then writes to memory in every way there is.
pub const START: &[&[u8]] = &[
    // `__memory_base` and 16, into the global.
    &[0x23, 0, 0x41, 16, 0x6a, 0x24, 2],
    // Locals and numbers that come to nothing.
    &[0x41, 1, 0x22, 0, 0x21, 0, 0x20, 0, 0x1a, 0x42, 0x80, 0x80, 0x7e, 0x1a],
    // `memory.fill`, `i64.store`, `v128.store`.
    &[0x23, 0, 0x41, 0xc0, 0, 0x6a, 0x41, 0, 0x41, 32, 0xfc, 11, 0],
    &[0x23, 0, 0x42, 0x7f, 0x37, 3, 0xe4, 0],
    &[0x23, 0, 0xfd, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0xfd, 11, 4, 0xf0, 1],
    // `memory.init`, `data.drop`, `memory.copy`.
    &[0x23, 0, 0x41, 0, 0x41, 3, 0xfc, 8, 1, 0, 0xfc, 9, 1],
    &[0x41, 8, 0x23, 0, 0x41, 3, 0xfc, 10, 0, 0],
    &[0x0b],
];

/// `add(i32, i64) -> i32`, its slot 3, adds the relocated global, too. Slot 4 adds that to what the imported `weak`
/// makes of 400 and 600.
pub fn library_sections() -> Vec<Section> {
    let body = |locals: &[u8], code: &[u8]| sized(&[locals, code].concat());
    vec![
        (0, [sized(b"dylink.0"), vec![1, 5, 0x80, 2, 4, 5, 0]].concat()),
        (1, items(&[&[0x60, 2, I32, I64, 1, I32], &[0x60, 0, 1, I32], &[0x60, 0, 0]])),
        (
            2,
            items(&[
                &import("env", "memory", &[2, 0, 1]),
                &import("env", "__indirect_function_table", &[1, 0x70, 0, 1]),
                &import("env", "__memory_base", &[3, I32, 0]),
                &import("env", "__table_base", &[3, I32, 0]),
                &import("env", "weak", &[0, 0]),
            ]),
        ),
        (3, items(&[&[2], &[0], &[1], &[1]])),
        (6, items(&[&[I32, 1, 0x41, 0, 0x0b]])),
        (7, items(&[&[sized(b"add"), vec![0, 2]].concat(), &[sized(b"address"), vec![3, 2]].concat()])),
        (8, vec![1]),
        (
            9,
            items(&[
                // Active, passive, declarative, and one of expressions, which has a hole.
                &[0, 0x23, 1, 0x0b, 2, 3, 3],
                &[1, 0, 1, 3],
                &[3, 0, 1, 2],
                &[
                    6, 0, 0x23, 1, 0x0b, 0x70, 5, 0xd0, 0x70, 0x0b, 0xd2, 3, 0x0b, 0xd2, 3, 0x0b, 0xd2, 2, 0x0b, 0xd2,
                    4, 0x0b,
                ],
            ]),
        ),
        (12, vec![2]),
        (
            10,
            items(&[
                &body(&[1, 1, I32], &START.concat()),
                &body(&[0], &[0x20, 0, 0x20, 1, 0xa7, 0x6a, 0x23, 2, 0x6a, 0x0b]),
                &body(&[0], &[0x23, 2, 0x0b]),
                &body(&[0], &[0x23, 2, 0x41, 0x90, 3, 0x42, 0xd8, 4, 0x10, 0, 0x6a, 0x0b]),
            ]),
        ),
        (11, items(&[&[0, 0x23, 0, 0x0b, 4, b'd', b'a', b't', b'a'], &[1, 3, b'a', b'b', b'c']])),
        (0, [sized(b"name"), b"what the debugger reads".to_vec()].concat()),
    ]
}

pub fn library() -> Vec<u8> {
    assemble(&library_sections())
}

/// The library with a start function of this code, which has one local.
pub fn library_starting_with(code: &[u8]) -> Vec<u8> {
    let mut sections = library_sections();
    let section = sections.iter_mut().find(|(id, _)| *id == 10).map(|(_, body)| body);
    let old = sized(&[&[1, 1, I32][..], &START.concat()].concat());
    let new = sized(&[&[1, 1, I32][..], code].concat());
    if let Some(body) = section {
        body.splice(1..=old.len(), new);
    }
    assemble(&sections)
}

/// The library with another section in the place of one of its own.
pub fn library_with(id: u8, body: Vec<u8>) -> Vec<u8> {
    let mut sections = library_sections();
    if let Some(section) = sections.iter_mut().find(|(found, _)| *found == id) {
        section.1 = body;
    }
    assemble(&sections)
}
