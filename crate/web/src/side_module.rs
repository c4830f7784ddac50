//! Side modules that are served as files of their own.
//!
//! The answer itself goes to the compiler: the bytes never come to this thread, and the browser can keep the compiled code
//! with them. It is the browser, too, that checks the hash (Subresource Integrity).

use js_sys::{Promise, WebAssembly};
use taipan_core::prepared::SideModuleFile;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestInit;

use crate::boundary::Stage;
use crate::emscripten::linker::CompiledModule;
use crate::error::{Code, Result};
use crate::fetch::{Fetcher, Label, Sources, settle};
use crate::global;

/// Fetches a side module from now on, and compiles it while it streams.
///
/// # Errors
/// Those of [`Fetcher::download`], [`Code::Integrity`] naming the file, [`Code::BadWasm`].
pub fn compile(
    module: &SideModuleFile,
    directory: &str,
    base_urls: &[String],
    fetcher: &Fetcher,
) -> impl Future<Output = Result<CompiledModule>> + use<> {
    let file = module.clone();
    let sources = Sources::in_folders(base_urls, &file.file_name).with_sha256(&file.sha256);
    let path = format!("{directory}/{}", module.path);
    let url = sources.mirrors.first().cloned().unwrap_or_default();
    let streaming = start(&url, &file.sha256, fetcher);
    let fetcher = fetcher.clone();
    async move {
        let timeline = fetcher.timeline();
        let name = file.file_name.rsplit('/').next().unwrap_or_default();
        let size = file.size as f64;
        let module = if let Some(module) = finish(streaming).await {
            timeline.add_bytes(size);
            timeline.report(Stage::Download, name, size, Some(size));
            module
        } else {
            // The browser does not say what it was: no connection, another hash, or a server that has no type for it. The
            // bytes tell.
            let label = Label { stage: Stage::Download, name, size: Some(size) };
            let (bytes, _) = fetcher.download_from(sources, label).await?;
            let context = format!("{name} is not WebAssembly that this browser can compile");
            settle(Code::BadWasm, &context, WebAssembly::compile(&bytes)).await?.unchecked_into()
        };
        timeline.add_compiled();
        fetcher.check_aborted()?;
        Ok(CompiledModule::new(path, module, file.size))
    }
}

fn start(url: &str, sha256: &str, fetcher: &Fetcher) -> std::result::Result<Promise, JsValue> {
    let init = RequestInit::new();
    init.set_integrity(&format!("sha256-{}", base64(sha256)));
    init.set_signal(fetcher.signal());
    Ok(WebAssembly::compile_streaming(&global::fetch(url, &init)?))
}

async fn finish(streaming: std::result::Result<Promise, JsValue>) -> Option<WebAssembly::Module> {
    JsFuture::from(streaming.ok()?).await.ok().map(JsCast::unchecked_into)
}

/// A hash of 64 hexadecimal digits as the `integrity` option wants it (RFC 4648, section 4).
fn base64(hexadecimal: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = hexadecimal.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let mut text = String::with_capacity(44);
    // Three digits are twelve bits, two letters. 64 digits leave one over: four bits, and two that are zero.
    for group in digits.chunks(3) {
        let bits = group.iter().fold(0, |bits, digit| bits << 4 | digit) << (4 * (3 - group.len()));
        let letters = [bits >> 6, bits & 63];
        let used = (group.len() * 4).div_ceil(6);
        text.extend(letters.iter().take(used).map(|letter| LETTERS[*letter as usize & 63] as char));
    }
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn hashes_are_written_as_the_integrity_option_wants_them() {
        // FIPS 180-4, the example "abc", and the same in base64 by `openssl dgst -sha256 -binary | base64`.
        assert_eq!(
            base64("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }
}
