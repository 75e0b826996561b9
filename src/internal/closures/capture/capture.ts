/** A function taken with what it captures: the door to this folder. */

import { types } from 'node:util';
import { serialize } from 'node:v8';
import { now } from '../../platform/globals.js';
import { encodeGraph } from '../graphCodec.js';
import { SetupPlan } from '../setup/SetupPlan.js';
import { GraphWriter, type WrittenGraph } from './GraphWriter.js';
import { Inspector } from './Inspector.js';
import type { GraphOptions } from './openGraph.js';

import { setClasses, type PortableGraph } from '../../protocol/portable.js';

export type CaptureOptions = GraphOptions;

// Beyond these the program should know: milliseconds, and bytes.
const { isArrayBuffer } = types;
const SLOW = 1000;
const LARGE = 10 * 2 ** 20;

/**
 * Functions that use nothing but imports and what is everywhere: they are the same whenever they are taken. To subscribe again
 * takes 0.2 ms with such a function, and would take 1.2 ms without this.
 */
const constants = new WeakMap<object, { readonly taken: Taken; readonly keys: number }>();

type Taken = Omit<PortableGraph, 'kind' | 'name'>;

/** @throws UnportableFunctionError */
export function capture(fn: (...args: never[]) => unknown, options: CaptureOptions): Taken {
  const keys = Reflect.ownKeys(fn).length;
  const constant = constants.get(fn);
  const isUsual = options.captures === undefined && options.classes === undefined && options.setup !== false;
  if (constant?.keys === keys && isUsual) return constant.taken;
  const { taken, isConstant } = take(fn, options);
  if (isConstant && isUsual) constants.set(fn, { taken, keys });
  return taken;
}

/**
 * A value taken with all that is in it, as a variable of a function is.
 *
 * @param name What it is called in messages.
 * @throws what `options.refusal` makes, or UnportableFunctionError because of a function in it.
 */
export function captureValue(name: string, value: unknown, options: CaptureOptions): Taken {
  return take({ [name]: value }, options).taken;
}

/** The classes that a function or value knows which stays in this thread; none where it could not leave. */
export function classesIn(root: object, options: CaptureOptions): readonly Function[] {
  const inspector = Inspector.open();
  try {
    return new GraphWriter(inspector, options).run(root).classes;
  } catch {
    return []; // it may use what cannot travel: it does not
  } finally {
    inspector?.close();
  }
}

/** Tries until it is known what set-up has to make. */
function write(
  inspector: Inspector | undefined,
  root: unknown,
  options: CaptureOptions,
): WrittenGraph & { readonly writer: GraphWriter } {
  const plan = new SetupPlan();
  for (;;) {
    const writer = new GraphWriter(inspector, options, plan);
    try {
      return { ...writer.run(root), writer };
    } catch (error) {
      const { variables, needed } = writer.reached();
      if (!plan.learn(error, variables, needed)) throw error;
    }
  }
}

function take(root: unknown, options: CaptureOptions): { readonly taken: Taken; readonly isConstant: boolean } {
  const start = now();
  const cpuStart = process.cpuUsage();
  const inspector = Inspector.open();
  try {
    const { graph, attachments, classes, isConstant, writer } = write(inspector, root, options);
    const imports =
      graph.setups !== undefined || graph.nodes.some(({ type }) => type === 'import' || type === 'require');
    const bytes = encodeGraph(graph);
    setClasses(bytes, classes);
    const { user, system } = process.cpuUsage(cpuStart);
    // Neither what other threads have used meanwhile counts, nor that the machine was busy with something else.
    const milliseconds = Math.min(now() - start, (user + system) / 1000);
    const size = bytes.byteLength + copiedBytes(attachments);
    if (milliseconds > SLOW || size > LARGE) {
      options.onCostly?.({ milliseconds, size, variable: writer.heaviestVariable(weightOf) });
    }
    return { taken: { bytes, attachments, imports }, isConstant };
  } finally {
    inspector?.close();
  }
}

/** What is copied of what travels beside a graph, in bytes. */
function copiedBytes(attachments: readonly unknown[]): number {
  let size = 0;
  for (const each of attachments) {
    const buffer: unknown = ArrayBuffer.isView(each) ? each.buffer : each;
    if (isArrayBuffer(buffer)) size += buffer.byteLength;
  }
  return size;
}

/** What a value weighs, as a number of objects with 100 bytes each. */
function weightOf(value: object): number {
  try {
    return isArrayBuffer(value) || ArrayBuffer.isView(value)
      ? value.byteLength / 100
      : serialize(value).byteLength / 100;
  } catch {
    return 0; // it has functions in it, and was counted by its objects
  }
}
