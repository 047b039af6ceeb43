import { z } from "zod";
import { imageError } from "../image-error.js";
import type { Reference } from "../reference.js";
import { findCredentials } from "./credentials.js";
import { findNextPage, readBody } from "./http.js";
import { type RegistriesConf, readRegistriesConf } from "./registries-conf.js";
import { RegistrySession } from "./session.js";

const ANSWER_MAX = 4 << 20;
const PAGES_MAX = 1000;
const answerSchema = z.looseObject({ tags: z.array(z.string()).nullish() });

/** All tags of a repository (distribution-spec 1.1, "Listing Tags"), page after page. @throws BrigError BRIG_REGISTRY_… */
export async function listTags({ domain, path }: Reference, options: { signal?: AbortSignal; registries?: RegistriesConf } = {}): Promise<string[]> {
  const endpoint = (options.registries ?? readRegistriesConf()).findEndpoints(domain, path).at(-1)!;
  const session = new RegistrySession(endpoint, findCredentials(domain), [`repository:${endpoint.path}:pull`], options.signal);
  const tags: string[] = [];
  let next: string | URL | undefined = `${endpoint.path}/tags/list`;
  for (let pages = 0; next !== undefined && pages < PAGES_MAX; pages++) {
    const answer = await session.send({ method: "GET", path: next });
    if (answer.status !== 200) throw await session.explain(answer);
    const found = answerSchema.safeParse(JSON.parse((await readBody(answer, ANSWER_MAX)).toString("utf8")));
    if (!found.success) throw imageError("BRIG_REGISTRY_LIES", `${answer.url.host} gives no list of tags`);
    tags.push(...(found.data.tags ?? []));
    next = findNextPage(answer);
  }
  return tags;
}
