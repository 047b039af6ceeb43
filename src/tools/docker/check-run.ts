import type { RunWords } from "./read-run.js";
import { refuseValue } from "./values.js";

const LOG_DRIVERS = ["json-file", "local"];
const STREAMS = ["stdin", "stdout", "stderr"];

/**
 * Refuses what docker's grammar allows and this engine would not do as asked: nothing that was typed is passed over.
 * @throws BrigError BRIG_BAD_VALUE
 */
export function checkRunWords(words: RunWords): void {
  checkAttach(words);
  checkLog(words);
  checkHealth(words);
  const proxy = words.value("sig-proxy");
  if (proxy !== undefined && !/^(true|1|t)$/i.test(proxy)) throw refuseValue("--sig-proxy", proxy, "signals always go to the payload", "-d, and docker attach, which ^P ^Q leaves");
  for (const device of words.values("device")) if (/:(?!.*\/)/.test(device) && !/:(rw|rwm|wr)$/.test(device) && /:[rwm]+$/.test(device)) throw refuseValue("--device", device, "a device can be read and written, or is not there", "leave the rights out");
}

/** Output always comes to the caller, or, with -d, to the log. */
function checkAttach(words: RunWords): void {
  const asked = words.values("attach").map((word) => word.toLowerCase());
  const [first] = asked;
  if (first === undefined) return;
  const unknown = asked.find((word) => !STREAMS.includes(word));
  if (unknown !== undefined) throw refuseValue("--attach", unknown, "valid streams are STDIN, STDOUT and STDERR");
  if (words.has("detach")) throw refuseValue("--attach", first, "Conflicting options: -a and -d");
  if (!asked.includes("stdout") || !asked.includes("stderr")) throw refuseValue("--attach", first, "standard output and error come together", "-a stdout -a stderr, and 2>/dev/null for what is not wanted");
  if (asked.includes("stdin") && !words.has("interactive")) throw refuseValue("--attach", "stdin", "standard input is open with -i only", "add -i");
}

function checkLog(words: RunWords): void {
  const driver = words.value("log-driver");
  if (driver !== undefined && !LOG_DRIVERS.includes(driver)) throw refuseValue("--log-driver", driver, `logger: no log driver named '${driver}' is registered`, LOG_DRIVERS.join(", "));
  for (const option of words.values("log-opt")) {
    const [name, value] = option.split("=", 2);
    if (name === "max-size") continue;
    if (name !== "max-file") throw refuseValue("--log-opt", option, `unknown log opt '${name}'`, "max-size, max-file");
    if (value !== "2") throw refuseValue("--log-opt", option, "a log is kept in two files, the current one and the one before", "max-file=2, and half the max-size");
  }
}

function checkHealth(words: RunWords): void {
  const asked = ["health-cmd", "health-interval", "health-retries", "health-start-period", "health-timeout"].find((name) => words.value(name) !== undefined);
  if (asked !== undefined) throw refuseValue(`--${asked}`, words.value(asked)!, "health checks are not run yet", "--no-healthcheck, and docker exec from a timer");
}
