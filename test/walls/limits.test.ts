import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { compileMarked } from "./marked-plan.js";
import { readRecords, type Told } from "./records.js";
import { identities, openStage, readAnswers, type Stage } from "./stage.js";

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

for (const who of identities)
  describe(`limits, as ${who.name}`, () => {
    it("a fork bomb ends at --pids", async (t) => {
      const ran = await stage.run(who, ["--pids", "50"], [await stage.fixture("fork-bomb"), "400"]);
      if (ran.code === 125 && who.name === "user") return t.skip(ran.stderr);
      const count = Number(ran.stdout.split("\n")[0]);
      assert.ok(count > 20 && count < 50, `${count} children: ${ran.stderr}`);
      assert.equal(readAnswers(ran)["fork"], "EAGAIN");
    });

    it("processes are limited by default", async () => {
      const ran = await stage.run(who, [], [await stage.fixture("fork-bomb"), "2500"]);
      assert.ok(Number(ran.stdout.split("\n")[0]) <= 1024, ran.stdout);
    });

    it("a bomb of which every process forks is ended by --timeout, and nothing of it is left", async () => {
      const began = Date.now();
      const ran = await stage.run(who, ["--pids", "64", "--timeout", "400ms", "--grace", "200ms"], [await stage.fixture("fork-bomb-deep")]);
      assert.ok(ran.code === 124 || ran.code === 137, `status ${ran.code} ${ran.stderr}`);
      assert.ok(Date.now() - began < 5000);
    });

    it("--timeout ends the whole tree, those that ignore SIGTERM and new sessions too", async () => {
      const began = Date.now();
      const ran = await stage.sh(who, ["--timeout", "300ms", "--grace", "300ms"], "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 63001' & sleep 63001; sleep 63001");
      assert.equal(ran.code, 137, ran.stderr);
      assert.ok(Date.now() - began < 4000, `${Date.now() - began} ms`);
    });

    it("a payload that heeds the stop signal ends with 124", async () => {
      const ran = await stage.run(who, ["--timeout", "200ms"], ["sleep", "100"]);
      assert.equal(ran.code, 124, ran.stderr);
    });

    it("--memory holds: what takes more is killed", async (t) => {
      const ran = await stage.run(who, ["--memory", "48MiB"], [await stage.fixture("eat-memory"), "256"]);
      if (ran.code === 125 && who.name === "user") return t.skip(ran.stderr.split("\n")[0]);
      assert.equal(ran.code, 137, ran.stdout + ran.stderr);
      assert.doesNotMatch(ran.stdout, /eaten/);
      const less = await stage.run(who, ["--memory", "48MiB"], [await stage.fixture("eat-memory"), "16"]);
      assert.deepEqual([less.stdout, less.code], ["eaten: ok\n", 0]);
    });

    it("what ended it is told: memory that ran out, time that ran out, or neither", async (t) => {
      const told = async (name: string, options: string[], command: string[]): Promise<Told["exited"]> => {
        const { write, folder } = await compileMarked(stage, who, `told-${name}-${who.name}`, options, command);
        const status = openSync(join(folder, "status"), "w+");
        try {
          await stage.brigAs(who, ["--plan", write("plan"), "--status", "3"], { stdio: ["pipe", "pipe", "pipe", status] });
          return readRecords(readFileSync(join(folder, "status"))).exited;
        } finally {
          closeSync(status);
        }
      };
      assert.deepEqual(await told("none", [], ["sh", "-c", "kill -9 $$"]), { status: 9, oomKilled: false, timedOut: false });
      assert.deepEqual(await told("time", ["--timeout", "100ms"], ["sleep", "9"]), { status: 15, oomKilled: false, timedOut: true });
      if (who.name === "user") return t.diagnostic("memory is limited for root alone here");
      assert.deepEqual(await told("memory", ["--memory", "32MiB"], [await stage.fixture("eat-memory"), "200"]), { status: 9, oomKilled: true, timedOut: false });
    });

    it("files in memory count as memory", async (t) => {
      const ran = await stage.sh(who, ["--memory", "48MiB"], "head -c 200000000 /dev/zero > /tmp/big; stat -c %s /tmp/big");
      if (ran.code === 125 && who.name === "user") return t.skip(ran.stderr.split("\n")[0]);
      assert.ok(ran.code === 137 || Number(ran.stdout) < 48 * 2 ** 20, ran.stdout + ran.stderr);
    });

    it("--cpus limits the time that is used", async (t) => {
      const ran = await stage.run(who, ["--cpus", "0.2"], ["/bin/bash", "-c", 'end=$((${EPOCHREALTIME/./}+1000000)); while [ ${EPOCHREALTIME/./} -lt $end ]; do :; done; times | tail -2 | head -1; times | head -1']);
      if (ran.code === 125) return t.skip(ran.stderr.split("\n")[0]);
      const used = Math.max(...[...ran.stdout.matchAll(/0m([\d.]+)s/g)].map(([, seconds]) => Number(seconds)));
      assert.ok(used < 0.6, `${used} s of 1 s`);
    });

    it("--rlimit is what the payload has", async () => {
      const ran = await stage.sh(who, ["--rlimit", "nofile=77"], "ulimit -n; ulimit -Hn; ulimit -n 78 2>/dev/null || echo held");
      assert.equal(ran.stdout, "77\n77\nheld\n");
    });
  });
