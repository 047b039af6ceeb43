import { main } from "./main.js";
import { readCalledWords } from "./called-as.js";

// What the launcher starts: `node dist/cli/main.cjs WORDS…`. Nothing may keep Node alive behind the answer.
void main(readCalledWords(process.argv.slice(2))).then((status) => process.exit(status));
