/** A module that ends its worker while it is being loaded. */

export default function task(): string {
  return 'never';
}

await new Promise((resolve) => setTimeout(resolve, 20));
process.exit(3);
