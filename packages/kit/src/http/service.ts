import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CairnError } from '../errors/errors.ts';
import type { PolicyRule } from '../policy/policy.ts';
import type { Microversions, Version } from './microversion.ts';
import type { AnyOperation } from './operation.ts';

/** An error in a service's own wire form. */
export interface WireFault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is (set content-type in headers), anything else as JSON. */
  readonly body: unknown;
}

export interface FaultRequest {
  readonly requestId: string;
  readonly version: Version | undefined;
  readonly method: string;
  readonly url: string;
  readonly accept: string;
}

/** One OpenStack service as kit/http mounts it: its operations, policy and wire habits. */
export interface HttpService<App = unknown> {
  /** Code name: `nova`. */
  readonly name: string;
  /** Catalog type: `compute`. */
  readonly type: string;
  /** `/compute`. */
  readonly prefix: `/${string}`;
  /** The port that upstream's service listens on by default: 8774. */
  readonly classicPort: number;
  /** Older beginnings of paths and what they stand for: nova's `/v2/` is `/v2.1/`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Other spellings of an operation's path (`/v2.0/local-ips/:id`), which answer as it does: neutron takes `local_ips` for `local-ips`. Not for calls inside. */
  spellings?(path: string): readonly string[];
  readonly app: App;
  readonly operations: readonly AnyOperation[];
  readonly policies: readonly PolicyRule[];
  readonly microversions?: Microversions;
  /** Default limit of JSON bodies. */
  readonly bodyLimitBytes?: number;
  /** Renders any error in the service's envelope. */
  fault(error: CairnError, request: FaultRequest): WireFault;
  /** Headers of every answer besides x-openstack-request-id, e.g. nova's x-compute-request-id. */
  headers?(request: FaultRequest): Readonly<Record<string, string>>;
  /** HEAD answers like GET without the body where no HEAD operation is declared (keystone). */
  readonly headTwins?: boolean;
  /** A path with a slash too many at its end, below the version, is another path that there is not (glance: `/v2/images/` is no list). */
  readonly strictSlashes?: boolean;
  /** Content types that a JSON body may come with; any when absent. Another is UnsupportedMediaType. */
  readonly contentTypes?: RegExp;
  /** Paths below the prefix at which connections leave HTTP (WebSocket): `/console/websockify`. */
  readonly upgrades?: Readonly<Record<string, Upgrade>>;
  /** The service's own look at the headers of a request whose operation is known, before its body is read and policy is asked; throws to refuse. */
  admit?(request: Admission): void;
}

/** Takes a connection over that asked to leave HTTP, or refuses it by `refuseUpgrade`. The socket is the handler's from then on. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, url: URL) => void;

/** What `HttpService.admit` judges. */
export interface Admission {
  readonly operation: AnyOperation;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly hasBody: boolean;
}
