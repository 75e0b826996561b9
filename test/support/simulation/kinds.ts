/** The kinds of scripts that are simulated, by their names. */

export const kindNames = [
  'one result for each value',
  'several results for each value',
  'sources that overflow',
  'buffers that move',
  'inputs that are pulled',
  'several scripts at once on one pool',
  'scripts on a pool that ends meanwhile',
] as const;

export type Kind = (typeof kindNames)[number];
