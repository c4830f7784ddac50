/**
 * The data that crosses between the Rust engine and this package. Declared once, beside the Rust code that makes it;
 * the build puts that declaration in this module's place in `dist/`.
 */
export type * from "../../crate/web/src/boundary.d.ts";
