/** A graph as bytes: taken once, when a call begins, so that all workers get the values of that moment. */

import { Deserializer, Serializer } from 'node:v8';
import type { Graph } from './graph.js';

/** What of a graph are no bytes. */
export interface EncodedGraph {
  readonly bytes: Uint8Array;
  /** Memory that is shared, not copied. */
  readonly memories: readonly SharedArrayBuffer[];
}

class GraphSerializer extends Serializer {
  readonly memories: SharedArrayBuffer[] = [];

  /** @internal Called by V8. */
  _getSharedArrayBufferId(memory: SharedArrayBuffer): number {
    const known = this.memories.indexOf(memory);
    return known >= 0 ? known : this.memories.push(memory) - 1;
  }

  /** @internal Called by V8. */
  _getDataCloneError(message: string): Error {
    return new Error(message);
  }
}

export function encodeGraph(graph: Graph): EncodedGraph {
  const serializer = new GraphSerializer();
  serializer.writeHeader();
  serializer.writeValue(graph);
  return { bytes: new Uint8Array(serializer.releaseBuffer()), memories: serializer.memories };
}

export function decodeGraph({ bytes, memories }: EncodedGraph): Graph {
  const deserializer = new Deserializer(bytes);
  memories.forEach((memory, id) => deserializer.transferArrayBuffer(id, memory as unknown as ArrayBuffer));
  deserializer.readHeader();
  return deserializer.readValue() as Graph;
}
