import { main } from "./main.js";

// What the launcher starts: `node dist/cli/main.cjs WORDS…`. Nothing may keep Node alive behind the answer.
void main(process.argv.slice(2)).then((status) => process.exit(status));
