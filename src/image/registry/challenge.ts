/** What a server wants to know of who asks (RFC 9110, 11.6.1): `Bearer realm="…",service="…",scope="…"`. */
export interface Challenge {
  scheme: string;
  parameters: Record<string, string>;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;

/** All challenges of a WWW-Authenticate field; what makes no sense ends the list. */
export function parseChallenges(text: string): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const word = TOKEN.exec(rest)?.[0];
    if (word === undefined) break;
    rest = rest.slice(word.length).trimStart();
    const current = challenges.at(-1);
    if (rest.startsWith("=") && current) {
      const { value, rest: after } = readValue(rest.slice(1).trimStart());
      current.parameters[word.toLowerCase()] = value;
      rest = after;
    } else challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    rest = rest.replace(/^[\s,]+/, "");
  }
  return challenges;
}

function readValue(text: string): { value: string; rest: string } {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (quoted) return { value: quoted[1]!.replace(/\\(.)/g, "$1"), rest: text.slice(quoted[0].length) };
  const value = /^[^\s,]*/.exec(text)?.[0] ?? "";
  return { value, rest: text.slice(value.length) };
}
