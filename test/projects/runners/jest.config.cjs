module.exports = {
  testMatch: ['**/test/**/*.(spec|jest).[jt]s'],
  testEnvironment: 'node',
};
