/** What JavaScript has without a name for it: found through an example, in the program as in a worker. */

const protoOf = (value: object): object => Object.getPrototypeOf(value) as object;

const asyncGenerator = async function* (): AsyncGenerator {};

/** By the names that the specification of the language has for them. */
export const intrinsics: Readonly<Record<string, object>> = {
  AsyncFunction: (async () => undefined).constructor,
  GeneratorFunction: function* () {}.constructor,
  AsyncGeneratorFunction: asyncGenerator.constructor,
  IteratorPrototype: protoOf(protoOf([].values())),
  AsyncIteratorPrototype: protoOf(protoOf(asyncGenerator.prototype as object)),
  ArrayIteratorPrototype: protoOf([].values()),
  MapIteratorPrototype: protoOf(new Map().values()),
  SetIteratorPrototype: protoOf(new Set().values()),
  StringIteratorPrototype: protoOf(''[Symbol.iterator]()),
  RegExpStringIteratorPrototype: protoOf(''.matchAll(/x/g)),
};

/** The place of `intrinsics`, where else a module of Node's is named. */
export const ofTheLanguage = '%';

const symbolMark = '@@';

/** A well-known symbol as a part of a path. */
export function keyOfSymbol(symbol: symbol): string | undefined {
  const name = /^Symbol\.(\w+)$/.exec(symbol.description ?? '')?.[1];
  const isKnown = name !== undefined && (Symbol as unknown as Record<string, unknown>)[name] === symbol;
  return isKnown ? symbolMark + name : undefined;
}

/** What is at a path from an object on. */
export function follow(from: unknown, path: readonly string[]): unknown {
  let found = from;
  for (const name of path) {
    const { [name.slice(symbolMark.length)]: symbol } = Symbol as unknown as Record<string, symbol>;
    const key = name.startsWith(symbolMark) && typeof symbol === 'symbol' ? symbol : name;
    found = (found as Record<string | symbol, unknown>)[key];
  }
  return found;
}
