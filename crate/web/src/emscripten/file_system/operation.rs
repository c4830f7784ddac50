//! Operations of a file-system type: Rust functions that Emscripten calls.

use js_sys::Object;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::{Closure, IntoWasmClosure, WasmClosure};

use crate::emscripten::abi::set;

/// What an operation gives, or the exception that it throws.
pub type Thrown<T> = std::result::Result<T, JsValue>;

/// Adds an operation to a table of operations. It lives as long as the engine.
pub fn operation<F, Arguments>(table: &Object, name: &str, function: F)
where
    F: IntoClosure<Arguments>,
{
    set(table, name, &function.into_closure());
}

/// A Rust function that can be handed to Emscripten.
pub trait IntoClosure<Arguments> {
    /// The function, which is never dropped.
    fn into_closure(self) -> JsValue;
}

macro_rules! into_closure {
    ($($argument:ident),*) => {
        impl<F, $($argument,)* R> IntoClosure<($($argument,)*)> for F
        where
            F: Fn($($argument,)*) -> R + 'static,
            F: IntoWasmClosure<dyn Fn($($argument,)*) -> R>,
            dyn Fn($($argument,)*) -> R: WasmClosure,
        {
            fn into_closure(self) -> JsValue {
                Closure::<dyn Fn($($argument,)*) -> R>::new(self).into_js_value()
            }
        }
    };
}

into_closure!(A);
into_closure!(A, B);
into_closure!(A, B, C);
into_closure!(A, B, C, D);
into_closure!(A, B, C, D, E);
