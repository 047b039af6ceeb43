import { imageError } from "../image-error.js";
import { type Credentials, storeCredentials } from "./credentials.js";
import { type RegistriesConf, readRegistriesConf } from "./registries-conf.js";
import { RegistrySession } from "./session.js";

/**
 * Tries credentials at a registry and keeps them, as docker login does.
 *
 * @returns whether they stand readable in the file now
 * @throws BrigError BRIG_REGISTRY_UNAUTHORIZED, BRIG_REGISTRY_…
 */
export async function loginRegistry(domain: string, credentials: Credentials, options: { signal?: AbortSignal; registries?: RegistriesConf } = {}): Promise<boolean> {
  const endpoint = (options.registries ?? readRegistriesConf()).findEndpoints(domain, "").at(-1)!;
  const session = new RegistrySession(endpoint, credentials, [], options.signal);
  const answer = await session.send({ method: "GET", path: "" });
  if (answer.status === 401 || answer.status === 403) throw imageError("BRIG_REGISTRY_UNAUTHORIZED", `unauthorized: ${endpoint.host} does not know this name and password`, "are they right?");
  if (answer.status >= 400) throw await session.explain(answer);
  answer.body.resume();
  return storeCredentials(domain, credentials);
}
