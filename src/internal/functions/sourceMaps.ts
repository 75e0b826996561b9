/** Source maps of files that a worker has not loaded itself, but has functions of. */

const known = new Set<string>();

/** Tells Node of source maps, where it maps stacks at all. The only way for code that it has not loaded is code of that name. */
export function setSourceMapsFor(maps: Readonly<Record<string, string>>): void {
  if (process.sourceMapsEnabled !== true) return;
  for (const [file, map] of Object.entries(maps)) {
    if (known.has(file)) continue;
    known.add(file);
    // It does nothing but carry two comments. Only of code made by `eval` or `Function` does Node read them.
    // oxlint-disable-next-line no-eval
    (0, eval)(`//# sourceMappingURL=${map}\n//# sourceURL=${file}`);
  }
}
