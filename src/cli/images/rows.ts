import { createdMs, familiarDigests, sizeOfImage } from "../../image/describe.js";
import { imageError } from "../../image/image-error.js";
import { matchesPattern } from "../../image/match-pattern.js";
import { shortId } from "../../image/progress.js";
import { formatRepository, type Reference } from "../../image/reference.js";
import { searchImage } from "../../image/store/find.js";
import type { ImageStore } from "../../image/store/open.js";
import type { StoredImage } from "../../image/store/stored-image.js";
import { showDockerAge, showDockerSize } from "../output/docker-words.js";

/** A line of `brig images`, with the fields that docker's --format has. */
export interface ImageRow {
  Repository: string;
  Tag: string;
  Digest: string;
  ID: string;
  CreatedSince: string;
  CreatedAt: string;
  Size: string;
  Containers: string;
  SharedSize: string;
  UniqueSize: string;
  VirtualSize: string;
}

const NONE = "<none>";

/** A line for each name, the newest first; with digests a line for each of those too. */
export function listRows(store: ImageStore, images: readonly StoredImage[], { digests, whole }: { digests: boolean; whole: boolean }): ImageRow[] {
  const sorted = images.toSorted((a, b) => createdMs(b) - createdMs(a));
  return sorted.flatMap((image) => {
    const size = showDockerSize(sizeOfImage(store, image));
    const created = createdMs(image);
    return listNames(image, digests).map(({ repository, tag, digest }) => ({
      Repository: repository,
      Tag: tag,
      Digest: digest,
      ID: whole ? image.id : shortId(image.id),
      CreatedSince: showDockerAge(created || Number.NaN),
      CreatedAt: showTime(created),
      Size: size,
      Containers: "N/A",
      SharedSize: "N/A",
      UniqueSize: "N/A",
      VirtualSize: size,
    }));
  });
}

function listNames(image: StoredImage, digests: boolean): { repository: string; tag: string; digest: string }[] {
  const known = familiarDigests(image).map((text) => text.split("@") as [string, string]);
  const tagged = image.names.filter(({ tag }) => tag !== undefined).map((name) => {
    const repository = formatRepository(name);
    return { repository, tag: name.tag!, digest: (digests && known.find(([each]) => each === repository)?.[1]) || NONE };
  });
  const named = new Set(tagged.map(({ repository }) => repository));
  const others = known.filter(([repository]) => !named.has(repository)).map(([repository, digest]) => ({ repository, tag: NONE, digest: digests ? digest : NONE }));
  const rows = [...tagged, ...others];
  return rows.length > 0 ? rows : [{ repository: NONE, tag: NONE, digest: NONE }];
}

/** "2024-05-18 00:00:00 +0000 UTC", as Go prints a time. */
export function showTime(ms: number): string {
  return `${new Date(ms).toISOString().replace("T", " ").slice(0, 19)} +0000 UTC`;
}

type Filter = (image: StoredImage, images: readonly StoredImage[]) => boolean;

const FILTERS: Record<string, (value: string) => Filter> = {
  dangling: (value) => (image) => (image.names.length === 0 && image.repoDigests.length === 0) === readBoolean(value),
  label: (value) => (image) => hasLabel(image, value),
  reference: (value) => (image) => image.names.some((name) => matchesPattern(value, name)),
  before: (value) => (image, images) => createdMs(image) < createdMs(mustFind(images, value)),
  since: (value) => (image, images) => createdMs(image) > createdMs(mustFind(images, value)),
  until: (value) => (image) => createdMs(image) < readUntil(value),
};

/** Those that match: several filters of one kind, any of them; of several kinds, each. @throws BrigError BRIG_BAD_VALUE */
export function filterImages(images: readonly StoredImage[], filters: readonly string[], operand?: string): StoredImage[] {
  const parsed = filters.map(parseFilter);
  const keys = [...new Set(parsed.map(({ key }) => key))];
  return images.filter((image) => (operand === undefined || isAsked(image, operand)) && keys.every((key) => parsed.some((filter) => filter.key === key && filter.matches(image, images))));
}

function isAsked(image: StoredImage, operand: string): boolean {
  return image.names.some((name) => matchesPattern(operand, name));
}

/** Of an image with several names, those that were asked for. */
export function narrowNames(image: StoredImage, patterns: readonly string[]): StoredImage {
  const names = patterns.length === 0 ? image.names : image.names.filter((name: Reference) => patterns.some((pattern) => matchesPattern(pattern, name)));
  return { ...image, names };
}

function parseFilter(text: string): { key: string; matches: Filter } {
  const split = text.indexOf("=");
  const key = text.slice(0, Math.max(0, split));
  if (!Object.hasOwn(FILTERS, key)) throw imageError("BRIG_BAD_VALUE", `invalid filter '${text}'`, `KEY=VALUE with one of the keys ${Object.keys(FILTERS).join(", ")}`);
  return { key, matches: FILTERS[key]!(text.slice(split + 1)) };
}

function readBoolean(text: string): boolean {
  if (!/^(true|false|1|0)$/.test(text)) throw imageError("BRIG_BAD_VALUE", `invalid filter 'dangling=${text}'`, "true or false");
  return text === "true" || text === "1";
}

function hasLabel({ config }: StoredImage, text: string): boolean {
  const labels = config.config?.Labels ?? {};
  const split = text.indexOf("=");
  return split < 0 ? Object.hasOwn(labels, text) : Object.hasOwn(labels, text.slice(0, split)) && labels[text.slice(0, split)] === text.slice(split + 1);
}

function mustFind(images: readonly StoredImage[], text: string): StoredImage {
  const found = searchImage(images, text);
  if (!found) throw imageError("BRIG_NO_IMAGE", `No such image: ${text}`);
  return found.image;
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };

/** "24h", or a date. */
function readUntil(text: string): number {
  const parts = [...text.matchAll(/(\d+)([smh])/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join("") === text) return Date.now() - parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit!]!, 0);
  const time = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isFinite(time)) throw imageError("BRIG_BAD_VALUE", `invalid filter 'until=${text}'`, "a duration as 24h, or a date");
  return time;
}

