/** A module that takes as many milliseconds to load as the environment says. */

await new Promise((resolve) => setTimeout(resolve, Number(process.env['LOAD_TIME'])));

export default function echo<T>(value: T): T {
  return value;
}
