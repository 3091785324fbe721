// The client for one sandbox: all services share one request function and one token.
import { catalog } from './catalog.ts';
import { dataAccess } from './data-access.ts';
import { dataPrep } from './data-prep.ts';
import { datasetService } from './dataset-service.ts';
import { createDownload } from './download.ts';
import { flowService } from './flow-service.ts';
import { identityService } from './identity-service.ts';
import { createRequest, type RequestOptions } from './request.ts';
import { sandboxes } from './sandboxes.ts';
import { schemaRegistry } from './schema-registry.ts';
import { type Credentials, createSessions, type Sessions } from './token.ts';
import { systemClock, type Transport } from './transport.ts';

export interface AepOptions
  extends Partial<Pick<RequestOptions, 'retry' | 'timeoutMs' | 'onAnswer' | 'beforeChange'>> {
  readonly sandbox: string;
  /** The credential, or a function that is called whenever a new token is needed. Not needed with `sessions`. */
  readonly credentials?: Credentials | (() => Promise<Credentials>);
  /** Default `https://platform.adobe.io`. */
  readonly platformUrl?: string;
  /** Default `https://ims-na1.adobelogin.com`. */
  readonly imsUrl?: string;
  /** Default: the built-in `fetch`, the system's clock, `Math.random`. */
  readonly transport?: Partial<Transport>;
  /** Sessions to share with other clients of the same credential. */
  readonly sessions?: Sessions;
}

export type Aep = ReturnType<typeof createAep>;

/** A client for one sandbox of one organization. Nothing is sent before the first call. */
export function createAep(options: AepOptions) {
  const transport: Transport = {
    fetch: options.transport?.fetch ?? ((url, init) => fetch(url, init as RequestInit)),
    clock: options.transport?.clock ?? systemClock,
    random: options.transport?.random ?? Math.random,
  };
  const { credentials } = options;
  const sessions =
    options.sessions ??
    createSessions({
      imsUrl: options.imsUrl ?? 'https://ims-na1.adobelogin.com',
      credentials: typeof credentials === 'function' ? credentials : async () => given(credentials),
      transport,
    });
  const calls: RequestOptions = {
    platformUrl: options.platformUrl ?? 'https://platform.adobe.io',
    sandbox: options.sandbox,
    sessions,
    transport,
    ...(options.retry !== undefined && { retry: options.retry }),
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    ...(options.onAnswer !== undefined && { onAnswer: options.onAnswer }),
    ...(options.beforeChange !== undefined && { beforeChange: options.beforeChange }),
  };
  const request = createRequest(calls);
  return {
    request,
    sessions,
    transport,
    sandboxes: sandboxes(request),
    schemaRegistry: schemaRegistry(request),
    identity: identityService(request),
    catalog: catalog(request),
    datasetService: datasetService(request),
    dataAccess: dataAccess(request, createDownload(calls)),
    flowService: flowService(request),
    dataPrep: dataPrep(request),
  };
}

function given(credentials: Credentials | undefined): Credentials {
  if (credentials === undefined) throw new TypeError('createAep needs credentials or sessions');
  return credentials;
}
