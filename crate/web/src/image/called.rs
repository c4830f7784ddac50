//! Which side modules of a kept image are called soon after it was restored. It is noted for the next restoration, which
//! compiles them while it does other things, instead of when they are called.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::WebAssembly;

use super::OpenImage;
use crate::emscripten::linker::Linker;
use crate::store::Store;

/// Modules that have been compiled before they are called, by their numbers.
pub type CompiledAhead = Rc<RefCell<HashMap<usize, WebAssembly::Module>>>;

/// The note on one kept image.
#[derive(Clone)]
pub struct CalledModules {
    store: Store,
    /// What the image is called in the store: the note is a remark on it.
    name: String,
    image: Rc<OpenImage>,
    /// What it says.
    noted: Rc<RefCell<Vec<usize>>>,
    ahead: CompiledAhead,
}

impl CalledModules {
    /// The note on the image that is kept under a name.
    pub fn of(image_name: &str, image: &Rc<OpenImage>, store: &Store) -> Self {
        Self {
            store: store.clone(),
            name: image_name.to_owned(),
            image: Rc::clone(image),
            noted: Rc::default(),
            ahead: Rc::default(),
        }
    }

    /// Where the modules are when they are compiled.
    pub fn ahead(&self) -> CompiledAhead {
        Rc::clone(&self.ahead)
    }

    /// Compiles those that were called the last time. Nobody waits for it: one that is not there when it is called, or cannot
    /// be read, is compiled then.
    pub async fn compile(self, linker: Linker) {
        let note = self.store.remark(&self.name).unwrap_or_default();
        *self.noted.borrow_mut() = read(&note, &self.image.head_id());
        let noted = self.noted.borrow().clone();
        let compiling: Vec<_> =
            noted.iter().filter_map(|index| Some((*index, self.image.compile_late(&linker, *index)?))).collect();
        for (index, module) in compiling {
            if let Ok(compiled) = module.await {
                self.ahead.borrow_mut().insert(index, compiled.module);
            }
        }
    }

    /// Notes which have been called, of which these are the files, unless the note says so.
    pub async fn note(&self, at_work: &[String]) {
        let paths = self.image.module_paths.iter().enumerate();
        let called = paths.filter(|(index, path)| at_work.contains(path) && !self.image.is_hot(*index));
        let called: Vec<usize> = called.map(|(index, _)| index).collect();
        if called != *self.noted.borrow() {
            self.store.set_remark(&self.name, &write(&called, &self.image.head_id())).await;
        }
    }
}

fn write(called: &[usize], image: &str) -> String {
    let mut note = image.to_owned();
    for index in called {
        note.push(' ');
        note.push_str(&index.to_string());
    }
    note
}

/// The numbers of a note on this image; none of a note on another.
fn read(note: &str, image: &str) -> Vec<usize> {
    let mut words = note.split(' ');
    if words.next() != Some(image) {
        return Vec::new();
    }
    words.filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[wasm_bindgen_test::wasm_bindgen_test]
    fn a_note_is_of_one_image() {
        let note = write(&[3, 0, 41], "an image");
        assert_eq!(read(&note, "an image"), [] as [usize; 0]);
        let note = write(&[3, 0, 41], "image");
        assert_eq!(read(&note, "image"), [3, 0, 41]);
        assert_eq!(read(&note, "other"), [] as [usize; 0]);
        assert_eq!(read("", "image"), [] as [usize; 0]);
    }
}
