//! An image while it arrives.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{LocalBoxFuture, ready};
use js_sys::Uint8Array;
use taipan_core::image::{Head, ImageError, Limits, PREAMBLE_LENGTH};
use taipan_core::source::{ByteSource, SourceError};

use super::not_usable;
use crate::archive_bytes::{ArchiveBytes, allocate};
use crate::error::{Code, Error, Result};

/// More bytes than any image has: who waits for them waits for the end.
const END: u64 = u64::MAX;

/// The bytes of one transfer as far as they have come, and who waits for more.
pub struct Arrival {
    state: RefCell<State>,
    held: Rc<Cell<u64>>,
}

#[derive(Default)]
struct State {
    /// What has come of the head, until it is whole.
    head: Vec<u8>,
    /// Room for the whole image, from when the head has told its length.
    bytes: Option<ArchiveBytes>,
    /// How many bytes of it there are. None before the head is whole.
    arrived: u64,
    /// Where the manifest ends.
    manifest_end: u64,
    /// Why no more is taken.
    failure: Option<Error>,
    outcome: Option<Result<()>>,
    waiting: Vec<(u64, oneshot::Sender<Result<()>>)>,
}

impl Arrival {
    /// Nothing has come. `held` counts bytes outside Rust's linear memory.
    pub fn new(held: &Rc<Cell<u64>>) -> Self {
        Self { state: RefCell::default(), held: Rc::clone(held) }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if they are not an image's, or more than it has; [`Code::OutOfMemory`].
    pub fn push(&self, bytes: &Uint8Array) -> Result<()> {
        let state = &mut *self.state.borrow_mut();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        let outcome = self.take(state, bytes);
        state.failure = outcome.as_ref().err().cloned();
        outcome
    }

    fn take(&self, state: &mut State, bytes: &Uint8Array) -> Result<()> {
        let mut rest = bytes.clone();
        if state.bytes.is_none() {
            let Some(head) = state.take_head(&mut rest).map_err(|error| not_usable(&error))? else { return Ok(()) };
            let room = allocate(head.length, "the image")?;
            room.subarray(0, state.head.len() as u32).copy_from(&state.head);
            state.bytes = Some(ArchiveBytes::new(room, &self.held));
            state.arrived = head.head_length;
            state.head = Vec::new();
            let manifest = head.extents().into_iter().rfind(|extent| extent.part == 0);
            state.manifest_end = manifest.map_or(0, |extent| extent.file_offset + extent.stored_length);
        }
        state.append(&rest).map_err(|error| not_usable(&error))
    }

    /// All has come that will.
    pub fn finish(&self, outcome: Result<()>) {
        let state = &mut *self.state.borrow_mut();
        let outcome = outcome.and_then(|()| state.check());
        for (_, waiting) in state.waiting.drain(..) {
            // Nobody waits any more when another part of the start has failed.
            let _ = waiting.send(outcome.clone());
        }
        state.outcome = Some(outcome);
    }

    /// Waits until the head and the manifest are there.
    ///
    /// # Errors
    /// What keeps them from coming.
    pub fn beginning(self: Rc<Self>) -> LocalBoxFuture<'static, Result<()>> {
        let beginning = async move {
            self.reached(1).await?;
            let end = self.state.borrow().manifest_end;
            self.reached(end).await
        };
        beginning.boxed_local()
    }

    /// Waits until all is there, and has been compared with what is known of it.
    pub fn whole(&self) -> LocalBoxFuture<'static, Result<()>> {
        self.reached(END)
    }

    /// Waits until there are so many bytes.
    pub fn reached(&self, end: u64) -> LocalBoxFuture<'static, Result<()>> {
        let state = &mut *self.state.borrow_mut();
        let waiting = match &state.outcome {
            _ if end <= state.arrived => Err(Ok(())),
            Some(outcome) => Err(outcome.clone()),
            None => {
                let (sender, receiver) = oneshot::channel();
                state.waiting.push((end, sender));
                Ok(receiver)
            }
        };
        match waiting {
            Ok(receiver) => receiver.map(|outcome| outcome.unwrap_or_else(|_| Err(void()))).boxed_local(),
            Err(known) => ready(known).boxed_local(),
        }
    }

    /// Bytes that have come, as they are in JavaScript's memory.
    pub fn bytes(&self, offset: u64, length: u64) -> Option<Uint8Array> {
        let state = self.state.borrow();
        let end = offset.checked_add(length).filter(|end| *end <= state.arrived)?;
        Some(state.bytes.as_ref()?.bytes().subarray(offset as u32, end as u32))
    }

    /// Gives the bytes up, and tells everybody who waits for some.
    pub fn clear(&self) {
        *self.state.borrow_mut() = State { outcome: Some(Err(void())), ..State::default() };
    }

    /// All bytes that there are.
    pub fn all(&self) -> Uint8Array {
        let arrived = self.state.borrow().arrived;
        self.bytes(0, arrived).unwrap_or_default()
    }

    /// Whether nothing has come.
    pub fn is_untouched(&self) -> bool {
        let state = self.state.borrow();
        state.arrived == 0 && state.head.is_empty()
    }
}

impl State {
    /// Takes what belongs to the head; gives the head when it is whole.
    fn take_head(&mut self, rest: &mut Uint8Array) -> std::result::Result<Option<Head>, ImageError> {
        let limits = Limits::default();
        loop {
            let is_preamble = self.head.len() < PREAMBLE_LENGTH;
            let wanted = if is_preamble { PREAMBLE_LENGTH as u64 } else { Head::length_of(&self.head, &limits)? };
            let missing = wanted - self.head.len() as u64;
            if missing == 0 {
                return Head::parse(&self.head, &limits).map(Some);
            }
            if rest.length() == 0 {
                return Ok(None);
            }
            let taken = missing.min(u64::from(rest.length())) as u32;
            self.head.extend(rest.subarray(0, taken).to_vec());
            *rest = rest.subarray(taken, rest.length());
        }
    }

    fn append(&mut self, bytes: &Uint8Array) -> std::result::Result<(), ImageError> {
        let Some(room) = &self.bytes else { return Ok(()) };
        let (expected, actual) = (room.len(), self.arrived + u64::from(bytes.length()));
        if actual > expected {
            return Err(ImageError::Length { expected, actual });
        }
        room.bytes().set(bytes, self.arrived as u32);
        self.arrived = actual;
        for (_, waiting) in self.waiting.extract_if(.., |(end, _)| *end <= actual) {
            let _ = waiting.send(Ok(()));
        }
        Ok(())
    }

    /// Whether what has come is as many bytes as an image says that it has.
    fn check(&self) -> Result<()> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let actual = self.arrived;
        match self.bytes.as_ref().map(ByteSource::len) {
            Some(expected) if expected == actual => Ok(()),
            Some(expected) => Err(not_usable(&ImageError::Length { expected, actual })),
            None => Err(not_usable(&ImageError::NotImage)),
        }
    }
}

/// Nobody sees it but a restoration that begins anew, or has ended.
fn void() -> Error {
    Error::new(Code::LoadNetwork, "The image is fetched anew.")
}

impl ByteSource for Arrival {
    fn len(&self) -> u64 {
        self.state.borrow().bytes.as_ref().map_or(0, ByteSource::len)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        let bytes = self.bytes(offset, buffer.len() as u64).ok_or(SourceError::NotHere { offset })?;
        bytes.copy_to(buffer);
        Ok(())
    }
}
