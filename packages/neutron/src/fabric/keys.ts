import type { FabricObject } from '@cairn/host/interface/fabric';

export type FabricKind = FabricObject['kind'];

/** Names one object of the fabric: `port 8d0c...`. */
export type FabricKey = `${FabricKind} ${string}`;

export const networkKey = (id: string): FabricKey => `network ${id}`;
export const portKey = (id: string): FabricKey => `port ${id}`;
export const routerKey = (id: string): FabricKey => `router ${id}`;
export const groupKey = (id: string): FabricKey => `securityGroup ${id}`;

export const kindOf = (key: FabricKey): FabricKind => key.slice(0, key.indexOf(' ')) as FabricKind;
export const idOf = (key: FabricKey): string => key.slice(key.indexOf(' ') + 1);
