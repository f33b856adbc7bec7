/** The few parts of oidc-provider that the tests use; it brings no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface GrantContext {
    readonly oidc: {
      readonly client: { readonly clientId: string };
      readonly params: Readonly<Record<string, string | undefined>>;
      readonly resourceServers?: Readonly<Record<string, unknown>>;
    };
    body: unknown;
    status: number;
  }
  export class Provider {
    constructor(issuer: string, configuration: object);
    readonly AccessToken: new (
      properties: object,
    ) => { resourceServer: unknown; save(): Promise<string> };
    readonly Grant: new (
      properties: object,
    ) => { addOIDCScope(scope: string): void; save(): Promise<string> };
    readonly ResourceServer: new (
      id: string,
      info: object,
    ) => unknown;
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    registerGrantType(name: string, handler: (ctx: GrantContext) => Promise<void>, parameters: readonly string[]): void;
    on(event: string, listener: (...args: unknown[]) => void): void;
  }
}
