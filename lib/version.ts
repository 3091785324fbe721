// The version of this package, which the functions of a stack tell; written by `npm run generate` from package.json.
export const VERSION = '0.1.0';
