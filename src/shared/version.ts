/** Of all three programs; package.json says the same (version.test.ts compares them). */
export const version = '0.1.0';
