// The functions that all pools run. piscina, tinypool, workerpool and poolifier load this module in their workers, as their
// READMEs ask for; parallelMap gets the functions themselves.

/** numbers: as little work as can be. */
export const increment = (n) => n + 1;

/** start: the same, or, for a negative one, keeps its worker busy for ever, and says when it does. */
export const incrementOrStay = (n, context) => (n < 0 ? new Promise(() => context.progress('busy')) : n + 1);

/** objects: reads a record, makes a new one. */
export const price = ({ id, name, tags, amount, unitPrice }) => ({
  id,
  label: `${name} (${tags.length})`,
  total: amount * unitPrice,
});

/** buffers: touches the bytes, and sends all of them back. */
export const invert = (bytes) => {
  bytes[0] = 255 - bytes[0];
  bytes[bytes.length - 1] = 255 - bytes[bytes.length - 1];
  return bytes;
};
