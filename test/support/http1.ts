// What makes a client of AWS's SDK speak HTTP/1.1, as the AWS CLI does: its Kinesis client speaks HTTP/2 by itself.
import { request as send } from 'node:http';

interface SdkRequest {
  readonly method: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A `requestHandler`; `seen` is told the version of each answer. */
export function http1(seen: (version: string) => void = () => undefined) {
  return {
    handle: ({ method, hostname, port, path, headers, body }: SdkRequest) =>
      new Promise<{ response: object }>((resolve, reject) => {
        const request = send({ method, hostname, port, path, headers }, (response) => {
          seen(response.httpVersion);
          const { statusCode, headers: answered } = response;
          resolve({ response: { statusCode, headers: answered, body: response } });
        });
        request.once('error', reject);
        request.end(body);
      }),
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
  };
}
