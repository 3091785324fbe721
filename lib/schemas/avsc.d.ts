// The types of the one avsc module that is loaded: its main module also loads files, services and their streams.
declare module 'avsc/lib/types.js' {
  export { Type, types as builtins } from 'avsc';
}
