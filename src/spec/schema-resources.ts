import * as z from "zod";
import { cpuList, int64, text, uint32, uint64 } from "./schema-parts.js";

/** Bytes, or -1 for no limit. */
const limit = z.number().refine((value) => Number.isInteger(value) && value >= -1 && value <= 2 ** 64, "must be bytes, or -1 for no limit");
/** -1 stands for every number. */
const deviceNumber = z.int().min(-1).max(2 ** 32 - 1);

/** OCI's `linux.resources` (config-linux.md, Control groups). */
export const resourcesSchema = z.object({
  devices: z
    .array(
      z.object({
        allow: z.boolean(),
        type: z.enum(["a", "c", "b"]).exactOptional(),
        major: deviceNumber.exactOptional(),
        minor: deviceNumber.exactOptional(),
        access: z
          .string()
          .regex(/^[rwm]{0,3}$/, "must be letters of rwm")
          .exactOptional(),
      }),
    )
    .exactOptional(),
  memory: z
    .object({
      limit: limit.exactOptional(),
      reservation: limit.exactOptional(),
      swap: limit.exactOptional(),
      kernel: limit.exactOptional(),
      kernelTCP: limit.exactOptional(),
      swappiness: z.int().min(0).max(100).exactOptional(),
      disableOOMKiller: z.boolean().exactOptional(),
      useHierarchy: z.boolean().exactOptional(),
      checkBeforeUpdate: z.boolean().exactOptional(),
    })
    .exactOptional(),
  cpu: z
    .object({
      shares: uint64.exactOptional(),
      quota: int64.exactOptional(),
      burst: uint64.exactOptional(),
      period: uint64.exactOptional(),
      realtimeRuntime: int64.exactOptional(),
      realtimePeriod: uint64.exactOptional(),
      cpus: cpuList.or(z.literal("")).exactOptional(),
      mems: cpuList.or(z.literal("")).exactOptional(),
      idle: z.int().min(0).max(1).exactOptional(),
    })
    .exactOptional(),
  pids: z.object({ limit: int64 }).exactOptional(),
  blockIO: z.looseObject({ weight: z.int().min(0).max(1000).exactOptional(), leafWeight: z.int().min(0).max(1000).exactOptional() }).exactOptional(),
  hugepageLimits: z.array(z.object({ pageSize: z.string().regex(/^[1-9][0-9]*[KMG]B$/, 'must be a size such as "2MB"'), limit: uint64 })).exactOptional(),
  network: z.object({ classID: uint32.exactOptional(), priorities: z.array(z.object({ name: text, priority: uint32 })).exactOptional() }).exactOptional(),
  rdma: z.record(text, z.object({ hcaHandles: uint32.exactOptional(), hcaObjects: uint32.exactOptional() })).exactOptional(),
  unified: z.record(z.string().regex(/^[a-z0-9_]+\.[a-z0-9_.]+$/i, "must be the name of a cgroup's file"), z.string()).exactOptional(),
});
