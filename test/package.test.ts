// What the package exports, the same in both formats.
import { createRequire } from 'node:module';
import { expect } from 'chai';
import * as imported from 'rxjs-parallel-map';
import * as library from './support/library.js';

describe('the package', () => {
  it('exports its public surface and nothing else', () => {
    expect(Object.keys(imported).sort()).to.deep.equal(Object.keys(library).sort());
  });

  it('exports the same names to `require` as to `import`', () => {
    const required = createRequire(import.meta.url)('rxjs-parallel-map');
    expect(Object.keys(required).sort()).to.deep.equal(Object.keys(imported).sort());
  });
});
