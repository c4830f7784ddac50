//! Streams of a run on their way to the page.
//!
//! CPython writes bytes, at whatever place its buffers end; the page gets text. A character that is cut in two waits
//! for its other half.

use std::cell::{Cell, RefCell};

use js_sys::{JSON, Object, Uint8Array};
use wasm_bindgen::JsValue;

use crate::boundary::EngineHost;
use crate::emscripten::abi::set;

/// A stream of CPython's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

impl Stream {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Where output goes: the host, under the number of the run that is going on.
pub struct Output {
    host: EngineHost,
    run: Cell<u32>,
    stdout: RefCell<Utf8Decoder>,
    stderr: RefCell<Utf8Decoder>,
}

impl Output {
    /// Output outside of any run.
    pub fn new(host: EngineHost) -> Self {
        Self { host, run: Cell::new(0), stdout: RefCell::default(), stderr: RefCell::default() }
    }

    /// From now on output belongs to this run; 0 is none.
    pub fn set_run(&self, run: u32) {
        self.flush();
        self.run.set(run);
    }

    /// Bytes that CPython wrote to a stream.
    pub fn write(&self, stream: Stream, bytes: &Uint8Array) {
        let text = self.decoder(stream).borrow_mut().push(&bytes.to_vec());
        self.send_text(stream, &text);
    }

    /// Text from before the streams were set up.
    pub fn write_line(&self, stream: Stream, line: &str) {
        self.send_text(stream, &format!("{line}\n"));
    }

    /// A display: JSON of `[data, metadata]`.
    pub fn display(&self, json: &str) {
        let Ok(parts) = JSON::parse(json) else { return };
        let part = |index: u32| js_sys::Reflect::get_u32(&parts, index).unwrap_or(JsValue::UNDEFINED);
        let output = Object::new();
        set(&output, "type", &"display".into());
        set(&output, "data", &part(0));
        set(&output, "metadata", &part(1));
        self.host.on_output(self.run.get(), &output);
    }

    /// Sends what is left of characters that never came whole.
    fn flush(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = self.decoder(stream).borrow_mut().finish();
            self.send_text(stream, &rest);
        }
    }

    fn decoder(&self, stream: Stream) -> &RefCell<Utf8Decoder> {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }

    fn send_text(&self, stream: Stream, text: &str) {
        if text.is_empty() {
            return;
        }
        let output = Object::new();
        set(&output, "type", &stream.as_str().into());
        set(&output, "text", &text.into());
        self.host.on_output(self.run.get(), &output);
    }
}

/// Decodes UTF-8 that comes in pieces. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug, Default)]
struct Utf8Decoder {
    rest: Vec<u8>,
}

impl Utf8Decoder {
    fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            // `error_len` is absent exactly when the input ends inside a character.
            Err(_) => incomplete_tail(&self.rest),
        };
        let text = String::from_utf8_lossy(&self.rest[..whole]).into_owned();
        self.rest.drain(..whole);
        text
    }

    fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.rest).into_owned();
        self.rest.clear();
        text
    }
}

/// Where the character starts that the bytes end inside of, or the length if they end with a whole one.
fn incomplete_tail(bytes: &[u8]) -> usize {
    let mut start = 0;
    loop {
        match std::str::from_utf8(&bytes[start..]) {
            Ok(_) => return bytes.len(),
            Err(error) => match error.error_len() {
                Some(length) => start += error.valid_up_to() + length,
                None => return start + error.valid_up_to(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8Decoder;

    #[test]
    fn a_character_cut_in_two_waits_for_its_other_half() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.push(b"caf\xc3"), "caf");
        assert_eq!(decoder.push(b"\xa9!"), "é!");
        assert_eq!(decoder.finish(), "");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_the_rest_goes_on() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.push(b"a\xffb\xe2\x82"), "a\u{fffd}b");
        assert_eq!(decoder.push(b"\xac"), "€");
        assert_eq!(decoder.push(b"\xe2\x82"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }
}
