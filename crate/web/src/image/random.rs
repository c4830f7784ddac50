//! The state of NumPy's global random numbers, which must not be the same in two interpreters.
//!
//! `numpy.random.seed` would make it another one, but three side modules have to be linked for that, which few programs need
//! at once. So where the state is in memory is written down when the image is baked, and it is filled anew there. Sources:
//! CPython's `Objects/capsule.c`, NumPy's `include/numpy/random/bitgen.h` and `random/src/mt19937/mt19937.h`.

use js_sys::{Uint8Array, Uint32Array};

use super::OpenImage;
use crate::boot::Interpreter;
use crate::global::CRYPTO;

/// The number in the manifest: the address of the state.
pub(super) const NUMPY_RANDOM: &str = "numpyRandom";

/// Words of the state of a Mersenne Twister. The number of those that have been used follows.
const WORDS: u32 = 624;

/// In `PyCapsule`: the word with what it points to. A `bitgen_t` begins with what points to the state.
const POINTER: u32 = 8;

/// Not all of the state may be zeros: NumPy makes this the first word.
const FIRST: u32 = 0x8000_0000;

/// The address of the state, if it is there and of the usual kind.
pub(super) fn find(interpreter: &Interpreter) -> Option<u32> {
    let described = interpreter.api.run_python("__import__('_taipan.image').image.numpy_random()").ok()?.as_string()?;
    let described: Vec<u32> = serde_json::from_str(&described).ok()?;
    let (capsule, state) = described.split_first()?;
    let words = interpreter.module.heap_u32();
    let word = |address: u32| words.get_index(address >> 2);
    let address = word(word(capsule.checked_add(POINTER)?));
    let end = (address >> 2).checked_add(WORDS + 1)?;
    (words.subarray(address >> 2, end).to_vec() == state).then_some(address)
}

impl OpenImage {
    /// Fills the state anew in the memory of a restored interpreter. Says whether it is there.
    pub fn renew_numpy_random(&self, heap: &Uint8Array) -> bool {
        let address = self.manifest.numbers.get(NUMPY_RANDOM).and_then(|address| u32::try_from(*address).ok());
        let fresh = CRYPTO.with(|crypto| {
            let state = Uint32Array::new_with_length(WORDS + 1);
            crypto.as_ref()?.get_random_values_with_array_buffer_view(&state).ok()?;
            Some(state)
        });
        let (Some(address), Some(state)) = (address, fresh) else { return false };
        if u64::from(address) + u64::from(state.byte_length()) > u64::from(heap.length()) {
            return false;
        }
        state.set_index(0, FIRST);
        // All have been used: the next number makes others of them.
        state.set_index(WORDS, WORDS);
        heap.set(&Uint8Array::new(&state.buffer()), address);
        true
    }
}
