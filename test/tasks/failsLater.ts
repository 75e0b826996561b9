/** A module that fails when it has been loaded, in its own time. */

setTimeout(() => {
  throw new RangeError('of the module, later');
}, 400);

export default function task(): Promise<never> {
  return new Promise(() => setInterval(() => undefined, 1000));
}
