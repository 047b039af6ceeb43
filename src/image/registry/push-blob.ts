import { createReadStream } from "node:fs";
import { imageError } from "../image-error.js";
import type { Descriptor } from "../oci.js";
import { blobPath } from "../store/blobs.js";
import type { ImageStore } from "../store/open.js";
import { type HttpAnswer, resolveLocation } from "./http.js";
import { isPassingStatus, PassingFailure, readRetryAfter, retryPassing } from "./retry.js";
import type { RegistrySession } from "./session.js";

const CHUNK = 32 << 20;

export type PushedHow = "exists" | "mounted" | "pushed";

/**
 * Sends a blob of the store unless the registry has it (distribution-spec 1.1, "Pushing blobs"): a repository of the same
 * registry that is known to have it lends it; else it goes in chunks, and goes on behind a cut where the registry knows how.
 *
 * @param lenders repositories to ask, by path
 */
export async function pushBlob(store: ImageStore, session: RegistrySession, path: string, blob: Descriptor, lenders: readonly string[], onProgress?: (current: number, total: number) => void): Promise<PushedHow> {
  if (await isThere(session, path, blob)) return "exists";
  const [lender] = lenders;
  const query = lender === undefined ? "" : `?${new URLSearchParams({ mount: blob.digest, from: lender })}`;
  const opened = await session.send({ method: "POST", path: `${path}/blobs/uploads/${query}`, headers: { "content-length": "0" } });
  if (opened.status === 201) return drain(opened, "mounted");
  if (opened.status !== 202) throw await session.explain(opened);
  await upload(store, session, blob, locate(opened), onProgress);
  return "pushed";
}

async function isThere(session: RegistrySession, path: string, blob: Descriptor): Promise<boolean> {
  const answer = await session.send({ method: "HEAD", path: `${path}/blobs/${blob.digest}` });
  return drain(answer, answer.status === 200);
}

function drain<T>(answer: HttpAnswer, result: T): T {
  answer.body.resume();
  return result;
}

/** Where to go on. @throws BrigError BRIG_REGISTRY_LIES */
function locate(answer: HttpAnswer): URL {
  answer.body.resume();
  if (answer.headers.location === undefined) throw imageError("BRIG_REGISTRY_LIES", `${answer.url.host} does not say where to upload to`);
  return resolveLocation(answer.headers.location, answer.url);
}

async function upload(store: ImageStore, session: RegistrySession, blob: Descriptor, start: URL, onProgress?: (current: number, total: number) => void): Promise<void> {
  let location = start;
  let sent = 0;
  await retryPassing(async (tries) => {
    if (tries > 1) [location, sent] = await askWhere(session, location, sent);
    while (sent < blob.size) {
      const end = Math.min(blob.size, sent + CHUNK);
      const answer = await session.sendOnce(patch(store, blob, location, sent, end, onProgress));
      if (answer.status !== 202 && answer.status !== 201 && answer.status !== 204) throw await explainUpload(session, answer);
      location = locate(answer);
      sent = end;
    }
    const url = new URL(location);
    url.searchParams.set("digest", blob.digest);
    const done = await session.sendOnce({ method: "PUT", path: url, headers: { "content-length": "0" } });
    if (done.status !== 201 && done.status !== 204) throw await explainUpload(session, done);
    done.body.resume();
  });
}

/** What passes is tried again, from where the registry says that it is. */
async function explainUpload(session: RegistrySession, answer: HttpAnswer): Promise<Error> {
  const error = await session.explain(answer);
  return isPassingStatus(answer.status) ? new PassingFailure(error, readRetryAfter(answer)) : error;
}

function patch(store: ImageStore, blob: Descriptor, location: URL, from: number, to: number, onProgress?: (current: number, total: number) => void): Parameters<RegistrySession["sendOnce"]>[0] {
  const body = () => {
    let read = from;
    const source = createReadStream(blobPath(store, blob.digest), { start: from, end: to - 1, highWaterMark: 1 << 18 });
    return source.on("data", (chunk) => onProgress?.((read += chunk.length), blob.size)).pause();
  };
  const headers = { "content-type": "application/octet-stream", "content-length": String(to - from), "content-range": `${from}-${to - 1}` };
  return { method: "PATCH", path: location, headers, body };
}

/** "Range: 0-1023": what the registry has of an upload that was cut. */
async function askWhere(session: RegistrySession, location: URL, sent: number): Promise<[URL, number]> {
  const answer = await session.send({ method: "GET", path: location });
  if (answer.status !== 204 && answer.status !== 202 && answer.status !== 200) throw await session.explain(answer);
  const last = /^(?:bytes=)?0-(\d+)$/.exec(String(answer.headers["range"] ?? ""))?.[1];
  answer.body.resume();
  const next = answer.headers.location === undefined ? location : resolveLocation(answer.headers.location, answer.url);
  return [next, last === undefined ? sent : last === "0" ? 0 : Number(last) + 1];
}
