// Functions written as graphs, and graphs made functions again.
import { expect } from 'chai';
import { capture } from '../../src/internal/closures/capture/capture.js';
import type { Graph } from '../../src/internal/closures/graph.js';
import { revive } from '../../src/internal/closures/revive.js';

type Make = (count: number) => (() => unknown)[];

/** Functions as programs make many of them: what they have in common differs. */
const kinds: Readonly<Record<string, Make>> = {
  'of one loop': (count) => Array.from({ length: count }, (_, i) => () => i),
  'of which each captures the next': (count) => {
    let last = (): unknown => 0;
    for (let i = 0; i < count; i++) {
      const next = last;
      last = () => next;
    }
    return [last];
  },
  'with a counter that all of them share': (count) => {
    let counter = 0;
    return Array.from({ length: count }, () => () => counter++);
  },
  'with a counter for each two of them': (count) =>
    Array.from({ length: count / 2 }, () => {
      let counter = 0;
      return [() => counter++, () => counter];
    }).flat(),
};

describe('a capture', () => {
  for (const [name, make] of Object.entries(kinds)) {
    it(`of 10,000 functions ${name} costs at most 20 times what 1,000 do, not 100`, function () {
      this.timeout(60_000);
      processorTimeOf(make(100)); // the parser is loaded
      const few = Math.min(...[1, 2, 3].map(() => processorTimeOf(make(1000))));
      const many = Math.min(...[1, 2].map(() => processorTimeOf(make(10_000))));
      // About 11 on an idle machine; garbage collection makes it more on a busy one.
      expect(many / few, `${few} and ${many} ms`).to.be.below(20);
    });
  }
});

/** In milliseconds: others on the machine do not count. */
function processorTimeOf(functions: readonly (() => unknown)[]): number {
  const before = process.cpuUsage();
  capture(() => functions, { captures: undefined, isCloneable: () => true });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('a graph', () => {
  it('with a node of an unknown kind is refused', () => {
    const graph = { nodes: [{ type: 'quaternion', w: 1 }], root: 0, sourceMaps: {} } as unknown as Graph;
    expect(() => revive(graph, [])).to.throw(Error, 'A captured value is of the kind "quaternion", which nothing');
  });

  it('with a node that is called like a method of every object is refused', () => {
    const graph = { nodes: [{ type: 'toString' }], root: 0, sourceMaps: {} } as unknown as Graph;
    expect(() => revive(graph, [])).to.throw(Error, 'A captured value is of the kind "toString"');
  });
});
