//! Streams of a run on their way to the page.
//!
//! CPython writes bytes, at whatever place its buffers end; the page gets text. A character that is cut in two waits
//! for its other half. What is written waits here until the host wants it: each line that is printed comes in several pieces,
//! and a step into JavaScript for each would cost ten times what CPython needs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{JSON, Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use crate::boundary::{EngineHost, WaitingText};
use crate::emscripten::abi::set;

/// More bytes do not wait.
const MOST_WAITING: usize = 64 << 10;

/// A stream of CPython's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stream {
    /// File descriptor 1.
    #[default]
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
    waiting: RefCell<Waiting>,
    /// Whom to tell that something waits; nothing waits where that is nobody.
    collector: Option<WaitingText>,
    /// Whether that has been told.
    is_noticed: Cell<bool>,
}

/// What has been written to a stream and not been sent.
#[derive(Default)]
struct Waiting {
    stream: Stream,
    bytes: Vec<u8>,
}

impl Output {
    /// Output outside of any run.
    pub fn new(host: EngineHost) -> Rc<Self> {
        let collector = host.outputs();
        let output = Rc::new(Self {
            host,
            run: Cell::new(0),
            stdout: RefCell::default(),
            stderr: RefCell::default(),
            waiting: RefCell::default(),
            collector,
            is_noticed: Cell::new(false),
        });
        if let Some(collector) = &output.collector {
            let collected = Rc::clone(&output);
            let collect = Closure::<dyn Fn()>::new(move || {
                collected.is_noticed.set(false);
                collected.send_waiting();
            });
            collector.set_collect(&collect.into_js_value());
        }
        output
    }

    /// From now on output belongs to this run; 0 is none.
    pub fn set_run(&self, run: u32) {
        self.flush();
        self.run.set(run);
    }

    /// Bytes that CPython wrote to a stream.
    pub fn write(&self, stream: Stream, bytes: &Uint8Array) {
        if self.waiting.borrow().stream != stream {
            self.send_waiting();
        }
        let waiting = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.stream = stream;
            let start = waiting.bytes.len();
            waiting.bytes.resize(start + bytes.length() as usize, 0);
            bytes.copy_to(&mut waiting.bytes[start..]);
            waiting.bytes.len()
        };
        match &self.collector {
            Some(collector) if waiting <= MOST_WAITING => {
                if !self.is_noticed.replace(true) {
                    collector.notice();
                }
            }
            _ => self.send_waiting(),
        }
    }

    /// Text from before the streams were set up.
    pub fn write_line(&self, stream: Stream, line: &str) {
        self.send_waiting();
        self.send_text(stream, &format!("{line}\n"));
    }

    /// A display: JSON of `[data, metadata]`.
    pub fn display(&self, json: &str) {
        self.send_waiting();
        let Ok(parts) = JSON::parse(json) else { return };
        let part = |index: u32| js_sys::Reflect::get_u32(&parts, index).unwrap_or(JsValue::UNDEFINED);
        let output = Object::new();
        set(&output, "type", &"display".into());
        set(&output, "data", &part(0));
        set(&output, "metadata", &part(1));
        self.host.on_output(self.run.get(), &output);
    }

    fn send_waiting(&self) {
        let (stream, text) = {
            let mut waiting = self.waiting.borrow_mut();
            let text = self.decoder(waiting.stream).borrow_mut().push(&waiting.bytes);
            waiting.bytes.clear();
            (waiting.stream, text)
        };
        self.send_text(stream, &text);
    }

    /// Sends all, and what is left of characters that never came whole.
    fn flush(&self) {
        self.send_waiting();
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
