/** The module that a warm-up loads: see warmUp.ts. */

export default function warmedUp<T>(value: T): T {
  return value;
}
