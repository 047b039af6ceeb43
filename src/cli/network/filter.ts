import { BrigError } from "../../error/brig-error.js";

/** What filters look at; predefined networks have it too. */
export interface Filtered {
  name: string;
  id: string;
  driver: string;
  labels: Record<string, string>;
}

type Test = (network: Filtered, value: string) => boolean;

const hasLabel: Test = ({ labels }, value) => {
  const [name = "", wanted] = value.split(/=(.*)/s);
  return Object.hasOwn(labels, name) && (wanted === undefined || labels[name] === wanted);
};

/** Several of one key: any of them; of several keys: each. @throws BrigError BRIG_BAD_VALUE */
export function matchesFilters(texts: string[], tests: Record<string, Test>): (network: Filtered) => boolean {
  const filters = texts.map((text) => {
    const [, key = "", value = ""] = /^([a-z]+!?)=(.*)$/s.exec(text) ?? [];
    if (Object.hasOwn(tests, key)) return { key, value };
    throw new BrigError(`--filter cannot be ${JSON.stringify(text)}`, { code: "BRIG_BAD_VALUE", exitCode: 1, hint: `KEY=VALUE with one of the keys ${Object.keys(tests).join(", ")}` });
  });
  const keys = [...new Set(filters.map(({ key }) => key))];
  return (network) => keys.every((key) => filters.some((filter) => filter.key === key && tests[key]!(network, filter.value)));
}

export function matchesPrune(texts: string[]): (network: Filtered) => boolean {
  return matchesFilters(texts, { label: hasLabel, "label!": (network, value) => !hasLabel(network, value) });
}

/** @param isUsed whether somebody is on it */
export function matchesList(texts: string[], isUsed: (network: Filtered) => boolean, isPredefined: (network: Filtered) => boolean): (network: Filtered) => boolean {
  return matchesFilters(texts, {
    label: hasLabel,
    name: ({ name }, value) => name.includes(value),
    id: ({ id }, value) => id.startsWith(value),
    driver: ({ driver }, value) => driver === value,
    scope: (_, value) => value === "local",
    type: (network, value) => isPredefined(network) === (value === "builtin"),
    dangling: (network, value) => !isPredefined(network) && isUsed(network) !== (value === "true" || value === "1"),
  });
}
