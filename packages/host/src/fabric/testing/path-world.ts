import { gatewaysOf } from '../plan/gateways.ts';
import { contains, parseCidr, parseIp } from '../plan/address.ts';
import { memberAddresses } from '../plan/security-group.ts';
import type { Objects } from '../objects.ts';
import type { PathWorld } from '../path/world.ts';

/** The objects of one host as a trace asks about them. */
export const pathWorldOf = (objects: Objects): PathWorld => ({
  network: async (id) => objects.networks.get(id),
  router: async (id) => objects.routers.get(id),
  group: async (id) => objects.groups.get(id),
  async isMember(groupId, text) {
    const ip = parseIp(text);
    const members = memberAddresses(objects, groupId)[text.includes(':') ? 'IPv6' : 'IPv4'];
    return ip !== undefined && [...members.keys()].flatMap((member) => parseCidr(member) ?? []).some((member) => contains(member, ip));
  },
  async holderOf(networkId, ip) {
    for (const routerId of objects.routersOf(networkId)) {
      const router = objects.routers.get(routerId);
      if (!router) continue;
      const outside = gatewaysOf(router).filter((gateway) => gateway.networkId === networkId);
      const own = [
        ...outside.flatMap((gateway) => gateway.addresses),
        ...router.interfaces.filter((link) => link.networkId === networkId).flatMap((link) => link.addresses),
      ].map((address) => address.ip);
      const floating = outside.flatMap((gateway) => [...gateway.floatingIps, ...gateway.portForwardings]).map((each) => each.floatingIp);
      const proxied = router.gateway?.networkId === networkId ? (router.ndpProxy?.addresses ?? []) : [];
      if ([...own, ...floating, ...proxied].includes(ip)) return { kind: 'router', routerId };
    }
    if (objects.networks.get(networkId)?.subnets.some((subnet) => subnet.dhcp?.ip === ip)) return { kind: 'dhcp' };
    const port = objects.portAt(networkId, ip);
    return port && { kind: 'port', port };
  },
  async ledTo(sender, ip) {
    const owners = [...objects.portsOf(sender.networkId)].filter((port) => port.adminUp && port.attachment.kind !== 'none');
    return owners.toSorted((a, b) => (a.id < b.id ? -1 : 1)).find((port) => port.localIps?.some((local) => local.ip === ip));
  },
  async claimantsOf(networkId, text) {
    const ip = parseIp(text);
    return [...objects.portsOf(networkId)].filter((port) =>
      port.allowedAddressPairs.some((pair) => {
        const cidr = parseCidr(pair.cidr);
        return ip !== undefined && cidr !== undefined && contains(cidr, ip);
      }),
    );
  },
});
