//! What the packages of an interpreter share with the rest of it.

use std::cell::Cell;
use std::rc::Rc;

use crate::archives::Archives;
use crate::boundary::EngineHost;
use crate::bytecode::Bytecode;
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::linker::Linker;
use crate::fetch::Network;
use crate::store::Store;
use crate::timeline::Timeline;

/// What installing a package touches.
pub struct PackageParts {
    /// Where its files are mounted.
    pub files: SharedFileSystem,
    /// Where its side modules are found.
    pub linker: Linker,
    /// Where its archive is kept.
    pub store: Store,
    /// Where its bytecode is kept.
    pub bytecode: Rc<Bytecode>,
    /// Which source is which archive.
    pub archives: Rc<Archives>,
    /// Who is told of progress.
    pub timeline: Rc<Timeline>,
    /// What an `import` statement downloads with.
    pub network: Network,
    /// Bytes of archives held outside Rust's memory.
    pub held: Rc<Cell<u64>>,
    /// Brings parts of Taipan.
    pub host: EngineHost,
}
