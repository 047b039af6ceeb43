import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** Debian's docker-registry on loopback, gone with the test; "HOST:PORT". */
export async function startRegistry(t: TestContext, extra = ""): Promise<string> {
  const folder = mkdtempSync("/tmp/brig-registry-");
  const port = await findPort();
  const host = `127.0.0.1:${port}`;
  writeFileSync(join(folder, "config.yml"), `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\nhttp: {addr: ${host}}\n${extra.replaceAll("FOLDER", folder)}`);
  if (extra) writeFileSync(join(folder, "htpasswd"), "me:$2y$05$0qgV3ZhxX5/jHYzcjJ/PqeM5VXVQGwJzKjwXkX9NnGUXKpp0j4uGW\n");
  const server = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => server.on("exit", () => resolve()));
  t.after(async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; tries < 500; tries++) {
    const there = await fetch(`http://${host}/v2/`).then(({ status }) => status, () => 0);
    if (there !== 0) return host;
    await sleep(20);
  }
  throw new Error("docker-registry does not come up");
}

async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
