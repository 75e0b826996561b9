/** A module that is never loaded. */

export default function task(): string {
  return 'never';
}

for (;;);
