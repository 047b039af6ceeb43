/**
 * An object whose properties are read at their first use and kept: facts that cost a file each are paid for only by
 * those who ask.
 */
export function readLazily<T extends object>(readers: { [K in keyof T]: () => T[K] }): T {
  const object = {} as T;
  for (const name of Object.keys(readers) as (keyof T)[])
    Object.defineProperty(object, name, {
      configurable: true,
      enumerable: true,
      get() {
        const value = readers[name]();
        Object.defineProperty(object, name, { value, enumerable: true });
        return value;
      },
    });
  return object;
}
