/** A graph as bytes: taken once, when a call begins, so that all workers get the values of that moment. */

import { Deserializer, Serializer } from 'node:v8';
import type { Graph } from './graph.js';

/** Typed arrays are left to V8, unlike in `v8.serialize`: views of one buffer stay views of one buffer. */
export function encodeGraph(graph: Graph): Uint8Array {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(graph);
  return new Uint8Array(serializer.releaseBuffer());
}

export function decodeGraph(bytes: Uint8Array): Graph {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue() as Graph;
}
