// A manifest whose records are in some format.

export function provisioningManifest(source: object): object {
  return {
    version: 1,
    name: 'events',
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'events', data: 'raw', ...source },
    schema: { class: 'profile', fieldGroups: ['identitymap'] },
    mapping: [{ source: 'id', destination: '_id' }],
  };
}
