// The client on its own: makes a schema and a dataset, finds them again, and removes them.
import { createAep, isFailure } from 'penstock/aep';

/** By default the simulated platform of `npm run simulate`, with the credentials it prints. */
const host = process.env.AEP_URL ?? 'http://127.0.0.1:4010';

const aep = createAep({
  sandbox: process.env.AEP_SANDBOX ?? 'dev1',
  platformUrl: host,
  imsUrl: process.env.AEP_IMS_URL ?? host,
  credentials: {
    clientId: process.env.AEP_CLIENT_ID ?? 'simulated-client-id',
    clientSecret: process.env.AEP_CLIENT_SECRET ?? 'simulated-client-secret',
    organizationId: process.env.AEP_ORGANIZATION_ID ?? '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
    scopes: 'openid,AdobeID,read_organizations,additional_info.projectedProductContext,session',
  },
});

try {
  const schema = await aep.schemaRegistry.createSchema({
    title: 'penstock-example',
    description: 'Made by an example',
    parts: ['https://ns.adobe.com/xdm/context/profile'],
  });
  const id = await aep.catalog.createDataset({
    name: 'penstock-example',
    description: 'Made by an example',
    schemaId: schema.$id,
    tags: {},
  });
  const found = await aep.catalog.findDatasets('penstock-example');
  console.log(`made the dataset ${id}, found ${found.length} of its name`);
  await aep.catalog.deleteDataset(id);
  await aep.schemaRegistry.deleteSchema(schema.$id);
  console.log('removed both again');
} catch (error) {
  if (!isFailure(error)) throw error;
  console.error(`${error.message} [${error.serviceCode ?? 'no service code'}]`);
  process.exitCode = 1;
}
