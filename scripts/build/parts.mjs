/** The parts of the wasm module that a page fetches only when it needs them. `crate/web/src/part.rs` says when that is. */

const path = (modules) => new RegExp(String.raw`^\$"?taipan_web::(?:${modules})`);
const within = (modules) => new RegExp(`taipan_(?:core|web)::(?:${modules})`);

/** What is done with images while their part comes. */
const notYet = "(?!download::ImageDownload::new)";

/** For `split.mjs`. */
export const PARTS = {
  checkpoint: {
    entry: path("checkpoint::Checkpoints::(?:take_at_rest|prepare|put_back|let_go)"),
    own: within("checkpoint::(?!Checkpoints)|emscripten::moment|emscripten::handles::callbacks::Callbacks::roll_back"),
  },
  image: {
    entry: path(
      `image::${notYet}(?:arrival|bake|copy|download|memory|open|side_modules)::|emscripten::snapshot::(?:(?:capture|heap|references|restore)::|side_modules::SideModules::link_all)`,
    ),
    own: within(
      `image::(?!automatic::AutomaticImage::(?:of|requested|is_in|read|forget|name)\\b|bytes|list)${notYet}|emscripten::snapshot::(?!glue)|boot::restored::(?:finish|let_go_when_idle|modules_of|populate|renew|restore_from)`,
    ),
  },
  resolver: {
    entry: path("install::|packages::frozen::"),
    own: within("install|index_client|index|resolve|requirement"),
  },
};
