/** What transpilers make of an ES module with a default export. */
Object.defineProperty(exports, '__esModule', { value: true });
exports.default = (value: number): number => value + 1000;
