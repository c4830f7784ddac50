/**
 * Bytecode that comes with this package, by the SHA-256 of the archive whose source it was compiled from: of the standard
 * library of the distribution that is used unless another is named. The build fills the table
 * (`scripts/build/bytecode.mjs`). Where an archive is not in it, its source is compiled on the first visit.
 */
import type { ShippedBytecode } from "./boundary.js";

export const BYTECODE: Record<string, ShippedBytecode> = {};
