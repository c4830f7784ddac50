//! Side modules that are not called at once, as files beside an image.

use super::{
    Baked, ContentHash, Image, ImageError, ImageWriter, Limits, LinkedModule, ModuleBytes, PartKind, SHIM,
    SideModuleImages,
};

/// The folder that they are in, from where the image is.
const FOLDER: &str = "modules";

/// An image that has been taken apart.
#[derive(Debug, Clone)]
pub struct Detached {
    /// The image.
    pub image: Vec<u8>,
    /// The files beside it.
    pub files: Vec<DetachedFile>,
}

/// A side module that is a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachedFile {
    /// Where it belongs, from where the image is. It has a part of the file's hash: content at an address never changes.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: ContentHash,
}

/// Takes the side modules out of an image that need not be linked when it is restored, and of which `is_hot` says that they
/// are not called soon: it is asked for the first name of each. Those that stay are linked at once.
///
/// The image that is left is another: it has another name. The same image and the same answers make the same bytes.
///
/// # Errors
/// [`ImageError::Inconsistent`] if some have been taken out before, and whatever else is wrong with the image.
pub fn detach(image: &Image, is_hot: impl Fn(&str) -> bool, limits: &Limits) -> Result<Detached, ImageError> {
    let head = image.head();
    let mut manifest = image.manifest()?;
    let mut modules = SideModuleImages::default();
    for module in &mut manifest.modules {
        let ModuleBytes::Part { name } = &module.bytes else {
            return Err(ImageError::Inconsistent { what: "side modules", reason: "one is not in the image" });
        };
        modules.bytes.push(image.part(head.find(name)?)?);
        module.is_hot |= is_hot(first_name(module));
    }
    modules.prepare(&mut manifest);
    let mut files = Vec::new();
    let mut hot = Vec::new();
    for (module, bytes) in manifest.modules.iter_mut().zip(modules.bytes) {
        if let (true, ModuleBytes::Part { name }) = (module.is_hot, &module.bytes) {
            hot.push((name.clone(), bytes));
            continue;
        }
        let sha256 = ContentHash::of(&bytes);
        let path = path_of(first_name(module), &sha256);
        module.bytes = ModuleBytes::File { path: path.clone(), length: bytes.len() as u64, sha256 };
        files.push(DetachedFile { path, bytes, sha256 });
    }

    let mut body = Vec::new();
    let mut writer = ImageWriter::new(manifest, |_| None, |bytes| body.extend_from_slice(bytes));
    let is_copied = |kind: PartKind| matches!(kind, PartKind::Files | PartKind::Other);
    for part in (0..head.parts.len()).filter(|part| is_copied(head.parts[*part].kind)) {
        writer.copy(image, part)?;
    }
    for (name, bytes) in &hot {
        writer.part(PartKind::Module, name, [bytes]);
    }
    if let Some(shim) = &modules.shim {
        writer.part(PartKind::Module, SHIM, [shim]);
    }
    if let Some(memory) = head.find_kind(PartKind::Memory) {
        writer.copy(image, memory)?;
    }
    let Baked { bytes: mut whole, .. } = writer.finish(head.identity.clone(), head.parent, limits)?;
    whole.extend(body);
    Ok(Detached { image: whole, files })
}

fn first_name(module: &LinkedModule) -> &str {
    module.names.first().map_or("", String::as_str)
}

/// Where a side module goes: under its own name as far as that can be one of a file, which tells people what it is.
fn path_of(name: &str, sha256: &ContentHash) -> String {
    let name = name.rsplit('/').next().unwrap_or_default();
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let name: String = name.split('.').next().unwrap_or_default().chars().filter(is_plain).collect();
    format!("{FOLDER}/{name}-{}.wasm", &sha256.to_string()[..16])
}
