import { z } from "zod";
import { imageError } from "../image-error.js";
import { findCredentials } from "./credentials.js";
import { findNextPage, readBody } from "./http.js";
import { type RegistriesConf, readRegistriesConf } from "./registries-conf.js";
import { RegistrySession } from "./session.js";

export interface SearchResult {
  name: string;
  description: string;
  stars: number;
  official: boolean;
}

const ANSWER_MAX = 4 << 20;
const PAGES_MAX = 100;
const hubSchema = z.looseObject({ results: z.array(z.looseObject({ name: z.string(), description: z.string().nullish(), star_count: z.number().optional(), is_official: z.boolean().optional() })) });
const catalogSchema = z.looseObject({ repositories: z.array(z.string()).nullish() });

/** Looks for repositories: by /v1/search where the registry has it, as Docker Hub, else in the list of all (/v2/_catalog). */
export async function searchRegistry(domain: string, term: string, limit: number, options: { signal?: AbortSignal; registries?: RegistriesConf } = {}): Promise<SearchResult[]> {
  const endpoint = (options.registries ?? readRegistriesConf()).findEndpoints(domain === "docker.io" ? "index.docker.io" : domain, "").at(-1)!;
  const session = new RegistrySession(endpoint, findCredentials(domain), ["registry:catalog:*"], options.signal);
  const base = await session.findBase();
  const url = new URL("/v1/search", base);
  url.searchParams.set("q", term);
  url.searchParams.set("n", String(limit));
  const answer = await session.send({ method: "GET", path: url });
  if (answer.status === 200) return readHub(await readBody(answer, ANSWER_MAX), limit);
  answer.body.resume();
  return await searchCatalog(session, domain, term, limit);
}

function readHub(bytes: Buffer, limit: number): SearchResult[] {
  const { results } = parse(hubSchema, bytes);
  return results.slice(0, limit).map(({ name, description, star_count: stars = 0, is_official: official = false }) => ({ name, description: description ?? "", stars, official }));
}

async function searchCatalog(session: RegistrySession, domain: string, term: string, limit: number): Promise<SearchResult[]> {
  const found: string[] = [];
  let next: string | URL | undefined = "_catalog?n=1000";
  for (let pages = 0; next !== undefined && pages < PAGES_MAX && found.length < limit; pages++) {
    const answer = await session.send({ method: "GET", path: next });
    if (answer.status !== 200) throw await session.explain(answer);
    const { repositories } = parse(catalogSchema, await readBody(answer, ANSWER_MAX));
    found.push(...(repositories ?? []).filter((name) => name.includes(term)));
    next = findNextPage(answer);
  }
  return found.slice(0, limit).map((name) => ({ name: `${domain}/${name}`, description: "", stars: 0, official: false }));
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    throw imageError("BRIG_REGISTRY_LIES", "the registry answers what is no list", undefined, error);
  }
}
