import type { Readable } from "node:stream";
import { importImage, type ImportOptions } from "../image/archive/import.js";
import { loadImages, type LoadOptions } from "../image/archive/load.js";
import { saveImages } from "../image/archive/save.js";
import { describeImage, familiarDigests, sizeOfImage } from "../image/describe.js";
import { tagImage } from "../image/names.js";
import { parsePlatform } from "../image/platform.js";
import type { ProgressEvent } from "../image/progress.js";
import { pruneImages } from "../image/prune.js";
import { pullImage } from "../image/pull.js";
import { pushImage } from "../image/push.js";
import { formatFamiliar, parseReference } from "../image/reference.js";
import { removeImage } from "../image/remove.js";
import { resolveImage } from "../image/resolve.js";
import { findImage } from "../image/store/find.js";
import { type ImageStore, openImageStore } from "../image/store/open.js";
import { listImages, type StoredImage } from "../image/store/stored-image.js";

export interface ImageInfo {
  /** "sha256:…": the config's digest. */
  id: string;
  /** "debian:12". */
  names: string[];
  /** "debian@sha256:…", as registries know it. */
  digests: string[];
  /** Of all files, in bytes. */
  size: number;
  created: Date | undefined;
  os: string;
  architecture: string;
}

export interface ImageProgress {
  signal?: AbortSignal;
  /** Docker's words, a line or a layer's state each. */
  onProgress?: (event: ProgressEvent) => void;
}

/**
 * The images of a user. Any number of these, in any number of processes, work on one store at once.
 *
 * All methods throw BrigError: BRIG_NO_IMAGE, BRIG_BAD_REFERENCE, BRIG_REGISTRY_…, BRIG_DIGEST_MISMATCH, BRIG_NO_SPACE …
 */
export class Images {
  private constructor(private readonly store: ImageStore) {}

  /** @param options.data the data folder: /var/lib/brig for root, else ~/.local/share/brig */
  static async open(options: { data?: string } = {}): Promise<Images> {
    return new Images(await openImageStore(options));
  }

  /** Gets an image from its registry and unpacks it. */
  async pull(name: string, { platform, ...options }: ImageProgress & { platform?: string } = {}): Promise<ImageInfo> {
    const reference = parseReference(name);
    const { id } = await pullImage(this.store, reference, { ...options, ...(platform === undefined ? {} : { platform: parsePlatform(platform) }) });
    return await this.get(id);
  }

  /** Sends an image to the registry of its name. @returns the manifest's digest */
  async push(name: string, options: ImageProgress = {}): Promise<string> {
    return (await pushImage(this.store, parseReference(name), options)).digest;
  }

  async list(): Promise<ImageInfo[]> {
    return (await listImages(this.store)).map((image) => this.#show(image));
  }

  /** By a name, an id or the beginning of one. */
  async get(word: string): Promise<ImageInfo> {
    return this.#show((await findImage(this.store, word)).image);
  }

  /** What `docker image inspect` prints. */
  async inspect(word: string): Promise<Record<string, unknown>> {
    return describeImage(this.store, (await findImage(this.store, word)).image);
  }

  async tag(word: string, name: string): Promise<void> {
    await tagImage(this.store, word, parseReference(name));
  }

  /** Takes a name away, and the image with its last one. */
  async remove(word: string, options: { force?: boolean } = {}): Promise<{ untagged: string[]; deleted: string[] }> {
    const { untagged, deleted } = await removeImage(this.store, word, options);
    return { untagged, deleted };
  }

  /** Removes what has no name, with `all` what no container uses. @returns bytes */
  async prune({ all = false }: { all?: boolean } = {}): Promise<number> {
    return (await pruneImages(this.store, all)).bytes;
  }

  /** An archive that docker, podman and skopeo read. */
  async save(words: readonly string[]): Promise<Readable> {
    return await saveImages(this.store, words);
  }

  async load(archive: Readable, options: Omit<LoadOptions, "packed"> = {}): Promise<ImageInfo[]> {
    const loaded = await loadImages(this.store, archive, options);
    return await Promise.all(loaded.map(({ id }) => this.get(id)));
  }

  /** Makes an image of a plain archive of a root. `changes` are lines of a Dockerfile. */
  async import(tar: Readable, { name, platform, ...options }: Omit<ImportOptions, "name" | "platform"> & { name?: string; platform?: string } = {}): Promise<ImageInfo> {
    const id = await importImage(this.store, tar, { ...options, name: name === undefined ? undefined : parseReference(name), platform: platform === undefined ? undefined : parsePlatform(platform) });
    return await this.get(id);
  }

  /** The folders of an image's layers, the lowest first, as an overlay takes them. */
  async layers(word: string): Promise<string[]> {
    return (await resolveImage(this.store, word)).layers.map(({ path }) => path);
  }

  #show(image: StoredImage): ImageInfo {
    const { id, names, config } = image;
    const created = Date.parse(config.created ?? "");
    return {
      id,
      names: names.map(formatFamiliar),
      digests: familiarDigests(image),
      size: sizeOfImage(this.store, image),
      created: Number.isFinite(created) ? new Date(created) : undefined,
      os: config.os,
      architecture: config.architecture,
    };
  }
}
