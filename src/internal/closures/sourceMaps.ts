/** Source maps of files that a worker has not loaded itself, but has functions of. */

const known = new Set<string>();
/** Those of which Node was not told, since it does not map stacks so far: a copy of this process may, by what it preloads. */
const untold = new Map<string, string>();

/** Tells Node of source maps, where it maps stacks at all. The only way for code that it has not loaded is code of that name. */
export function setSourceMapsFor(maps: Readonly<Record<string, string>>): void {
  for (const [file, map] of Object.entries(maps)) if (!known.has(file)) untold.set(file, map);
  tellSourceMaps();
}

/** Does so with those that it was not told of, now that it may map stacks. */
export function tellSourceMaps(): void {
  if (process.sourceMapsEnabled !== true) return;
  for (const [file, map] of untold) {
    known.add(file);
    untold.delete(file);
    // It does nothing but carry two comments. Only of code made by `eval` or `Function` does Node read them.
    // oxlint-disable-next-line no-eval
    (0, eval)(`//# sourceMappingURL=${map}\n//# sourceURL=${file}`);
  }
}
