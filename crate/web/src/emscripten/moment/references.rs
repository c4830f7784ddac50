//! JavaScript values that Python holds.
//!
//! `hiwire` keeps the values in a table, and everything that is to be known of them in memory. Which value is known under
//! which number is in a `Map` besides.

use js_sys::{Array, Map};
use wasm_bindgen::{JsCast, JsValue};

use crate::emscripten::snapshot::glue::{Glue, values};
use crate::error::Result;

/// The values at one moment. They live as long as this does.
pub struct SavedReferences {
    /// From number 1 on.
    values: Vec<JsValue>,
    numbers: Option<(Map, Array)>,
}

impl SavedReferences {
    /// The values that there are.
    pub fn now(glue: &Glue) -> Self {
        let numbers = values(glue, "__hiwire_immortal_get", 0).into_iter().find_map(|value| value.dyn_into().ok());
        let numbers = numbers.map(|numbers: Map| (numbers.clone(), Array::from(&numbers)));
        Self { values: values(glue, "__hiwire_get", 1), numbers }
    }

    /// Puts the values back, and lets go of those that came since.
    ///
    /// # Errors
    /// [`crate::error::Code::Fatal`] if the table cannot be written.
    pub fn roll_back(&self, glue: &Glue) -> Result<()> {
        let current = values(glue, "__hiwire_get", 1);
        for (index, (number, value)) in (1_u32..).zip(&current).enumerate() {
            let wanted = self.values.get(index).cloned().unwrap_or(JsValue::NULL);
            if *value != wanted {
                glue.call("__hiwire_set", &[number.into(), wanted])?;
            }
        }
        if let Some((numbers, entries)) = &self.numbers {
            numbers.clear();
            for entry in entries.iter() {
                let entry: Array = entry.unchecked_into();
                numbers.set(&entry.get(0), &entry.get(1));
            }
        }
        Ok(())
    }
}
