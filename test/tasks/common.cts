/** Tasks given by `moduleTask`, in a CommonJS module. */

import path = require('node:path');

function main(value: string): string {
  return `cjs:${path.basename(value)}`;
}

// The second name cannot be seen without running the module.
export = Object.assign(main, {
  named: (value: number): number => value * 10,
  ['computed' + 'Name']: (value: number): number => value * 100,
});
