process.env["BRIG_REGISTRIES_CONF"] = "/dev/null";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { showDockerAge, showDockerSize } from "../../src/cli/output/docker-words.js";
import { compileTemplate } from "../../src/cli/output/template.js";
import { changeConfig } from "../../src/image/change-config.js";
import { openImageStore } from "../../src/image/store/open.js";
import { checkout, has, isRoot, makeTar, openStage, runBrig } from "./stage.js";

test("images are listed, filtered and formatted as docker does", async (t) => {
  const { folder } = await openStage(t);
  const brig = (...words: string[]): string => {
    const { status, stdout, stderr } = runBrig(folder, words);
    assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  assert.equal(brig("images"), "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n");
  const file = join(folder, "root.tar");
  writeFileSync(file, gzipSync(makeTar([{ name: "f", data: Buffer.alloc(1234) }])));
  const id = brig("import", "-c", "LABEL stage=test a.b=c", "-c", "EXPOSE 80", "-m", "why", file, "tool:1").trim();
  const short = id.slice(7, 19);
  brig("tag", short, "localhost:5000/team/tool");
  assert.match(brig("images"), new RegExp(`^REPOSITORY                 TAG       IMAGE ID       CREATED +SIZE\n(?:tool {23}1         ${short}   .* ago +1.23kB\n|localhost:5000/team/tool   latest    ${short}   .* ago +1.23kB\n){2}$`));
  assert.equal(brig("images", "-q"), `${short}\n`);
  assert.equal(brig("image", "ls", "-q", "--no-trunc"), `${id}\n`);
  assert.equal(brig("images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}", "tool"), "tool:1 1.23kB\n");
  assert.deepEqual(JSON.parse(brig("images", "--format", "json", "tool:1")) as object, { ...(JSON.parse(brig("images", "--format", "{{json .}}", "tool")) as object), Repository: "tool", Tag: "1", ID: short });
  assert.equal(brig("images", "--format", "table {{.Tag}}\t{{.Repository}}", "-f", "reference=tool"), "TAG       REPOSITORY\n1         tool\n");
  for (const [filter, found] of [["label=stage=test", true], ["label=stage", true], ["label=stage=x", false], ["dangling=true", false], ["reference=localhost:5000/*/*", true], ["before=tool:1", false], ["until=0s", true]] as const) assert.equal(brig("images", "-q", "-f", filter) !== "", found, filter);
  assert.match(brig("history", "--no-trunc", "--format", "{{.ID}} {{.Size}} {{.Comment}}", "tool:1"), new RegExp(`^${id} 1.23kB why\n$`));
  const [described] = JSON.parse(brig("image", "inspect", "tool:1")) as { Id: string; RepoTags: string[]; Config: object; Size: number; RootFS: { Layers: string[] } }[];
  assert.deepEqual([described!.Id, described!.RepoTags.toSorted(), described!.Size, described!.RootFS.Layers.length], [id, ["localhost:5000/team/tool:latest", "tool:1"], 1234, 1]);
  assert.deepEqual(described!.Config, { Labels: { stage: "test", "a.b": "c" }, ExposedPorts: { "80/tcp": {} } });
  assert.match(brig("system", "df"), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 +0 +.*\(100%\)\n$/);
  assert.equal(brig("docker", "rmi", "tool:1"), "Untagged: tool:1\n");
  assert.match(brig("image", "rm", short), new RegExp(`^Untagged: localhost:5000/team/tool:latest\nDeleted: ${id}\nDeleted: sha256:[a-f0-9]{64}\n$`));
  assert.equal(brig("image", "prune", "-f"), "Total reclaimed space: 0B\n");
});

test("mistakes are told in docker's words, and end with its status", async (t) => {
  const { folder } = await openStage(t);
  const fail = (...words: string[]): [number | null, string] => {
    const { status, stderr } = runBrig(folder, words);
    return [status, stderr.split("\n")[0]!];
  };
  assert.deepEqual(fail("rmi", "nothere"), [1, "brig: No such image: nothere:latest"]);
  assert.deepEqual(fail("image", "inspect", "nothere"), [1, "brig: No such image: nothere:latest"]);
  assert.deepEqual(fail("pull", "Nope"), [1, 'brig: invalid reference format: repository name (library/Nope) must be lowercase: "Nope"']);
  assert.deepEqual(fail("push", "nothere:1"), [1, "brig: An image does not exist locally with the tag: nothere"]);
  assert.deepEqual(fail("images", "-f", "color=red"), [1, "brig: invalid filter 'color=red'"]);
  assert.deepEqual(fail("images", "--format", "{{.Nope"), [64, 'brig: template parsing error: {{ without }} in "{{.Nope"']);
  assert.deepEqual(fail("import", "-c", "RUN x", "/dev/null"), [1, 'brig: "RUN x" is no change to an image']);
  assert.equal(fail("image", "shake")[0], 1);
  assert.equal(fail("load", "-i", "/nonexistent")[0], 1);
});

test("an ordinary user has a store too, with one id or with many", async (t) => {
  if (!isRoot) return t.skip("needs root, to be somebody else");
  const { folder } = await openStage(t);
  const home = join(folder, "home");
  mkdirSync(home);
  chmodSync(folder, 0o755);
  chownSync(home, 61_444, 61_444);
  writeFileSync(join(folder, "own.tar"), makeTar([{ name: "d", type: "5", mode: 0o755, uid: 7, gid: 7 }, { name: "d/f", data: "x", mode: 0o4755, uid: 5, gid: 6 }, { name: ".wh.gone" }, { name: "null", type: "3", major: 1, minor: 3 }]));
  const brig = join(checkout, "dist/brig");
  const user = `setpriv --reuid 61444 --regid 61444 --clear-groups env HOME=${home} XDG_DATA_HOME=${home} XDG_RUNTIME_DIR=${home}`;
  const show = `cd ${home}/brig/layers/sha256/*/root && stat -c '%n %u %g %a %F' d d/f gone`;
  const one = spawnSync("sh", ["-ec", `${user} ${brig} import ${folder}/own.tar own; ${show}; ${user} ${brig} rmi own; ls -A ${home}/brig/layers/sha256`], { encoding: "utf8" });
  assert.match(one.stdout, /\nd 61444 61444 755 directory\nd\/f 61444 61444 755 regular file\ngone 61444 61444 0 character special file\nUntagged: own:latest\n(Deleted: .*\n){2}$/, one.stderr);
  if (!has("newuidmap")) return;
  const files = `echo brigone:x:61444:61444::${home}:/bin/sh >${folder}/passwd; cat /etc/passwd >>${folder}/passwd; echo brigone:700000:65536 >${folder}/sub; for file in passwd:passwd sub:subuid sub:subgid; do mount --bind ${folder}/\${file%:*} /etc/\${file#*:}; done`;
  const many = spawnSync("unshare", ["-m", "sh", "-ec", `${files}; ${user} ${brig} import ${folder}/own.tar own; ${show}; ${user} ${brig} rmi own; ls -A ${home}/brig/layers/sha256`], { encoding: "utf8" });
  assert.match(many.stdout, /\nd 700006 700006 755 directory\nd\/f 700004 700005 4755 regular file\ngone 61444 61444 0 character special file\nUntagged: own:latest\n(Deleted: .*\n){2}$/, many.stderr);
});

test("a template takes fields, functions and pipes, and refuses what it does not know", () => {
  const fields = { Name: "a", Config: { Env: ["X=1", "Y=2"], Labels: { "a.b": "c" } } };
  for (const [text, shown] of [["{{.Name}}", "a"], ["{{json .Config.Env}}", '["X=1","Y=2"]'], ['{{join .Config.Env ","}}', "X=1,Y=2"], ['{{index .Config.Labels "a.b"}}', "c"], ["{{.Name | upper}}!", "A!"], ["{{len .Config.Env}}", "2"], ["{{.Config.Env}}", "[X=1 Y=2]"], ["{{.Config.Labels}}", "map[a.b:c]"], ["a\\tb", "a\tb"], ['{{index .Config.Env 1}}', "Y=2"]] as const) assert.equal(compileTemplate(text)(fields), shown, text);
  for (const text of ["{{", "{{}}", "{{nope .Name}}", "{{.Nope}}"]) assert.throws(() => compileTemplate(text)(fields), { code: "BRIG_BAD_FORMAT" }, text);
});

test("sizes and ages are docker's", () => {
  assert.deepEqual([0, 999, 1000, 1234, 77_800_000, 1_234_567_890].map(showDockerSize), ["0B", "999B", "1kB", "1.23kB", "77.8MB", "1.23GB"]);
  const day = 86_400_000;
  assert.deepEqual([100, 1000, 59_000, 60_000, 3_540_000, 3_600_000, 47 * 3_600_000, 3 * day, 20 * day, 90 * day, 800 * day].map((age) => showDockerAge(0, age)), ["Less than a second ago", "1 second ago", "59 seconds ago", "About a minute ago", "59 minutes ago", "About an hour ago", "47 hours ago", "3 days ago", "2 weeks ago", "3 months ago", "2 years ago"]);
});

test("lines of a Dockerfile change a config as docker import has them", () => {
  const changed = changeConfig({ Env: ["A=0", "K=1"], WorkingDir: "/a" }, ["cmd echo hi", 'ENTRYPOINT ["/x", "-y"]', 'ENV A=1 B="two words"', "ENV C all the rest", "EXPOSE 80 53/udp", 'LABEL a="x y" b=\'z\'', "VOLUME /data /more", "WORKDIR b", "USER me:us", "STOPSIGNAL SIGINT", "ONBUILD RUN x"]);
  assert.deepEqual(changed, { Env: ["K=1", "A=1", "B=two words", "C=all the rest"], Cmd: ["/bin/sh", "-c", "echo hi"], Entrypoint: ["/x", "-y"], ExposedPorts: { "80/tcp": {}, "53/udp": {} }, Labels: { a: "x y", b: "z" }, Volumes: { "/data": {}, "/more": {} }, WorkingDir: "/a/b", User: "me:us", StopSignal: "SIGINT", OnBuild: ["RUN x"] });
  for (const line of ["", "RUN x", "ENV", "LABEL x", "EXPOSE eighty", "constructor x"]) assert.throws(() => changeConfig({}, [line]), { code: "BRIG_BAD_CHANGE" }, line);
});

test("the store is where it is asked to be, and nobody else reads the layers", async (t) => {
  const { folder } = await openStage(t);
  const { layers } = await openImageStore({ data: join(folder, "data") });
  assert.equal(spawnSync("stat", ["-c", "%a", layers], { encoding: "utf8" }).stdout, "700\n");
});
