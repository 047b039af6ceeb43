import { spawnSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import { RUN } from "../../src/plan/format.js";
import { LAUNCHER, makeFolder, type PlanWish, until, writePlan } from "./launch.js";

const tmux = spawnSync("tmux", ["-V"]).status === 0;
const skip = !tmux && "needs tmux";
const ENV = ["PATH=/usr/bin:/bin", "TERM=screen", "PS1=in> "];

interface Screen {
  type(...keys: string[]): void;
  shows(text: string): Promise<void>;
  resize(columns: number, rows: number): void;
}

/** A shell on a terminal of its own, which goes with the test. */
function openScreen(t: TestContext): Screen {
  const name = `brig-test-${process.pid}-${process.hrtime.bigint()}`;
  const run = (...words: string[]): string => spawnSync("tmux", ["-L", name, "-f", "/dev/null", ...words], { encoding: "utf8" }).stdout;
  run("new-session", "-d", "-x", "100", "-y", "30", "env -i PATH=/usr/bin:/bin TERM=screen PS1='out> ' bash --norc");
  t.after(() => void run("kill-server"));
  return {
    type: (...keys) => void run("send-keys", ...keys),
    shows: (text) => until(`"${text}" in: ${run("capture-pane", "-p")}`, () => run("capture-pane", "-p").split("\n").some((line) => line.trimEnd() === text)),
    resize: (columns, rows) => void run("resize-window", "-x", String(columns), "-y", String(rows)),
  };
}

/** The launcher's words for a plan whose payload has a terminal. */
function command(t: TestContext, wish: PlanWish): string {
  return `${LAUNCHER} --plan ${writePlan(makeFolder(t), { env: ENV, pty: 7, ...wish })}`;
}

const BASH = ["/bin/bash", "--norc", "-i"];
const READER = ["/bin/sh", "-c", "echo ready; read line; echo got $line"];

test("An interactive shell has job control and the window's size, and gives the terminal back", { skip }, async (t) => {
  const screen = openScreen(t);
  screen.type(command(t, { argv: BASH }), "Enter");
  await screen.shows("in>");
  screen.type("stty size", "Enter");
  await screen.shows("30 100");
  screen.type("sleep 100", "Enter");
  await new Promise((done) => setTimeout(done, 300));
  screen.type("C-z");
  await screen.shows("[1]+  Stopped                 sleep 100");
  screen.resize(90, 20);
  screen.type("clear; stty size; kill -9 %1; sleep 0.3", "Enter");
  await screen.shows("20 90");
  await screen.shows("[1]+  Killed                  sleep 100");
  screen.type("clear; exit 5", "Enter"); // what is typed ahead of an exit is the payload's, and gone with it
  await screen.shows("exit");
  screen.type("echo code $?; stty -a | grep -o '[-]*icanon'", "Enter");
  await screen.shows("code 5");
  await screen.shows("icanon");
});

test("^Z stops the command as its shell expects, and fg brings it back", { skip }, async (t) => {
  const screen = openScreen(t);
  screen.type(`p="${command(t, { argv: READER })}"; $p`, "Enter");
  await screen.shows("ready");
  screen.type("C-z");
  await screen.shows("[1]+  Stopped                 $p");
  screen.type("clear; stty -a | grep -o '[-]*icanon'", "Enter");
  await screen.shows("icanon");
  screen.type("fg", "Enter");
  await screen.shows("$p");
  screen.type("back", "Enter");
  await screen.shows("got back");
});

test("Started in the background it leaves the terminal to the shell, until fg", { skip }, async (t) => {
  const screen = openScreen(t);
  screen.type(`p="${command(t, { argv: READER })}"; $p &`, "Enter");
  screen.type("", "Enter");
  screen.type("echo the shell reads", "Enter");
  await screen.shows("the shell reads");
  screen.type("fg", "Enter");
  await screen.shows("$p");
  await new Promise((done) => setTimeout(done, 600));
  screen.type("typed", "Enter");
  await screen.shows("got typed");
});

test("^C reaches the payload and is its end", { skip }, async (t) => {
  const screen = openScreen(t);
  screen.type(command(t, { argv: READER }), "Enter");
  await screen.shows("ready");
  screen.type("clear", "C-c");
  await new Promise((done) => setTimeout(done, 200));
  screen.type("echo code $?", "Enter");
  await screen.shows("code 130");
});

test("The keys for it detach, and who attaches again finds the payload as it was", { skip }, async (t) => {
  const screen = openScreen(t);
  const folder = makeFolder(t);
  const host = [{ op: "STATE", folder, config: "{}" } as const];
  screen.type(command(t, { argv: BASH, flags: RUN.INIT, run: { id: "box", log: "log", detachKeys: "\u0010\u0011" }, host }), "Enter");
  await screen.shows("in>");
  screen.type("kept=here; clear", "Enter");
  await screen.shows("in>");
  screen.type("C-p", "C-q");
  await screen.shows("[detached from box]");
  screen.type(`clear; ${LAUNCHER} --attach ${folder}/box/attach`, "Enter");
  await new Promise((done) => setTimeout(done, 300));
  screen.type("echo still $kept", "Enter");
  await screen.shows("still here");
  screen.type("exit 4", "Enter");
  await screen.shows("exit");
  screen.type("echo code $?", "Enter");
  await screen.shows("code 4");
});

test("The last output of a payload that writes much and ends comes whole", { skip }, async (t) => {
  const screen = openScreen(t);
  screen.type(`clear; ${command(t, { argv: ["/bin/sh", "-c", "seq 1 20000"] })} | wc -l`, "Enter");
  await screen.shows("20000");
});
