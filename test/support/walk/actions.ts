import { NETWORK_ACTIONS } from './actions/network.ts';
import { SERVER_ACTIONS } from './actions/servers.ts';
import { VOLUME_ACTIONS } from './actions/volumes.ts';
import type { Actions } from './scene.ts';

/** Every kind of step with its weight. A step may be refused; it may not be forgotten or half done. */
export const ACTIONS: Actions = { ...SERVER_ACTIONS, ...VOLUME_ACTIONS, ...NETWORK_ACTIONS };
