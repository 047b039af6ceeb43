import { imageError } from "../../image/image-error.js";

/** A registry as people name it: nothing is Docker Hub, "https://" and a path are left off. */
export function readServer(word: string | undefined): string {
  const host = (word ?? "docker.io").replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  if (!/^[\w.[\]:-]+$/.test(host)) throw imageError("BRIG_BAD_VALUE", `${JSON.stringify(word)} is no registry`, "HOST or HOST:PORT");
  return host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
}
