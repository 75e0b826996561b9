/** Tasks that wait for each other, so that each of some workers has one of them however late it comes up. They meet in a folder. */

/** To be called by a task: resolves when so many have come, each by a name of its own. One that has come before is there already. */
export const meet = async (dir: string, who: string | number, count: number): Promise<void> => {
  const { readdirSync, writeFileSync } = await import('node:fs');
  writeFileSync(`${dir}/met-${who}`, '');
  const here = (): number => readdirSync(dir).filter((name) => name.startsWith('met-')).length;
  while (here() < count) await new Promise((resolve) => setTimeout(resolve, 2));
};
