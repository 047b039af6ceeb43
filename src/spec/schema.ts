import * as z from "zod";
import { absolutePath, id, idMapping, mode, oneOf, text, uint32 } from "./schema-parts.js";
import { hooksSchema, processSchema, rootSchema } from "./schema-process.js";
import { resourcesSchema } from "./schema-resources.js";
import { seccompSchema } from "./schema-seccomp.js";

const PROPAGATIONS = ["shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"];

const mount = z.object({
  destination: absolutePath,
  type: text.exactOptional(),
  source: z.string().exactOptional(),
  options: z.array(text).exactOptional(),
  uidMappings: z.array(idMapping).exactOptional(),
  gidMappings: z.array(idMapping).exactOptional(),
});

const device = z.object({
  type: z.enum(["c", "b", "u", "p"]),
  path: absolutePath,
  major: uint32.exactOptional(),
  minor: uint32.exactOptional(),
  fileMode: mode.exactOptional(),
  uid: id.exactOptional(),
  gid: id.exactOptional(),
});

const offset = z.object({ secs: z.int().exactOptional(), nanosecs: z.int().min(0).max(999_999_999).exactOptional() });

const linux = z.object({
  namespaces: z.array(z.object({ type: z.enum(["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]), path: absolutePath.exactOptional() })).exactOptional(),
  uidMappings: z.array(idMapping).exactOptional(),
  gidMappings: z.array(idMapping).exactOptional(),
  timeOffsets: z.record(oneOf(["monotonic", "boottime"]), offset).exactOptional(),
  devices: z.array(device).exactOptional(),
  cgroupsPath: z.string().exactOptional(),
  resources: resourcesSchema.exactOptional(),
  rootfsPropagation: oneOf(PROPAGATIONS).exactOptional(),
  seccomp: seccompSchema.exactOptional(),
  sysctl: z.record(z.string(), z.string()).exactOptional(),
  maskedPaths: z.array(absolutePath).exactOptional(),
  readonlyPaths: z.array(absolutePath).exactOptional(),
  mountLabel: z.string().exactOptional(),
  personality: z.object({ domain: oneOf(["LINUX", "LINUX32"]), flags: z.array(z.string()).exactOptional() }).exactOptional(),
  intelRdt: z.record(z.string(), z.unknown()).exactOptional(),
});

/** `Spec` as a schema: OCI Runtime Specification 1.2, Linux. Fields that it does not know are left to `findUnknownFields`. */
export const specSchema = z.object({
  ociVersion: z.string().regex(/^1\.\d+\.\d+(-[\w.+-]+)?$/, "must be a 1.x version of the OCI runtime specification"),
  process: processSchema.exactOptional(),
  root: rootSchema.exactOptional(),
  hostname: z.string().max(64).exactOptional(),
  domainname: z.string().max(64).exactOptional(),
  mounts: z.array(mount).exactOptional(),
  hooks: hooksSchema.exactOptional(),
  annotations: z.record(text, z.string()).exactOptional(),
  linux: linux.exactOptional(),
});
