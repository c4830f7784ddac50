//! Side modules as an image has them: so that they can be linked when they are first called.

use super::{Manifest, TableEntry};
use crate::side_module::{FunctionType, Functions, Shim, strip};

/// The name of the part with the module that links the others when they are called.
pub const SHIM: &str = "shim";

/// The side modules of an image, in the manifest's order.
#[derive(Debug, Clone, Default)]
pub struct SideModuleImages {
    /// Their bytes.
    pub bytes: Vec<Vec<u8>>,
    /// What stands in for those that are not hot.
    pub shim: Option<Vec<u8>>,
}

impl SideModuleImages {
    /// Makes of each what leaves memory alone. One that this cannot be made of, or that has to be there from the start,
    /// is hot: linked before memory is restored, it may write what it likes.
    pub fn prepare(&mut self, manifest: &mut Manifest) {
        let mut shim = Shim::new();
        let mut has_cold = false;
        for (index, bytes) in self.bytes.iter_mut().enumerate() {
            let module = &manifest.modules[index];
            let may_wait = !module.is_hot && !module.is_global;
            let stripped = strip(bytes).ok();
            let functions = Functions::parse(bytes).ok().filter(|_| may_wait && stripped.is_some());
            let slots = functions.as_ref().and_then(|functions| slots(manifest, index, functions));
            for (slot, function) in slots.iter().flatten() {
                shim.add(*slot, index as u32, *function);
            }
            let is_cold = slots.is_some();
            has_cold |= is_cold;
            *bytes = stripped.unwrap_or_else(|| std::mem::take(bytes));
            manifest.modules[index].is_hot = !is_cold;
        }
        self.shim = has_cold.then(|| shim.finish());
    }
}

/// The slots of the function table that a module has to do with, ascending, and the types of the functions there. `None`
/// if one of them is not its own function.
fn slots<'a>(manifest: &Manifest, index: usize, functions: &Functions<'a>) -> Option<Vec<(u32, FunctionType<'a>)>> {
    let base = manifest.modules[index].table_base;
    let mut slots: Vec<_> = functions.element_slots().map(|(slot, function)| (base + slot, function)).collect();
    for (slot, entry) in &manifest.table {
        if let TableEntry::Module { module, name } = entry
            && *module as usize == index
        {
            slots.push((*slot, functions.export_type(name)?));
        }
    }
    slots.sort_unstable_by_key(|(slot, _)| *slot);
    slots.dedup_by_key(|(slot, _)| *slot);
    Some(slots)
}
