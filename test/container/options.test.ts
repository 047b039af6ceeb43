import assert from "node:assert/strict";
import { test } from "node:test";
import { RUN_OPTIONS } from "../../src/tools/docker/run-options.js";
import { readRunRequest, type RunWords } from "../../src/tools/docker/read-run.js";

/** Words as the grammar splits them. */
function words(...typed: [string, string?][]): RunWords {
  const values = (name: string): string[] => typed.filter(([each]) => each === name).map(([, value = ""]) => value);
  for (const [name] of typed) assert.ok(RUN_OPTIONS.some((option) => option.name === name), name);
  return { has: (name) => values(name).length > 0, value: (name) => values(name).at(-1), values };
}

test("what docker's grammar allows and brig would not do as asked is refused, with a hint", () => {
  const refused: [string, string?][][] = [
    [["attach", "stdout"]], [["attach", "keyboard"]], [["attach", "stdout"], ["attach", "stderr"], ["detach"]], [["attach", "stdin"], ["attach", "stdout"], ["attach", "stderr"]],
    [["log-driver", "syslog"]], [["log-driver", "none"]], [["log-opt", "max-file=3"]], [["log-opt", "tag=x"]], [["sig-proxy", "false"]], [["health-cmd", "true"]], [["health-retries", "3"]],
    [["device", "/dev/null:/dev/x:r"]], [["device", "/dev/null:m"]], [["expose", "80-"]], [["expose", "90-80"]], [["publish", "80:80/sctp"]], [["mount", "type=bind,src=/,dst=/x,size=1"]],
    [["network", "host"], ["ip", "10.0.0.9"]], [["network", "none"], ["network-alias", "a"]], [["volume", "a:/x:sideways"]], [["tmpfs", "/x"], ["restart", "sometimes"]],
  ];
  for (const each of refused) assert.throws(() => readRunRequest(words(...each), [], {}), (error: { code?: string; hint?: string; exitCode?: number }) => error.code === "BRIG_BAD_VALUE" && error.hint !== undefined && error.exitCode === 125, JSON.stringify(each));
});

test("what is understood is in the request", () => {
  const { config, hostConfig, mounts } = readRunRequest(words(["attach", "STDOUT"], ["attach", "stderr"], ["log-opt", "max-size=1m"], ["log-opt", "max-file=2"], ["sig-proxy", "true"], ["device", "/dev/null:/dev/x:rw"], ["expose", "8000-8002/udp"], ["volume", "data:/d:nocopy,ro"], ["stop-timeout", "3"], ["no-healthcheck"]), ["a", "b"], {});
  assert.deepEqual([Object.keys(config.ExposedPorts), config.StopTimeout, config.Healthcheck, config.Cmd], [["8000/udp", "8001/udp", "8002/udp"], 3, { Test: ["NONE"] }, ["a", "b"]]);
  assert.deepEqual([hostConfig.LogConfig.Config, hostConfig.Devices], [{ "max-size": "1m", "max-file": "2" }, [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rw" }]]);
  assert.deepEqual(mounts, [{ Type: "volume", Source: "data", Destination: "/d", RW: false, Mode: "nocopy", Name: "data" }]);
});
