//! The time zone of the C library.
//!
//! It asks for the zone once (`tzset` of Emscripten's `system/lib/libc/emscripten_time.c`), and memory says that this has
//! been done. So what it has noted is written anew, to where it noted it.

use super::glue::Glue;
use crate::error::Result;

/// The glue's function that writes the zone into memory, and what it is called with besides the names.
const TZSET: &str = "__tzset_js";
const NUMBERS: [&str; 2] = ["__timezone", "__daylight"];

/// The addresses of the names: of standard time, and of summer time.
const NAMES: &str = "__tzname";

/// Makes the zone that of this browser, if the C library has asked for it.
///
/// # Errors
/// [`crate::error::Code::Fatal`] if the glue fails.
pub fn renew(glue: &Glue) -> Result<()> {
    let (Some(names), [Some(offset), Some(has_summer_time)]) =
        (glue.address(NAMES), NUMBERS.map(|symbol| glue.address(symbol)))
    else {
        return Ok(());
    };
    let [standard, summer] = [names, names + 4].map(|address| glue.word(address));
    if standard == 0 {
        return Ok(());
    }
    glue.call(TZSET, &[offset, has_summer_time, standard, summer].map(Into::into)).map(drop)
}
