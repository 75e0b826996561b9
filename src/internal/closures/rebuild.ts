/** A portable function rebuilt: what a worker does with a `Define` message. */

import { fileURLToPath } from 'node:url';
import { decodeGraph } from './graphCodec.js';
import { addCopy } from '../protocol/classNames.js';
import {
  classesOf,
  setClasses,
  type PortableFunction,
  type PortableModule,
  type PortableValue,
} from '../protocol/portable.js';
import { revive } from './revive.js';
import { loadTypeScript, requireTypeScript } from './typescript.js';

export type Task = (...args: unknown[]) => unknown;

/** Loads the function. A promise where a module has to be imported. */
export function rebuild(portable: PortableFunction): Task | Promise<Task> {
  if (portable.kind === 'module') return fromModule(portable);
  if (portable.kind === 'local') return portable.fn as Task;
  return revive(decodeGraph(portable.bytes), portable.attachments) as Task | Promise<Task>;
}

/** A value made again: in an object, for it may have a `then` of its own. */
export interface Rebuilt {
  readonly value: unknown;
  /** The classes in it, in the order in which the program names them. */
  readonly classes: readonly (Function | undefined)[];
}

export async function rebuildValue(portable: PortableValue): Promise<Rebuilt> {
  if ('local' in portable) return { value: portable.local, classes: classesOf(portable) };
  const holder = (await revive(decodeGraph(portable.bytes), portable.attachments)) as Record<string, unknown>;
  return { value: Object.values(holder)[0], classes: classesOf(holder) };
}

async function fromModule({ url, exportName, classes = [], classNames = [] }: PortableModule): Promise<Task> {
  await loadTypeScript();
  const namespace = (await import(url).catch((error: unknown) => {
    const required = url.startsWith('file:') ? requireTypeScript(url, fileURLToPath(url), error) : undefined;
    if (required === undefined) throw error;
    return required;
  })) as Record<string, unknown>;
  const found = lookUp(namespace, exportName);
  if (typeof found !== 'function') {
    const has = Object.keys(namespace).join(', ');
    throw new TypeError(
      found === undefined
        ? `The module ${url} has no export "${exportName}"; it has: ${has === '' ? 'none' : has}.`
        : `The export "${exportName}" of ${url} is not a function but ${found === null ? 'null' : typeof found}.`,
    );
  }
  const owners = classes.map((name) => classIn(namespace, name, url));
  owners.forEach((owner, at) => addCopy(owner, classNames[at] as string));
  setClasses(found, owners);
  return found as Task;
}

/** A class that a module exports, by that name or as a class of that name. */
function classIn(namespace: Record<string, unknown>, name: string, url: string): Function {
  const exported = [lookUp(namespace, name), ...Object.values(namespace)];
  const found = exported.find((value) => typeof value === 'function' && value.name === name);
  if (found !== undefined) return found as Function;
  throw new TypeError(`The module ${url} exports no class "${name}", which the option "classes" has.`);
}

/** An export of a module; of a CommonJS one also a property of what it exports, which Node cannot always see ahead. */
function lookUp(namespace: Record<string, unknown>, exportName: string): unknown {
  const direct = namespace[exportName];
  const inner = namespace.default;
  if (exportName === 'default') {
    // Transpiled ES modules: `module.exports = { default: fn }`.
    return typeof inner === 'object' && inner !== null && 'default' in inner ? inner.default : inner;
  }
  if (direct !== undefined || inner === null || inner === undefined) return direct;
  return (inner as Record<string, unknown>)[exportName];
}
