import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.{spec,vitest}.ts'], globals: true },
});
