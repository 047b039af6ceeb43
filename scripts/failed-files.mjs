// A reporter for node:test: the files of failed tests, one a line.
export default async function* reportFailedFiles(source) {
  const failed = new Set();
  for await (const { type, data } of source) {
    if (type !== "test:fail" || !data.file || failed.has(data.file)) continue;
    failed.add(data.file);
    yield `${data.file}\n`;
  }
}
