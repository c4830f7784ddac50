//! What is there of a transfer that broke off.

use taipan_core::transfer::{Resumed, Validator};
use web_sys::Response;

use super::request::{declared_length, header, is_encoded, is_foreign};

/// How far a file has come, and of which answer.
pub struct Partial {
    /// The mirror that they are from.
    pub mirror: usize,
    /// How many there are.
    pub loaded: u64,
    /// How many there will be, where the server says so.
    pub declared: Option<u64>,
    validator: Option<Validator>,
    is_foreign: bool,
}

/// From where on a file is asked for.
#[derive(Clone, Copy)]
pub struct Resumption<'a> {
    /// The first byte that is missing.
    pub offset: u64,
    /// Send the whole file if it is of another version. Not sent across origins, where a server would have to allow
    /// that header beforehand; there the answer alone tells.
    pub if_range: Option<&'a str>,
}

impl Partial {
    /// Nothing has come of this answer's body.
    pub fn new(mirror: usize, response: &Response) -> Self {
        Self {
            mirror,
            loaded: 0,
            declared: declared_length(response),
            // What was decoded on the way has other offsets than what is sent.
            validator: if is_encoded(response) { None } else { validator(response) },
            is_foreign: is_foreign(response),
        }
    }

    /// Whether the rest alone can be asked for.
    pub fn can_be_resumed(&self) -> bool {
        self.loaded > 0 && self.validator.is_some()
    }

    /// How to ask for the rest.
    pub fn resumption(&self) -> Option<Resumption<'_>> {
        let validator = self.validator.as_ref().filter(|_| self.loaded > 0)?;
        Some(Resumption { offset: self.loaded, if_range: (!self.is_foreign).then(|| validator.if_range()) })
    }

    /// What an answer is good for.
    pub fn read(&self, response: &Response) -> Resumed {
        let theirs = validator(response);
        // Within the origin the server has compared already.
        let is_same = self.validator.as_ref().is_some_and(|ours| ours.is_same(theirs.as_ref(), !self.is_foreign));
        let range = header(response, "content-range");
        let known = (self.loaded, self.declared);
        Resumed::read(response.status(), range.as_deref(), known, is_same, is_encoded(response))
    }
}

fn validator(response: &Response) -> Option<Validator> {
    Validator::of(header(response, "etag").as_deref(), header(response, "last-modified").as_deref())
}
