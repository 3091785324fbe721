// What a sender of deploy hooks is: how its deliveries are recognised, what they are known by, and what they ask for.
import type { HookRequest } from './asked.ts';

/** Names in lower case; what came several times is joined by commas, as Lambda does it. */
export type Headers = Readonly<Record<string, string>>;

/** What a delivery asks for. Of a deployment with the environment it went to: an empty text where it does not say. */
export type Asked =
  /** In our own words. */
  | { readonly kind: 'request'; readonly request: HookRequest; readonly environment?: string }
  /** Something was deployed; what starts then is said by the deployment. */
  | { readonly kind: 'deployed'; readonly environment?: string }
  /** Nothing, such as a test of the connection. */
  | { readonly kind: 'nothing'; readonly why: string };

/** Whoever calls the URL. Only what it has signed counts. */
export interface WebhookSender {
  /** Part of what an execution is named after. */
  readonly name: string;
  /** Its key's field in the secret. */
  readonly field: 'github' | 'standardWebhooks';
  /** The header that tells it from others. */
  readonly header: string;
  /**
   * What the delivery is known by, of what the sender signed; or a word for the log on why it is not to be trusted. `now` in ms
   * since the epoch.
   */
  verify(headers: Headers, body: Buffer, keys: readonly Buffer[], now: number): Verified;
  /** @throws Failure `EVENT_INVALID` */
  asked(body: unknown): Asked;
}

export type Verified = { readonly id: string } | { readonly refused: string };

/** An event as EventBridge brings it: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
export interface BusEvent {
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Whoever puts events on the bus. IAM has seen to who it is, so all of the event counts. */
export interface EventSender {
  readonly name: string;
  sent(event: BusEvent): boolean;
  /** What the event is known by, however often it comes. */
  id(event: BusEvent): string;
  /** @throws Failure `EVENT_INVALID` */
  asked(event: BusEvent): Asked;
}
