import type { Readable } from "node:stream";
import type { Container } from "../model.js";
import { packFiles } from "./run-files.js";

/**
 * A container's root as a tar archive, whether it runs or not; of volumes, binds and kernel file systems the empty folders.
 * @throws BrigError BRIG_CANNOT_PACK
 */
export function exportContainer<T>(folder: string, container: Container, use: (tar: Readable) => Promise<T>): Promise<T> {
  return packFiles(folder, container, { what: "root", path: "/", name: "", flags: process.geteuid?.() === 0 ? [] : ["recorded"] }, use);
}
