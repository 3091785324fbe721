// What a request to Experience Platform is signed with; it is never shown.

/** What a request is signed with. Never logged: `toJSON` shows nothing. */
export class Session {
  readonly accessToken: string;
  readonly clientId: string;
  readonly organizationId: string;

  constructor(accessToken: string, clientId: string, organizationId: string) {
    this.accessToken = accessToken;
    this.clientId = clientId;
    this.organizationId = organizationId;
  }

  toJSON(): string {
    return '[session]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[session]';
  }
}
