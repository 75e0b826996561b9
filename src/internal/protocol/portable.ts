/** Functions and values in the form in which they travel. What is in their bytes, only `closures` knows. */

/** A function in a form that can be sent. */
export type PortableFunction = PortableModule | PortableGraph | LocalFunction;

/** A function that is imported with its module. */
export interface PortableModule {
  readonly kind: 'module';
  readonly name: string;
  readonly url: string;
  readonly exportName: string;
  readonly imports: true;
  /** The names of classes that the module exports, too. */
  readonly classes?: readonly string[];
  /** Their names on both sides: see `classNames.ts`. */
  readonly classNames?: readonly string[];
}

/** The function itself: where the worker is this thread. */
export interface LocalFunction {
  readonly kind: 'local';
  readonly name: string;
  readonly fn: (...args: never[]) => unknown;
  readonly imports: false;
}

/** A function that is rebuilt, with what it captures. */
export interface PortableGraph {
  readonly kind: 'graph';
  readonly name: string;
  /** The graph. */
  readonly bytes: Uint8Array;
  /** What travels beside the graph: what is shared, or what only structured clone can carry. */
  readonly attachments: readonly unknown[];
  /** Whether modules are imported for it, of which each may do anything. */
  readonly imports: boolean;
}

/** A value in a form that can be sent, functions in it included; or itself, where the worker is this thread. */
export type PortableValue =
  Pick<PortableGraph, 'bytes' | 'attachments' | 'imports'> | { readonly local: unknown; readonly imports: false };

/** Of functions and values, and of their portable forms: they do not travel in these, but with what is captured, or by name. */
const classes = new WeakMap<object, readonly (Function | undefined)[]>();

/** The classes that a function or value knows, in the same order in the program and in a worker; `undefined` for one that is not there. */
export function classesOf(fn: object): readonly (Function | undefined)[] {
  return classes.get(fn) ?? [];
}

/** Says which they are. */
export function setClasses<T extends object>(fn: T, known: readonly (Function | undefined)[]): T {
  if (known.length > 0) classes.set(fn, known);
  return fn;
}

/** Whether two forms of one function stand for the same, values included. */
export function isSamePortable(a: PortableFunction, b: PortableFunction): boolean {
  if (a === b) return true;
  if (!isSameList(classesOf(a), classesOf(b))) return false;
  if (a.kind === 'local' && b.kind === 'local') return a.fn === b.fn;
  if (a.kind !== 'graph' || b.kind !== 'graph') return a.kind === b.kind; // of one key
  return (a.bytes === b.bytes || Buffer.compare(a.bytes, b.bytes) === 0) && isSameList(a.attachments, b.attachments);
}

/** How many bytes a function takes with what it captures, as far as that is easily told. */
export function sizeOf(portable: PortableFunction): number {
  if (portable.kind !== 'graph') return 0;
  let size = portable.bytes.byteLength;
  for (const each of portable.attachments) {
    if (each instanceof ArrayBuffer || ArrayBuffer.isView(each)) size += each.byteLength;
  }
  return size;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
