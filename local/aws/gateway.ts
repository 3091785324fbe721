// One address for the whole local AWS, for `AWS_ENDPOINT_URL`: a request goes to the service that its signature is for.
import { Agent, type IncomingHttpHeaders, type ServerResponse, request as send } from 'node:http';
import { Readable } from 'node:stream';
import { type FrontRequest, startFront } from './front.ts';
import { notSimulated, type RunningServer } from './server.ts';

/** By the word for a service in SigV4's credential scope (`states`, `secretsmanager`, …): where it answers here. */
export type Services = Readonly<Record<string, string>>;

/** Of a connection, and not of what is said on it: RFC 9110 §7.6.1. HTTP/2 has none of them. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'te',
]);

export async function startGateway(services: Services): Promise<RunningServer> {
  const agent = new Agent({ keepAlive: true });
  const front = await startFront((request, response) => {
    const service = serviceIn(request.headers.authorization);
    const endpoint = services[service ?? ''];
    if (endpoint === undefined) refuse(request, response, service);
    else pass(request, response, endpoint, agent);
  });
  return {
    endpoint: front.endpoint,
    async close() {
      await front.close();
      agent.destroy();
    },
  };
}

function serviceIn(authorization: string | undefined): string | undefined {
  return /Credential=[^/,]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization ?? '')?.[1];
}

function pass(request: FrontRequest, response: ServerResponse, endpoint: string, agent: Agent): void {
  const { method, url, headers } = request;
  const { hostname, port } = new URL(endpoint);
  const onward = send({ agent, hostname, port, method, path: url, headers: passedOn(headers) }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
    answer.pipe(response);
  });
  onward.once('error', () => response.destroy());
  response.once('close', () => onward.destroy());
  Readable.from(request).pipe(onward);
}

/** The host is signed, and HTTP/2 calls it by another name. */
function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const host = headers[':authority'];
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith(':') && !OF_CONNECTIONS.has(name));
  return { ...Object.fromEntries(kept), ...(host !== undefined && { host: String(host) }) };
}

/** By the protocol that the request is of: forms are answered in XML, everything else in JSON. */
function refuse({ headers }: FrontRequest, response: ServerResponse, service: string | undefined): void {
  const { type, message } = notSimulated(
    service === undefined ? 'requests that are not signed' : `the service ${service}`,
  );
  const isForm = String(headers['content-type']).startsWith('application/x-www-form-urlencoded');
  response.writeHead(400, {
    'content-type': isForm ? 'text/xml' : 'application/json',
    'x-amzn-errortype': type,
  });
  response.end(
    isForm
      ? `<ErrorResponse><Error><Type>Sender</Type><Code>${type}</Code><Message>${message}</Message></Error></ErrorResponse>`
      : JSON.stringify({ __type: type, message }),
  );
}
