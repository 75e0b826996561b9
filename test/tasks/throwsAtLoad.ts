/** A module that cannot be loaded. */

export function task(): string {
  return 'never';
}

throw Object.assign(new RangeError('thrown while loading'), { code: 'E_LOAD' });
