//! Checkpoints: an interpreter that is at rest goes back to what it was, in place.
//!
//! A checkpoint has the pages of linear memory, each kept once however many checkpoints have it, and what is outside of
//! memory: files, what Emscripten's glue keeps ([`Moment`]), what JavaScript holds of Python's ([`SavedHandles`]), and what
//! is known of packages and mounts.

mod slabs;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use futures::lock::MutexGuard;
use taipan_core::checkpoint::{PageStore, Pages};
use taipan_core::vfs::{LayerId, SavedFiles};

use self::slabs::Slabs;
use crate::archive_bytes::ArchiveBytes;
use crate::boot::Interpreter;
use crate::boundary::CheckpointInfo;
use crate::emscripten::handles::SavedHandles;
use crate::emscripten::moment::{self, Moment};
use crate::error::{Code, Error, Result};
use crate::global;
use crate::packages::SavedPackages;

/// The most bytes of memory that checkpoints hold, unless it is said.
const LIMIT: u64 = 256 << 20;

/// The checkpoints of one interpreter.
pub struct Checkpoints {
    limit: u64,
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Kept {
    last: u32,
    checkpoints: BTreeMap<u32, Checkpoint>,
    store: PageStore,
    slabs: Slabs,
}

struct Checkpoint {
    pages: Pages,
    moment: Moment,
    files: SavedFiles,
    handles: SavedHandles,
    packages: SavedPackages,
    mounts: HashMap<String, LayerId>,
}

impl Checkpoints {
    /// None, and the most bytes of memory that there may be.
    pub fn new(limit: Option<f64>) -> Self {
        Self { limit: limit.map_or(LIMIT, |limit| limit as u64), kept: RefCell::default() }
    }

    /// Keeps the interpreter as it is. The oldest checkpoints make room for it, once it is kept.
    ///
    /// # Errors
    /// [`Code::NotSupported`] for what could not be gone back to, [`Code::OutOfMemory`]: then the others are still there.
    pub async fn take(&self, interpreter: &Interpreter) -> Result<CheckpointInfo> {
        let _rest = rest(interpreter).await?;
        self.take_at_rest(interpreter)
    }

    #[inline(never)]
    fn take_at_rest(&self, interpreter: &Interpreter) -> Result<CheckpointInfo> {
        // The glue's tables are gone through, which links them anyway: one that cannot be had has no symbols in them.
        let _ = interpreter.link_all();
        let pages = look_at_memory(interpreter)?;
        let mut kept = self.kept.borrow_mut();
        let moment = {
            let latest = kept.checkpoints.last_key_value().map(|(_, checkpoint)| &checkpoint.moment);
            Moment::now(&interpreter.module, &interpreter.linker, latest)?
        };
        let bytes = pages.bytes();
        if bytes > self.limit {
            return Err(Error::new(
                Code::OutOfMemory,
                format!("A checkpoint needs {bytes} bytes of memory; the limit is {}.", self.limit),
            )
            .hint("Give loadPython a higher `checkpointLimit`, or work with less data."));
        }
        let files = interpreter.files.borrow_mut().save().map_err(|error| {
            Error::new(Code::OutOfMemory, format!("The files cannot be kept for a checkpoint: {error}."))
        })?;
        kept.keep(interpreter, &pages)?;
        let has_evicted = kept.evict(self.limit);
        let bytes = kept.store.own_bytes(&pages) as f64;
        let checkpoint = Checkpoint {
            pages,
            moment,
            files,
            handles: interpreter.handles.save(),
            packages: interpreter.packages.save(),
            mounts: interpreter.mounts.borrow().clone(),
        };
        if kept.checkpoints.is_empty() {
            moment::hold_slots(&interpreter.module, true);
        }
        kept.last += 1;
        let id = kept.last;
        kept.checkpoints.insert(id, checkpoint);
        if has_evicted {
            kept.let_go_of_what_nobody_needs(interpreter)?;
        }
        Ok(CheckpointInfo { id, bytes })
    }

    /// Makes the interpreter be as it was at a checkpoint, which stays. Others stay too, later ones included.
    ///
    /// # Errors
    /// [`Code::CheckpointGone`], [`Code::NotSupported`] while a task cannot be gone back from, and then nothing has changed;
    /// [`Code::Fatal`] if the interpreter is broken afterwards.
    pub async fn roll_back(&self, interpreter: &Interpreter, id: u32) -> Result<()> {
        let _rest = rest(interpreter).await?;
        if self.prepare(interpreter, id)? {
            global::sleep(0.0).await;
        }
        // It may have been disposed of meanwhile.
        self.put_back(interpreter, id)
    }

    /// Ends what has to be ended before memory changes. Says whether that needs what is due to run.
    #[inline(never)]
    fn prepare(&self, interpreter: &Interpreter, id: u32) -> Result<bool> {
        let kept = self.kept.borrow();
        let checkpoint = kept.checkpoints.get(&id).ok_or_else(gone)?;
        Ok(interpreter.handles.prepare(&checkpoint.handles, &interpreter.module))
    }

    #[inline(never)]
    fn put_back(&self, interpreter: &Interpreter, id: u32) -> Result<()> {
        let kept = self.kept.borrow();
        let checkpoint = kept.checkpoints.get(&id).ok_or_else(gone)?;
        let Interpreter { module, linker, files, handles, packages, mounts, .. } = interpreter;
        let now = look_at_memory(interpreter)?;
        let difference = kept.store.difference(&now, &checkpoint.pages);
        let heap = module.heap_u8();
        for copy in difference.copies {
            kept.slabs.put_back(&heap, copy);
        }
        for run in difference.zeros {
            heap.fill(0, run.address() as u32, (run.address() + run.bytes()) as u32);
        }
        files.borrow_mut().roll_back(&checkpoint.files);
        checkpoint.moment.roll_back(module, linker, files)?;
        handles.roll_back(&checkpoint.handles, module);
        packages.roll_back(&checkpoint.packages);
        mounts.replace(checkpoint.mounts.clone());
        kept.clear_abandoned(interpreter)
    }

    /// Lets go of a checkpoint, if it is there.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the glue fails.
    pub fn dispose(&self, interpreter: &Interpreter, id: u32) -> Result<()> {
        if self.kept.borrow().checkpoints.contains_key(&id) { self.let_go(interpreter, id) } else { Ok(()) }
    }

    #[inline(never)]
    fn let_go(&self, interpreter: &Interpreter, id: u32) -> Result<()> {
        let mut kept = self.kept.borrow_mut();
        kept.forget(id);
        if kept.checkpoints.is_empty() {
            moment::hold_slots(&interpreter.module, false);
        }
        kept.let_go_of_what_nobody_needs(interpreter)
    }

    /// Bytes of memory that are kept.
    pub fn bytes(&self) -> u64 {
        self.kept.borrow().store.bytes()
    }
}

impl Kept {
    fn keep(&mut self, interpreter: &Interpreter, pages: &Pages) -> Result<()> {
        let heap = interpreter.module.heap_u8();
        for copy in self.store.keep(pages) {
            if let Err(error) = self.slabs.keep(&heap, copy) {
                self.store.release(pages);
                self.slabs.shrink(&self.store);
                return Err(error);
            }
        }
        Ok(())
    }

    fn forget(&mut self, id: u32) {
        if let Some(checkpoint) = self.checkpoints.remove(&id) {
            self.store.release(&checkpoint.pages);
            self.slabs.shrink(&self.store);
        }
    }

    /// Forgets the oldest until what is kept is within a limit. Says whether there was one.
    fn evict(&mut self, limit: u64) -> bool {
        let mut has_evicted = false;
        while self.store.bytes() > limit
            && let Some((oldest, _)) = self.checkpoints.first_key_value()
        {
            let oldest = *oldest;
            self.forget(oldest);
            has_evicted = true;
        }
        has_evicted
    }

    /// Lets go of what was noted, and is linked, for checkpoints that are not there any more.
    fn let_go_of_what_nobody_needs(&self, interpreter: &Interpreter) -> Result<()> {
        interpreter.handles.retain(self.checkpoints.values().map(|checkpoint| &checkpoint.handles));
        self.clear_abandoned(interpreter)
    }

    fn clear_abandoned(&self, interpreter: &Interpreter) -> Result<()> {
        let moments = self.checkpoints.values().map(|checkpoint| &checkpoint.moment);
        moment::clear_abandoned(&interpreter.module, &interpreter.linker, moments)
    }
}

/// Waits until no package is being brought and no task has its stack elsewhere; as long as what it gives is there, none
/// begins to be brought.
async fn rest(interpreter: &Interpreter) -> Result<MutexGuard<'_, ()>> {
    interpreter.bytecode.note_activity();
    let nothing_loads = interpreter.packages.one_at_a_time().await;
    let has_suspended = || interpreter.handles.callbacks.has_suspended();
    if has_suspended() {
        global::sleep(0.0).await;
    }
    if has_suspended() {
        return Err(Error::new(
            Code::NotSupported,
            "A task waits inside of `run_sync`: its stack is not in memory, so one cannot go back to this moment or from it.",
        )
        .hint("Wait until the task has ended, or cancel it."));
    }
    Ok(nothing_loads)
}

fn look_at_memory(interpreter: &Interpreter) -> Result<Pages> {
    let heap = ArchiveBytes::new(interpreter.module.heap_u8(), &Rc::default());
    Pages::of(&heap).map_err(|error| Error::new(Code::Fatal, format!("CPython's memory cannot be read: {error}.")))
}

fn gone() -> Error {
    Error::new(Code::CheckpointGone, "The checkpoint is not there any more.")
        .hint("It was disposed of, or had to make room for later ones: see `checkpointLimit`. Nothing has changed.")
}
