import { mkdirSync } from "node:fs";
import { findDataFolder } from "../sandbox/data-folder.js";

/**
 * Where containers are kept: `containers/ID/` with `container.json`, `rw/upper` and `rw/work` (what the container wrote,
 * and overlayfs' own folder), `hosts`, `hostname`, `resolv.conf`, `plan` (the compiled plan of its last start), `log`,
 * `exit`; `containers/.names/NAME` links to the id; `containers/.places/` is what clones of layers are mounted on.
 */
export function openContainersFolder(): string {
  const data = findDataFolder();
  const folder = `${data}/containers`;
  // clones of layers are mounted below by a process that is nobody on the host; a container's own folder is closed
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

const MOST_LAYERS = 500;

/** Empty folders for `rootLayers.places`, at least this many. */
export function openPlaces(folder: string, count: number): string {
  const places = `${folder}/.places`;
  mkdirSync(`${places}/rw`, { recursive: true, mode: 0o755 });
  for (let index = 0; index < Math.min(count, MOST_LAYERS); index++) mkdirSync(`${places}/${index}`, { recursive: true });
  return places;
}
