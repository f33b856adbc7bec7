import type { RouterSpec } from '../../interface/fabric.ts';
import { dhcpLinkName, isGatewayLink, type Names, routerLinkName } from '../names.ts';
import type { FabricView } from '../objects.ts';
import { contains, parseCidr, parseIp } from '../plan/address.ts';
import { hasMetadata, planDhcpNamespace } from '../plan/dhcp.ts';
import { planAdvertiser, planDhcpServer } from '../plan/dnsmasq.ts';
import { delegationOf, replacedPrefixes } from '../plan/delegation.ts';
import type { NamespacePlan } from '../plan/namespace.ts';
import { planRouter } from '../plan/router.ts';
import { FLOATING_MAP, FORWARDING_MAP, NAT_TABLE } from '../plan/router-rules.ts';
import type { NamespaceSubject } from './namespace.ts';

export const routerKey = (routerId: string): string => `router-${routerId}`;
export const dhcpKey = (networkId: string): string => `dhcp-${networkId}`;

/** `onBuilt` hears of each plan that was built. */
export function routerSubject(view: FabricView, routerId: string, names: Names, onBuilt: (plan: NamespacePlan) => void): NamespaceSubject {
  return {
    key: routerKey(routerId),
    netns: names.router(routerId),
    plan() {
      const router = view.routers.get(routerId);
      return router && planRouter(view, router, names);
    },
    dnsmasq() {
      const router = view.routers.get(routerId);
      return router && !router.isPart ? planAdvertiser(advertised(view, router)) : undefined;
    },
    delegation() {
      const router = view.routers.get(routerId);
      return router && delegationOf(router);
    },
    built: onBuilt,
    identify: () =>
      view.routers.get(routerId)?.isPart
        ? undefined
        : (ip) => {
            const router = view.routers.get(routerId);
            const address = parseIp(ip);
            if (!router || !address) return undefined;
            // The network is that of the interface whose subnet has the address: networks of one router may overlap elsewhere.
            const link = router.interfaces.find((at) =>
              at.addresses.some(({ ip: own, prefixLength }) => {
                const cidr = parseCidr(`${own}/${prefixLength}`);
                return cidr !== undefined && contains(cidr, address);
              }),
            );
            return link && view.portAt(link.networkId, ip)?.id;
          },
    forget({ state, rules }, plan) {
      // Connections of a floating address that goes, or goes to another server, and of a source address that is no more.
      const gone = new Set<string>();
      const wanted = plan.rules.get(NAT_TABLE)?.sets.get(FLOATING_MAP)?.elements;
      for (const [floating, fixed] of rules.get(NAT_TABLE)?.sets.get(FLOATING_MAP)?.elements ?? []) if (wanted?.get(floating) !== fixed) gone.add(floating);
      const wantedForwardings = plan.rules.get(NAT_TABLE)?.sets.get(FORWARDING_MAP)?.elements;
      const ports = [...(rules.get(NAT_TABLE)?.sets.get(FORWARDING_MAP)?.elements ?? [])].filter(
        ([outside, inside]) => wantedForwardings?.get(outside) !== inside,
      );
      for (const [name, link] of state.links) {
        if (!isGatewayLink(name)) continue;
        const kept = plan.links.get(name)?.addresses ?? [];
        for (const address of link.addresses) if (!address.includes(':') && !kept.includes(address)) gone.add(address.slice(0, address.indexOf('/')));
      }
      const forgotten = ports.flatMap(([outside]) => {
        const [ip, protocol, port] = outside.split(' . ');
        return [`-D -f ipv4 -p ${protocol} -d ${ip} --dport ${port}`];
      });
      return [...forgotten, ...[...gone].flatMap((ip) => [`-D -f ipv4 -d ${ip}`, `-D -f ipv4 -q ${ip}`])];
    },
  };
}

function advertised(view: FabricView, router: RouterSpec) {
  return router.interfaces.flatMap((link) =>
    (view.networks.get(link.networkId)?.subnets ?? [])
      .filter((subnet) => {
        const cidr = parseCidr(subnet.cidr);
        return cidr !== undefined && link.addresses.some(({ ip }) => contains(cidr, parseIp(ip) ?? { version: 4, value: 0n }));
      })
      .map((subnet) => ({
        link: routerLinkName(link.portId),
        subnet,
        replaced: replacedPrefixes(router, link).flatMap(({ subnetId, before }) => (subnetId === subnet.id ? [before] : [])),
      })),
  );
}

export function dhcpSubject(view: FabricView, networkId: string, names: Names): NamespaceSubject {
  return {
    key: dhcpKey(networkId),
    netns: names.dhcp(networkId),
    plan() {
      const network = view.networks.get(networkId);
      return network && planDhcpNamespace(network, names);
    },
    dnsmasq() {
      const network = view.networks.get(networkId);
      return network && planDhcpServer(network, view.portsOf(networkId), dhcpLinkName(networkId));
    },
    identify() {
      const network = view.networks.get(networkId);
      return network && hasMetadata(network) ? (ip) => view.portAt(networkId, ip)?.id : undefined;
    },
    forget: () => [],
  };
}
