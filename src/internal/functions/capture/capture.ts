/** A function taken with what it captures: the door to this folder. */

import { encodeGraph } from '../graphCodec.js';
import { GraphWriter, type GraphOptions } from './GraphWriter.js';
import { Inspector } from './Inspector.js';
import type { PortableGraph } from '../portable.js';

export type CaptureOptions = GraphOptions;

/** @throws UnportableFunctionError */
export function capture(
  fn: (...args: never[]) => unknown,
  options: CaptureOptions,
): Omit<PortableGraph, 'kind' | 'name'> {
  const inspector = Inspector.open();
  try {
    const { graph, attachments } = new GraphWriter(inspector, options).run(fn);
    const imports = graph.nodes.some(({ type }) => type === 'import' || type === 'require');
    return { ...encodeGraph(graph), attachments, imports };
  } finally {
    inspector?.close();
  }
}
