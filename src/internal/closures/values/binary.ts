/** Memory and views of it: array buffers, shared ones, typed arrays, data views and Node's buffers. */

import { types } from 'node:util';
import type { ObjectParts, Slot } from '../parts.js';
import type { AttachmentNode } from './objects.js';
import type { Kind, Origin, Writing } from './Kind.js';
import { isElement, type LeafNode } from './leaves.js';
import { anInstanceOf, tagOf } from './refused.js';

/** A view of shared memory. */
export interface ViewNode extends ObjectParts {
  readonly type: 'view';
  /** The name of its class. */
  readonly class: string;
  readonly memory: Slot;
  readonly byteOffset: number;
  readonly length: number;
}

export interface BufferNode extends ObjectParts {
  readonly type: 'buffer';
  readonly bytes: Uint8Array;
}

export const buffers: Kind<Buffer, BufferNode | ViewNode> = {
  matches: (value) => Buffer.isBuffer(value),
  write: (buffer, graph, origin) => {
    const parts = graph.parts(buffer, Buffer.prototype, origin, isElement);
    if (types.isSharedArrayBuffer(buffer.buffer)) return { ...viewOf(buffer, 'Buffer', graph, origin), ...parts };
    return { type: 'buffer', bytes: new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length), ...parts };
  },
  read: {
    buffer: (node, graph) => {
      const { buffer, byteOffset, length } = node.bytes;
      return graph.finish(Buffer.from(buffer, byteOffset, length), node);
    },
  },
};

export const binary: Kind<ArrayBufferLike | ArrayBufferView, LeafNode | ViewNode | AttachmentNode> = {
  matches: (value) => types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value),
  write: (object, graph, origin) => {
    const memory = ArrayBuffer.isView(object) ? object.buffer : object;
    const natural = naturalClassOf(object);
    // Structured clone refuses some subclasses.
    const value =
      types.isTypedArray(object) && Object.getPrototypeOf(object) !== natural.prototype
        ? new natural(memory, object.byteOffset, object.length)
        : object;
    if (!graph.isCloneable(value)) {
      graph.fail(origin, `${anInstanceOf(tagOf(memory))}, which cannot be sent to a worker of this start method`);
    }
    if (types.isSharedArrayBuffer(object)) return { type: 'attachment', at: graph.attach(object) };
    const parts = graph.parts(object, natural.prototype, origin, isElement);
    if (!types.isSharedArrayBuffer(memory)) return { type: 'leaf', value, ...parts };
    return { ...viewOf(object as ArrayBufferView, natural.name, graph, origin), ...parts };
  },
  read: {
    view: (node, graph) => {
      const { byteOffset, length } = node;
      const memory = graph.valueOf(node.memory) as SharedArrayBuffer;
      const view =
        node.class === 'Buffer'
          ? Buffer.from(memory, byteOffset, length)
          : new (classNamed(node.class))(memory, byteOffset, length);
      return graph.finish(view, node);
    },
  },
};

function viewOf(view: ArrayBufferView, name: string, graph: Writing, origin: Origin): ViewNode {
  const { buffer, byteOffset, byteLength, length = byteLength } = view as ArrayBufferView & { length?: number };
  return { type: 'view', class: name, memory: graph.slot(buffer, origin), byteOffset, length };
}

interface BinaryClass {
  new (memory: ArrayBufferLike, offset: number, length: number): object;
  readonly name: string;
  readonly prototype: object;
}

function classNamed(name: string): BinaryClass {
  return (globalThis as unknown as Record<string, BinaryClass>)[name] as BinaryClass;
}

const tagOfTypedArray = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Int8Array.prototype),
  Symbol.toStringTag,
) as { get(): string };

/** The class of JavaScript's own that an object is of, by what it is rather than by its prototype. */
function naturalClassOf(object: object): BinaryClass {
  if (types.isTypedArray(object)) return classNamed(tagOfTypedArray.get.call(object));
  if (types.isDataView(object)) return DataView as unknown as BinaryClass;
  return (types.isSharedArrayBuffer(object) ? SharedArrayBuffer : ArrayBuffer) as unknown as BinaryClass;
}
