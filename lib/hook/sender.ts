// What a sender of deploy hooks is: how to recognise its deliveries, their ids, and what they ask for.
import type { HookRequest } from './asked.ts';

/** Names in lower case. Values of a repeated header are joined by commas, as Lambda does it. */
export type Headers = Readonly<Record<string, string>>;

/** What a delivery asks for. A deployment names its environment; an empty text if it does not say. */
export type Asked =
  /** A request in our own format. */
  | { readonly kind: 'request'; readonly request: HookRequest; readonly environment?: string }
  /** Something was deployed; the deployment's settings say what to start. */
  | { readonly kind: 'deployed'; readonly environment?: string }
  /** Nothing, such as a test of the connection. */
  | { readonly kind: 'nothing'; readonly why: string };

/** A sender that calls the URL. Only what it has signed counts. */
export interface WebhookSender {
  /** Part of an execution's name. */
  readonly name: string;
  /** The field of its key in the secret. */
  readonly field: 'github' | 'standardWebhooks';
  /** The header by which it is recognised. */
  readonly header: string;
  /**
   * The delivery's id, from what the sender signed; or a word for the log on why the delivery is refused.
   * `now` in ms since the epoch.
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

/** A sender that puts events on the bus. IAM has checked it, so all of the event counts. */
export interface EventSender {
  readonly name: string;
  sent(event: BusEvent): boolean;
  /** The event's id, the same for each retry. */
  id(event: BusEvent): string;
  /** @throws Failure `EVENT_INVALID` */
  asked(event: BusEvent): Asked;
}
