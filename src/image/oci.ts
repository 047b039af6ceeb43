import { z } from "zod";
import { imageError } from "./image-error.js";
import { isDigest } from "./reference.js";

/** Media types of image-spec 1.1 and of Docker's schema 2. */
export const MEDIA = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

export const INDEX_TYPES: readonly string[] = [MEDIA.ociIndex, MEDIA.dockerList];
export const MANIFEST_TYPES: readonly string[] = [MEDIA.ociManifest, MEDIA.dockerManifest];

/** Bytes of a manifest, index or config at most: registries take manifests of 4 MiB (distribution-spec 1.1). */
export const DOCUMENT_MAX = 8 << 20;
const LAYERS_MAX = 512;

const digest = z.string().refine(isDigest, "is no digest");
const platform = z.looseObject({ architecture: z.string(), os: z.string(), variant: z.string().optional(), "os.version": z.string().optional() });
const descriptor = z.looseObject({
  mediaType: z.string(),
  digest,
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: platform.optional(),
});
const manifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(LAYERS_MAX),
  annotations: z.record(z.string(), z.string()).optional(),
});
const index = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptor),
});
const texts = z.array(z.string()).nullish();
const flags = z.record(z.string(), z.unknown()).nullish();
const config = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  created: z.string().nullish(),
  author: z.string().optional(),
  config: z
    .looseObject({
      User: z.string().nullish(),
      ExposedPorts: flags,
      Env: texts,
      Entrypoint: texts,
      Cmd: texts,
      Volumes: flags,
      WorkingDir: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.looseObject({ type: z.literal("layers"), diff_ids: z.array(digest).max(LAYERS_MAX).nullable().transform((ids) => ids ?? []) }),
  history: z
    .array(z.looseObject({ created: z.string().nullish(), created_by: z.string().optional(), comment: z.string().optional(), author: z.string().optional(), empty_layer: z.boolean().optional() }))
    .nullish(),
});

export type Platform = z.infer<typeof platform>;
export type Descriptor = z.infer<typeof descriptor>;
export type Manifest = z.infer<typeof manifest>;
export type ImageIndex = z.infer<typeof index>;
export type ImageConfig = z.infer<typeof config>;

/** @throws BrigError BRIG_BAD_IMAGE */
export const parseManifest = (bytes: Uint8Array, what: string): Manifest => parse(manifest, bytes, what);
/** @throws BrigError BRIG_BAD_IMAGE */
export const parseIndex = (bytes: Uint8Array, what: string): ImageIndex => parse(index, bytes, what);
/** @throws BrigError BRIG_BAD_IMAGE */
export const parseConfig = (bytes: Uint8Array, what: string): ImageConfig => parse(config, bytes, what);

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  const result = schema.safeParse(parseJson(bytes, what));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw imageError("BRIG_BAD_IMAGE", `${what} makes no sense: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw imageError("BRIG_BAD_IMAGE", `${what} is no JSON`, undefined, error);
  }
}

/** What a manifest is, by what it says of itself or by what is in it. */
export function findMediaType(bytes: Uint8Array, said: string | undefined, what: string): string {
  const document = parseJson(bytes, what) as { mediaType?: unknown; manifests?: unknown; layers?: unknown; schemaVersion?: unknown } | null;
  if (typeof document !== "object" || document === null) throw imageError("BRIG_BAD_IMAGE", `${what} is no manifest`);
  if (document.schemaVersion === 1) throw imageError("BRIG_BAD_IMAGE", `${what} is a manifest of Docker's schema 1, which nothing vouches for`, "push the image again with a newer docker");
  if (typeof document.mediaType === "string") return document.mediaType;
  if (Array.isArray(document.manifests)) return MEDIA.ociIndex;
  return said !== undefined && MANIFEST_TYPES.includes(said) ? said : MEDIA.ociManifest;
}
