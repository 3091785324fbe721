// Error bodies as the platform has them. Each service has a form of its own.

import type { Answer } from './answer.ts';
import type { Json, JsonObject } from './json.ts';

/** The legacy problem body several services still use (contract §0); its type is Adobe's own placeholder. */
export function legacyProblem(status: number, title: string, detail: string): JsonObject {
  return { type: '/placeholder/type/uri', status, title, detail };
}

/** Thrown by a service to answer with an error; the dispatcher turns it into the answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(status: number, body: Json | undefined, headers: Record<string, string> = {}) {
    super(`HTTP ${status}`);
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    this.answer = { status, headers: { ...type, ...headers }, body };
  }

  /** From the Adobe I/O layer, before a service sees the call (contract §0). `error_code` is a string. */
  static gateway(status: number, code: string, message: string): Refusal {
    return new Refusal(status, { error_code: code, message });
  }

  static problem(status: number, title: string, detail: string): Refusal {
    return new Refusal(status, legacyProblem(status, title, detail));
  }

  /** Data Prep: the contract marks its bodies UNVERIFIED; the legacy shape with a DPMAP-style code. */
  static dataPrep(code: string, detail: string): Refusal {
    const status = Number(code.slice(-3));
    const type = `http://ns.adobe.com/aep/errors/${code}`;
    return new Refusal(status, { type, status, title: 'BadRequestError', detail: `${code}: ${detail}` });
  }

  /** Schema Registry (contract §2.4): the message appears twice, as `detailed-message` and as `detail`. */
  static xdm(code: string, title: string, detail: string, registryRequestId: string, now: number): Refusal {
    const status = Number(code.slice(-3));
    return new Refusal(status, {
      type: `http://ns.adobe.com/aep/errors/${code}`,
      title,
      status,
      report: {
        registryRequestId,
        timestamp: registryTime(now),
        'detailed-message': detail,
        'sub-errors': [],
      },
      detail,
    });
  }

  /** Flow Service (contract §4.2): the message three times over. */
  static flow(code: string, title: string, detail: string, report: JsonObject = {}): Refusal {
    const status = Number(code.slice(-3));
    return new Refusal(status, {
      type: `https://ns.adobe.com/aep/errors/FLOW-${code}`,
      title,
      status,
      report: { 'detailed-message': detail, ...report },
      errorMessage: detail,
      errorDetails: detail,
    });
  }

  /** Observability Insights (Adobe's page observability/api/metrics). */
  static insights(code: string, title: string, tenantInfo: JsonObject, now: number): Refusal {
    const status = Number(code.slice(-3));
    return new Refusal(status, {
      type: `http://ns.adobe.com/aep/errors/${code}`,
      title,
      status,
      report: { tenantInfo, additionalContext: null },
      'error-chain': [
        { serviceId: 'INSGHT', errorCode: code, invokingServiceId: 'INSGHT', unixTimeStampMs: now },
      ],
    });
  }

  /** The inlet (contract §6.3). */
  static inlet(status: number, title: string, message: string, cause?: JsonObject): Refusal {
    return new Refusal(status, {
      type: 'http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet',
      status,
      title,
      report: cause ? { message, cause } : { message },
    });
  }

  /** The inlet's authorization layer writes its status as a string (contract §6.3). */
  static inletAuthorization(status: number, message: string): Refusal {
    return new Refusal(status, {
      type: 'https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization',
      status: String(status),
      title: 'Authorization',
      report: { message },
    });
  }
}

/** `02-13-2026 09:12:44`, the registry's own way to write a time. */
function registryTime(now: number): string {
  const iso = new Date(now).toISOString();
  return `${iso.slice(5, 7)}-${iso.slice(8, 10)}-${iso.slice(0, 4)} ${iso.slice(11, 19)}`;
}
