import { basename } from "node:path";
import type { Hook, Hooks } from "../../spec/oci.js";
import { addStep, type Context, refuse } from "./context.js";

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * OCI's hooks that run on the host after the namespaces are made and before the root is (config.md "POSIX-platform
 * Hooks"), with the state on standard input. The others would run inside, or when nobody of brig's is there any more.
 */
export function compileHooks(context: Context): void {
  const hooks = context.spec.hooks;
  if (!hooks) return;
  for (const kind of ["createContainer", "startContainer", "poststart", "poststop"] as const)
    if (hooks[kind]?.length)
      throw refuse(context.extension, `/hooks/${kind}`, "BRIG_CANNOT_RUN_HOOK", `brig does not run ${kind} hooks`, "use createRuntime, or run the bundle with runc or crun");
  for (const kind of ["prestart", "createRuntime"] as const) compileKind(context, hooks, kind);
}

function compileKind(context: Context, hooks: Hooks, kind: "prestart" | "createRuntime"): void {
  hooks[kind]?.forEach((hook, index) => {
    const pointer = `/hooks/${kind}/${index}`;
    addStep(context, "parent", { op: "RUN", argv: makeWords(context, hook, pointer), input: makeState(context), timeoutMs: hook.timeout === undefined ? DEFAULT_TIMEOUT_MS : hook.timeout * 1000, substitute: true }, pointer);
  });
}

/** The hook's environment is what it says and nothing else, which env(1) sees to. */
function makeWords(context: Context, hook: Hook, pointer: string): string[] {
  const [name, ...words] = hook.args ?? [hook.path];
  if (!hook.path.startsWith("/")) throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `the hook ${hook.path} is no absolute path`, "give its whole path");
  if (name !== undefined && basename(name) !== basename(hook.path))
    throw refuse(context.extension, pointer, "BRIG_CANNOT_RUN_HOOK", `the hook ${hook.path} wants to be called ${name}`, "give it its own name as first argument");
  const env = context.host.hasTool("env");
  if (!env) throw refuse(context.extension, pointer, "BRIG_CANNOT_RUN_HOOK", "running hooks needs env(1)", "apt-get install coreutils");
  return [env, "-i", ...(hook.env ?? []), hook.path, ...words].map(escapePercent);
}

function makeState(context: Context): string {
  const { spec, options } = context;
  const annotations = Object.fromEntries(Object.entries(spec.annotations ?? {}).filter(([name]) => !name.startsWith("dev.brig.")));
  const state = escapePercent(JSON.stringify({ ociVersion: spec.ociVersion, status: "creating", bundle: options.cwd ?? "/", annotations }));
  return `{"id":"%i","pid":%p,${state.slice(1)}`;
}

/** In a step with substitution a "%" of its own is "%%". */
function escapePercent(text: string): string {
  return text.replaceAll("%", "%%");
}
