/** Every resource limit of Linux (getrlimit(2), asm-generic/resource.h); the place in the list is its number. */
export const RLIMIT_NAMES: readonly string[] = [
  "RLIMIT_CPU",
  "RLIMIT_FSIZE",
  "RLIMIT_DATA",
  "RLIMIT_STACK",
  "RLIMIT_CORE",
  "RLIMIT_RSS",
  "RLIMIT_NPROC",
  "RLIMIT_NOFILE",
  "RLIMIT_MEMLOCK",
  "RLIMIT_AS",
  "RLIMIT_LOCKS",
  "RLIMIT_SIGPENDING",
  "RLIMIT_MSGQUEUE",
  "RLIMIT_NICE",
  "RLIMIT_RTPRIO",
  "RLIMIT_RTTIME",
];

/**
 * RLIM_INFINITY (2^64 - 1) as a JavaScript number, which rounds to 2^64. A limit at or above it is no limit;
 * `formatSpec` writes it as 18446744073709551615, which other runtimes read.
 */
export const RLIMIT_INFINITY = 2 ** 64;
