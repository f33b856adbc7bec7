import { notFound } from '@cairn/kit/errors/errors';
import type { NovaApp } from '../app/app.ts';
import { targetOf } from '../app/caller.ts';
import { NetworkAddresses, ServerAddresses } from './answers/servers.ts';
import type { Request } from '@cairn/kit/http/operation';
import { op } from './op.ts';
import { anyQuery } from './schemas/types.ts';
import { type AddressView, addressesView } from './views/addresses.ts';

async function addresses(app: NovaApp, request: Request, policy: string): Promise<Readonly<Record<string, readonly AddressView[]>>> {
  const row = await app.servers.get(request, request.params['server_id'] as string);
  request.authorize(policy, targetOf(row));
  const [details] = await app.servers.details([row], { hostStatus: false, groups: false });
  return addressesView(details?.ports ?? [], false);
}

export const serverIpOperations = [
  op({
    id: 'nova.server_ip.list',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/ips',
    summary: "List a server's addresses",
    policy: 'os_compute_api:ips:index',
    answer: ServerAddresses,
    query: anyQuery,
    handle: async (app, request) => ({ addresses: await addresses(app, request, 'os_compute_api:ips:index') }),
  }),
  op({
    id: 'nova.server_ip.show',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/ips/{network}',
    summary: "List a server's addresses in one network",
    policy: 'os_compute_api:ips:show',
    answer: NetworkAddresses,
    query: anyQuery,
    async handle(app, request) {
      const label = request.params['network'] as string;
      const found = (await addresses(app, request, 'os_compute_api:ips:show'))[label];
      if (found === undefined) throw notFound('Instance is not a member of specified network');
      return { [label]: found };
    },
  }),
];
