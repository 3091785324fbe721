// Packs Glue's client only where the parameter glueSchemaRegistry asks for it: nobody else's zips hold it.
const FUNCTIONS = ['forward', 'redrive', 'reconcile', 'tap'];
const CLIENT = 'dist/functions/glue.cjs';

module.exports = class Schemas {
  constructor({ service }) {
    this.hooks = {
      'before:package:cleanup': () => {
        for (const name of FUNCTIONS) {
          const { environment, package: packed } = service.functions[name];
          if (environment.PENSTOCK_SCHEMA_REGISTRY === 'yes') packed.patterns.push(CLIENT);
        }
      },
    };
  }
};
