//! Where the bytes of an image are.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared, ready};
use js_sys::Uint8Array;
use taipan_core::source::{ByteSource, SharedSource, SourceError};

use super::arrival::Arrival;
use crate::error::Result;

/// The bytes of an image, until they are let go of.
#[derive(Clone)]
pub struct ImageBytes {
    is_compared: bool,
    place: RefCell<Option<Place>>,
    confirmation: Option<Confirmation>,
}

/// Ends when somebody has said that bytes may be used, or why not.
pub type Confirmation = Shared<LocalBoxFuture<'static, Result<()>>>;

#[derive(Clone)]
enum Place {
    /// In the store.
    Stored(SharedSource),
    /// In JavaScript's memory, as far as they have come.
    Arriving(Rc<Arrival>),
}

impl ImageBytes {
    /// What this browser has written itself: only accidents can have changed it.
    pub fn stored(source: SharedSource) -> Self {
        Self { is_compared: false, place: RefCell::new(Some(Place::Stored(source))), confirmation: None }
    }

    /// As [`ImageBytes::stored`], of which it turns out later whether nothing has taken their place.
    pub fn copied(source: SharedSource, confirmation: Confirmation) -> Self {
        Self { confirmation: Some(confirmation), ..Self::stored(source) }
    }

    /// What comes from somewhere else; `is_compared` if all of it will have been compared with a hash when it is whole.
    pub fn arriving(arrival: Rc<Arrival>, is_compared: bool) -> Self {
        Self { is_compared, place: RefCell::new(Some(Place::Arriving(arrival))), confirmation: None }
    }

    /// Whether no checksum of a part is needed, because nothing runs before all bytes have been compared with their hash.
    pub fn is_compared(&self) -> bool {
        self.is_compared
    }

    /// Whether they are those of this transfer.
    pub fn is_of(&self, transfer: &Rc<Arrival>) -> bool {
        matches!(&*self.place.borrow(), Some(Place::Arriving(arrival)) if Rc::ptr_eq(arrival, transfer))
    }

    /// Waits until the head and the manifest are there.
    ///
    /// # Errors
    /// What keeps them from coming, here and in what follows.
    pub fn beginning(&self) -> LocalBoxFuture<'static, Result<()>> {
        self.arrival().map_or_else(|| ready(Ok(())).boxed_local(), Arrival::beginning)
    }

    /// Waits until there are so many.
    pub fn reached(&self, end: u64) -> LocalBoxFuture<'static, Result<()>> {
        self.arrival().map_or_else(|| ready(Ok(())).boxed_local(), |arrival| arrival.reached(end))
    }

    /// Waits until all are there, and may be used.
    pub fn whole(&self) -> LocalBoxFuture<'static, Result<()>> {
        if let Some(confirmation) = &self.confirmation {
            return confirmation.clone().boxed_local();
        }
        self.arrival().map_or_else(|| ready(Ok(())).boxed_local(), |arrival| arrival.whole())
    }

    /// Whether this browser has them.
    pub fn are_kept(&self) -> bool {
        matches!(&*self.place.borrow(), Some(Place::Stored(_)))
    }

    /// All that have come, if they are none that this browser has.
    pub fn fetched(&self) -> Option<Uint8Array> {
        Some(self.arrival()?.all())
    }

    fn arrival(&self) -> Option<Rc<Arrival>> {
        match &*self.place.borrow() {
            Some(Place::Arriving(arrival)) => Some(Rc::clone(arrival)),
            _ => None,
        }
    }

    /// Bytes that are in JavaScript's memory, as they are there.
    pub fn bytes(&self, offset: u64, length: u64) -> Option<Uint8Array> {
        self.arrival()?.bytes(offset, length)
    }

    /// Lets go of the bytes.
    pub fn release(&self) {
        *self.place.borrow_mut() = None;
    }

    /// Whether they have been let go of.
    pub fn is_released(&self) -> bool {
        self.place.borrow().is_none()
    }
}

impl ByteSource for ImageBytes {
    fn len(&self) -> u64 {
        match &*self.place.borrow() {
            Some(Place::Stored(source)) => source.len(),
            Some(Place::Arriving(arrival)) => arrival.len(),
            None => 0,
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        match &*self.place.borrow() {
            Some(Place::Stored(source)) => source.read_at(offset, buffer),
            Some(Place::Arriving(arrival)) => arrival.read_at(offset, buffer),
            None => Err(SourceError::Host("it has been let go of".to_owned())),
        }
    }
}
