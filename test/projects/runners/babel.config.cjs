// The presets of @babel/preset-env and -typescript, which @babel/standalone carries.
const { availablePresets: presets } = require('@babel/standalone');

module.exports = {
  presets: [[presets.env, { targets: 'node 20', modules: 'commonjs' }], presets.typescript],
};
