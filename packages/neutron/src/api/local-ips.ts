import { localIpPortVerbs, localIpVerbs } from '../app/local-ips.ts';
import { LOCAL_IP, LOCAL_IP_PORT } from '../resources/local-ip.ts';
import { operationsOfKind } from './kinds.ts';

export const localIpOperations = [
  ...operationsOfKind(LOCAL_IP, localIpVerbs, 'a local IP', 'local IPs'),
  ...operationsOfKind(LOCAL_IP_PORT, localIpPortVerbs, 'a port of a local IP', 'the ports of a local IP', ['list', 'show', 'create', 'delete']),
];
