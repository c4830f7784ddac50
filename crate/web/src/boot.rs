//! Starting Python.
//!
//! Everything that has to come over the network is asked for at once, before anything is waited for but the store, which
//! may keep an image: the glue, the interpreter's module (compiled while it streams), the standard library, the lock file,
//! and, as soon as the lock file says which they are, the packages wanted at start. Where there is an image that fits, Python
//! is restored from it; else it is started from the beginning.

mod beginning;
mod files;
mod glue;
mod ground;
mod image_source;
mod interpreter;
mod known;
mod lock;
mod module;
mod restored;
mod standard_library;

use std::rc::Rc;

use web_sys::AbortSignal;

use self::files::DistributionFiles;
use self::ground::{Ground, open_store};
use self::image_source::{ImageSource, may_need_no_core};
pub use self::interpreter::Interpreter;
use crate::boundary::{BootOptions, EngineHost};
use crate::error::Result;
use crate::fetch::Network;
use crate::pyodide::Configuration;
use crate::timeline::Timeline;

/// What Python is started for.
pub enum Face {
    /// `python.run`, with streams, signals and displays of its own.
    Session,
    /// Programs written for Pyodide, which get Pyodide's own API.
    Pyodide(Configuration),
}

impl Face {
    /// Pyodide's configuration, where that is the face.
    fn configuration(&self) -> Option<&Configuration> {
        match self {
            Self::Session => None,
            Self::Pyodide(configuration) => Some(configuration),
        }
    }
}

/// Starts Python: from an image where there is one that fits, else from the beginning.
///
/// # Errors
/// Typed as in `boundary.d.ts`; every failure rejects within the time it takes to notice it.
pub async fn boot(
    options: BootOptions,
    face: Face,
    host: EngineHost,
    signal: Option<AbortSignal>,
) -> Result<Interpreter> {
    let timeline = Rc::new(Timeline::start(host.clone()));
    let network = Network::new(Rc::clone(&timeline), options.stall_timeout);
    let fetcher = network.fetcher(signal);
    let mut distribution = DistributionFiles::request(&options, &fetcher, &host);
    let face = Rc::new(face);
    let store = open_store(&options, &host);
    let ground = || Ground::new(&options, &face, &host, &store, &network, &fetcher);
    let sources = ImageSource::all(&options);
    if !may_need_no_core(&sources, &options, &distribution, &store).await {
        distribution.request_core();
    }
    for source in sources {
        if options.forget_image {
            source.forget(&store.clone().await).await;
            continue;
        }
        match restored::restore(&ground, &mut distribution, &source).await {
            Ok(Some(interpreter)) => return Ok(interpreter),
            Ok(None) => {}
            Err(error) => {
                fetcher.check_aborted()?;
                timeline.note_refusal(&error);
                source.refuse(&error, &store.clone().await).await;
            }
        }
    }
    beginning::from_beginning(ground(), distribution).await
}
