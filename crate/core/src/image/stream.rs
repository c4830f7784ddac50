//! Reads images while they arrive.

use std::rc::Rc;

use super::reader::contents;
use super::{Extent, Head, ImageError, Limits, Manifest, PREAMBLE_LENGTH, PartKind, Verify};

/// Something of an image that is complete, and has been checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The head: always the first.
    Head(Rc<Head>),
    /// The manifest.
    Manifest(Box<Manifest>),
    /// A chunk of another part.
    Chunk {
        /// Which.
        extent: Extent,
        /// Its contents, inflated.
        contents: Vec<u8>,
    },
}

/// An image that arrives in pieces of any size. At most one chunk is held back.
pub struct ImageReader {
    limits: Limits,
    verify: Verify,
    head: Option<Rc<Head>>,
    /// The chunks that have not come yet, the next one last.
    open: Vec<Extent>,
    /// What has come of the head or of the next chunk.
    buffer: Vec<u8>,
    manifest: Vec<u8>,
    received: u64,
    failure: Option<ImageError>,
}

impl ImageReader {
    /// A reader that has got nothing yet.
    pub const fn new(verify: Verify, limits: Limits) -> Self {
        Self {
            limits,
            verify,
            head: None,
            open: Vec::new(),
            buffer: Vec::new(),
            manifest: Vec::new(),
            received: 0,
            failure: None,
        }
    }

    /// Takes the next bytes in; gives what they complete.
    ///
    /// # Errors
    /// Every [`ImageError`]. A reader that has failed gives the same error again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ImageError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let result = self.accept(bytes);
        self.failure = result.as_ref().err().cloned();
        result
    }

    /// Makes sure that everything has come.
    ///
    /// # Errors
    /// [`ImageError::Length`] if not; the error that the reader has failed with.
    pub fn finish(self) -> Result<(), ImageError> {
        let expected = self.head.map_or(self.received + 1, |head| head.length);
        match self.failure {
            Some(failure) => Err(failure),
            None if expected == self.received => Ok(()),
            None => Err(ImageError::Length { expected, actual: self.received }),
        }
    }

    fn accept(&mut self, mut bytes: &[u8]) -> Result<Vec<Event>, ImageError> {
        let mut events = Vec::new();
        self.received += bytes.len() as u64;
        while !bytes.is_empty() {
            let wanted = self.wanted()? as usize;
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.buffer.len()));
            bytes = rest;
            self.buffer.extend_from_slice(taken);
            if self.buffer.len() == wanted {
                self.complete(&mut events)?;
            }
        }
        Ok(events)
    }

    /// How many bytes the buffer is to have.
    fn wanted(&self) -> Result<u64, ImageError> {
        match (&self.head, self.open.last()) {
            (_, Some(extent)) => Ok(extent.stored_length),
            (Some(head), None) => Err(ImageError::Length { expected: head.length, actual: self.received }),
            (None, None) if self.buffer.len() < PREAMBLE_LENGTH => Ok(PREAMBLE_LENGTH as u64),
            (None, None) => Head::length_of(&self.buffer, &self.limits),
        }
    }

    fn complete(&mut self, events: &mut Vec<Event>) -> Result<(), ImageError> {
        let Some(head) = &self.head else {
            if self.buffer.len() == PREAMBLE_LENGTH {
                // The head is longer than this, or the preamble says nonsense.
                return self.wanted().map(drop);
            }
            let head = Rc::new(Head::parse(&std::mem::take(&mut self.buffer), &self.limits)?);
            self.open = head.extents();
            self.open.reverse();
            self.head = Some(Rc::clone(&head));
            events.push(Event::Head(head));
            return Ok(());
        };
        let Some(extent) = self.open.pop() else { return Ok(()) };
        let contents = contents(head, extent, std::mem::take(&mut self.buffer), self.verify)?;
        let part = &head.parts[extent.part];
        if part.kind != PartKind::Manifest {
            events.push(Event::Chunk { extent, contents });
            return Ok(());
        }
        self.manifest.extend_from_slice(&contents);
        if extent.chunk + 1 == part.chunks.len() {
            let manifest = Manifest::parse(&std::mem::take(&mut self.manifest), head)?;
            events.push(Event::Manifest(Box::new(manifest)));
        }
        Ok(())
    }
}
