//! Requirements and what meets them.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use taipan_core::index::CoreMetadata;
use taipan_core::install::{self, Failure, Origin, Outcome, PageAnswer, Places, Question, WishError, constraint, wish};
use taipan_core::lock::LockFile;
use taipan_core::name::PackageName;
use taipan_core::resolve::{PreReleases, ResolveOptions};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Url;

use crate::error::error;

/// Where wheels may be: on the network, or, if the caller says so himself, on this machine.
const SCHEMES: [&str; 3] = ["https:/", "http:/", "file:/"];

/// Where wheels may be that others require.
const NETWORK: [&str; 2] = ["https://", "http://"];

/// A resolution under way.
#[wasm_bindgen]
pub struct Installation(install::Installation);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    requirements: Vec<String>,
    constraints: Vec<String>,
    index_urls: Vec<String>,
    allow_pre_releases: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
enum Step {
    Need { questions: Vec<Asked> },
    Done { packages: Vec<Chosen> },
    Failed { message: String, is_unknown: bool, suggestions: Vec<String> },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
enum Asked {
    Page {
        name: String,
    },
    Metadata {
        name: String,
        file: String,
        url: String,
        is_locked: bool,
        beside: Option<Beside>,
        sha256: Option<String>,
    },
}

#[derive(Serialize)]
struct Beside {
    sha256: Option<String>,
}

#[derive(Serialize)]
struct Chosen {
    name: String,
    version: String,
    file: String,
    depends: Vec<String>,
    wheel: Option<Wheel>,
}

#[derive(Serialize)]
struct Wheel {
    url: String,
    filename: String,
    sha256: Option<String>,
}

#[wasm_bindgen]
impl Installation {
    /// Begins to look for what meets `{ requirements, constraints, indexUrls, allowPreReleases }`.
    ///
    /// # Errors
    /// `BAD_LOCK_FILE`, `BAD_REQUIREMENT`, `WRONG_ABI`.
    #[wasm_bindgen(constructor)]
    pub fn new(lock: &str, options: JsValue) -> Result<Self, JsValue> {
        let options: Options = serde_wasm_bindgen::from_value(options)?;
        let lock = LockFile::parse(lock.as_bytes())
            .map_err(|reason| error("BAD_LOCK_FILE", &format!("The lock file cannot be used: {reason}.")))?;
        let (Some(tags), Some(environment)) = (lock.info().tags(), lock.info().environment()) else {
            let message = format!("The lock file is for ABI {}, which is not known.", lock.info().abi_version);
            return Err(error("WRONG_ABI", &message));
        };
        let refused = |reason: WishError| {
            let code = if matches!(reason, WishError::OtherInterpreter(_)) { "WRONG_ABI" } else { "BAD_REQUIREMENT" };
            // What cannot be read is shown with a mark below the place.
            let end = if matches!(reason, WishError::Requirement(_)) { "" } else { "." };
            error(code, &format!("{reason}{end}"))
        };
        let wishes = options.requirements.iter().map(|text| wish(text, &SCHEMES, &tags));
        let requirements = wishes.collect::<Result<_, _>>().map_err(refused)?;
        let constraints = options.constraints.iter().map(|text| constraint(text, &SCHEMES));
        let mut resolve_options = ResolveOptions::new(environment);
        resolve_options.constraints = constraints.collect::<Result<_, _>>().map_err(refused)?;
        if options.allow_pre_releases {
            resolve_options.pre_releases = PreReleases::Allow;
        }
        let places =
            Places { lock: Rc::new(lock), tags, indexes: options.index_urls, schemes: &NETWORK, loaded: Vec::new() };
        Ok(Self(install::Installation::new(places, requirements, resolve_options)))
    }

    /// The names of what was asked for, without what does not apply here.
    pub fn named(&self) -> Vec<String> {
        self.0.named().iter().map(ToString::to_string).collect()
    }

    /// Goes as far as what is known allows: `{ kind: "need", questions }`, `{ kind: "done", packages }`, or
    /// `{ kind: "failed", message, isUnknown, suggestions }`.
    ///
    /// # Errors
    /// None that is expected.
    pub fn advance(&mut self) -> Result<JsValue, JsValue> {
        let step = match self.0.advance() {
            Outcome::Need(questions) => Step::Need { questions: questions.into_iter().map(asked).collect() },
            Outcome::Failed(Failure { message, is_unknown, suggestions, .. }) => {
                Step::Failed { message, is_unknown, suggestions }
            }
            Outcome::Done(packages) => Step::Done { packages: packages.into_iter().map(chosen).collect() },
        };
        Ok(serde_wasm_bindgen::to_value(&step)?)
    }

    /// Answers a question for a page: what the first index said that has the project.
    ///
    /// # Errors
    /// `BAD_INDEX` if it is no page of the project.
    #[wasm_bindgen(js_name = providePage)]
    pub fn provide_page(&mut self, name: &str, url: &str, content_type: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let name = package(name)?;
        self.0.provide_page(&name, &PageAnswer { url, content_type, bytes }, join).map_err(|reason| {
            error("BAD_INDEX", &format!("{url} is not the page of {name} on a package index: {reason}."))
        })
    }

    /// Answers a question for a page: no index has the project.
    ///
    /// # Errors
    /// `BAD_REQUIREMENT` if that is no name.
    #[wasm_bindgen(js_name = provideNoPage)]
    pub fn provide_no_page(&mut self, name: &str) -> Result<(), JsValue> {
        self.0.provide_no_page(package(name)?);
        Ok(())
    }

    /// Answers a question for metadata.
    ///
    /// # Errors
    /// `BAD_REQUIREMENT` if that is no name.
    #[wasm_bindgen(js_name = provideMetadata)]
    pub fn provide_metadata(&mut self, name: &str, file: String, text: String) -> Result<(), JsValue> {
        self.0.provide_metadata(package(name)?, file, Ok(text));
        Ok(())
    }

    /// Answers a question for metadata: the file cannot be used, for a reason that follows a colon.
    ///
    /// # Errors
    /// `BAD_REQUIREMENT` if that is no name.
    #[wasm_bindgen(js_name = refuse)]
    pub fn refuse(&mut self, name: &str, file: String, reason: String) -> Result<(), JsValue> {
        self.0.provide_metadata(package(name)?, file, Err(reason));
        Ok(())
    }
}

fn package(name: &str) -> Result<PackageName, JsValue> {
    name.parse().map_err(|reason| error("BAD_REQUIREMENT", &format!("{reason}.")))
}

fn asked(question: Question) -> Asked {
    match question {
        Question::Page { name } => Asked::Page { name: name.to_string() },
        Question::Metadata(wheel) => Asked::Metadata {
            name: wheel.name.to_string(),
            file: wheel.file,
            url: wheel.url,
            is_locked: wheel.origin == Origin::Lock,
            beside: match wheel.origin {
                Origin::Index { beside: CoreMetadata::Offered { sha256 }, .. } => Some(Beside { sha256 }),
                _ => None,
            },
            sha256: wheel.sha256,
        },
    }
}

fn chosen(chosen: install::Chosen) -> Chosen {
    Chosen {
        name: chosen.name.to_string(),
        version: chosen.version,
        file: chosen.file,
        depends: chosen.depends.iter().map(ToString::to_string).collect(),
        wheel: chosen.wheel.map(|wheel| Wheel { url: wheel.url, filename: wheel.filename, sha256: wheel.sha256 }),
    }
}

/// An address that may be relative to another, without its fragment; `None` if it is none, or none of a server.
fn join(base: &str, url: &str) -> Option<String> {
    let url = Url::new_with_base(url, base).ok()?;
    url.set_hash("");
    matches!(url.protocol().as_str(), "http:" | "https:").then(|| url.href())
}
