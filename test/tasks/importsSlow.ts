/** A function with an import that takes its time to load. */

import double from './slowToLoad.js';

export const quadruple = (n: number): number => double(double(n));
