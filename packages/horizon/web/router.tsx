import { createRootRoute, createRoute, createRouter, lazyRouteComponent, retainSearchParams } from '@tanstack/react-router';
import { readSearch } from './path/model.ts';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({
  component: Shell,
  validateSearch: (search: Record<string, unknown>): { region?: string } => (typeof search['region'] === 'string' ? { region: search['region'] } : {}),
  // the region stays in the address, whatever page comes next
  search: { middlewares: [retainSearchParams(['region'])] },
});
const route = <const P extends string>(path: P, component: Parameters<typeof createRoute>[0]['component']) =>
  createRoute({ getParentRoute: () => root, path, component });

const serverRoute = createRoute({
  getParentRoute: () => root,
  path: '/servers/$serverId',
  validateSearch: (search: Record<string, unknown>): { tab?: string } => (typeof search['tab'] === 'string' ? { tab: search['tab'] } : {}),
  component: lazyRouteComponent(() => import('./servers/detail.tsx'), 'ServerPage'),
});

const securityGroupRoute = createRoute({
  getParentRoute: () => root,
  path: '/security-groups/$groupId',
  validateSearch: (search: Record<string, unknown>): { rule?: string; add?: string } => ({
    ...(typeof search['rule'] === 'string' && { rule: search['rule'] }),
    ...(typeof search['add'] === 'string' && { add: search['add'] }),
  }),
  component: lazyRouteComponent(() => import('./security-groups/detail.tsx'), 'SecurityGroupPage'),
});

const topologyRoute = createRoute({
  getParentRoute: () => root,
  path: '/topology',
  validateSearch: (search: Record<string, unknown>): { network?: string } => (typeof search['network'] === 'string' ? { network: search['network'] } : {}),
  component: lazyRouteComponent(() => import('./networks/topology.tsx'), 'TopologyPage'),
});

const pathRoute = createRoute({
  getParentRoute: () => root,
  path: '/path',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./path/page.tsx'), 'PathPage'),
});

const tree = root.addChildren([
  route(
    '/',
    lazyRouteComponent(() => import('./overview/page.tsx'), 'OverviewPage'),
  ),
  route(
    '/api-access',
    lazyRouteComponent(() => import('./access/page.tsx'), 'AccessPage'),
  ),
  route(
    '/servers',
    lazyRouteComponent(() => import('./servers/list.tsx'), 'ServersPage'),
  ),
  route(
    '/servers/new',
    lazyRouteComponent(() => import('./servers/launch/page.tsx'), 'LaunchPage'),
  ),
  serverRoute,
  pathRoute,
  route(
    '/networks',
    lazyRouteComponent(() => import('./networks/list.tsx'), 'NetworksPage'),
  ),
  route(
    '/networks/$networkId',
    lazyRouteComponent(() => import('./networks/detail.tsx'), 'NetworkPage'),
  ),
  route(
    '/routers',
    lazyRouteComponent(() => import('./routers/list.tsx'), 'RoutersPage'),
  ),
  route(
    '/routers/$routerId',
    lazyRouteComponent(() => import('./routers/detail.tsx'), 'RouterPage'),
  ),
  route(
    '/ports',
    lazyRouteComponent(() => import('./ports/list.tsx'), 'PortsPage'),
  ),
  route(
    '/ports/$portId',
    lazyRouteComponent(() => import('./ports/detail.tsx'), 'PortPage'),
  ),
  route(
    '/floating-ips',
    lazyRouteComponent(() => import('./floating-ips/list.tsx'), 'FloatingIpsPage'),
  ),
  route(
    '/floating-ips/$floatingIpId',
    lazyRouteComponent(() => import('./floating-ips/detail.tsx'), 'FloatingIpPage'),
  ),
  route(
    '/subnet-pools',
    lazyRouteComponent(() => import('./networks/pools.tsx'), 'SubnetPoolsPage'),
  ),
  route(
    '/qos-policies',
    lazyRouteComponent(() => import('./networks/qos.tsx'), 'QosPoliciesPage'),
  ),
  route(
    '/qos-policies/$policyId',
    lazyRouteComponent(() => import('./networks/qos-detail.tsx'), 'QosPolicyPage'),
  ),
  route(
    '/trunks/$trunkId',
    lazyRouteComponent(() => import('./networks/trunk-detail.tsx'), 'TrunkPage'),
  ),
  route(
    '/trunks',
    lazyRouteComponent(() => import('./networks/trunks.tsx'), 'TrunksPage'),
  ),
  topologyRoute,
  route(
    '/security-groups',
    lazyRouteComponent(() => import('./security-groups/list.tsx'), 'SecurityGroupsPage'),
  ),
  securityGroupRoute,
  route(
    '/address-groups',
    lazyRouteComponent(() => import('./security-groups/list.tsx'), 'AddressGroupsPage'),
  ),
  route(
    '/volumes',
    lazyRouteComponent(() => import('./volumes/list.tsx'), 'VolumesPage'),
  ),
  route(
    '/volumes/$volumeId',
    lazyRouteComponent(() => import('./volumes/detail.tsx'), 'VolumePage'),
  ),
  route(
    '/snapshots',
    lazyRouteComponent(() => import('./snapshots/list.tsx'), 'SnapshotsPage'),
  ),
  route(
    '/backups',
    lazyRouteComponent(() => import('./backups/list.tsx'), 'BackupsPage'),
  ),
  route(
    '/images',
    lazyRouteComponent(() => import('./images/list.tsx'), 'ImagesPage'),
  ),
  route(
    '/images/$imageId',
    lazyRouteComponent(() => import('./images/detail.tsx'), 'ImagePage'),
  ),
  route(
    '/server-groups',
    lazyRouteComponent(() => import('./server-groups/list.tsx'), 'ServerGroupsPage'),
  ),
  route(
    '/volume-groups',
    lazyRouteComponent(() => import('./volumes/groups.tsx'), 'VolumeGroupsPage'),
  ),
  route(
    '/key-pairs',
    lazyRouteComponent(() => import('./key-pairs/list.tsx'), 'KeyPairsPage'),
  ),
  route(
    '/domains',
    lazyRouteComponent(() => import('./identity/domains.tsx'), 'DomainsPage'),
  ),
  route(
    '/projects',
    lazyRouteComponent(() => import('./identity/projects.tsx'), 'ProjectsPage'),
  ),
  route(
    '/projects/$projectId',
    lazyRouteComponent(() => import('./identity/project.tsx'), 'ProjectPage'),
  ),
  route(
    '/users',
    lazyRouteComponent(() => import('./identity/users.tsx'), 'UsersPage'),
  ),
  route(
    '/users/$userId',
    lazyRouteComponent(() => import('./identity/user.tsx'), 'UserPage'),
  ),
  route(
    '/groups',
    lazyRouteComponent(() => import('./identity/groups.tsx'), 'GroupsPage'),
  ),
  route(
    '/groups/$groupId',
    lazyRouteComponent(() => import('./identity/group.tsx'), 'GroupPage'),
  ),
  route(
    '/roles',
    lazyRouteComponent(() => import('./identity/roles.tsx'), 'RolesPage'),
  ),
  route(
    '/hosts',
    lazyRouteComponent(() => import('./admin/hosts.tsx'), 'HostsPage'),
  ),
  route(
    '/hosts/$hostId',
    lazyRouteComponent(() => import('./admin/host.tsx'), 'HostPage'),
  ),
  route(
    '/health',
    lazyRouteComponent(() => import('./admin/health.tsx'), 'HealthPage'),
  ),
  route(
    '/aggregates',
    lazyRouteComponent(() => import('./admin/aggregates.tsx'), 'AggregatesPage'),
  ),
  route(
    '/flavors',
    lazyRouteComponent(() => import('./admin/flavors.tsx'), 'FlavorsPage'),
  ),
  route(
    '/flavors/$flavorId',
    lazyRouteComponent(() => import('./admin/flavor.tsx'), 'FlavorPage'),
  ),
  route(
    '/volume-types',
    lazyRouteComponent(() => import('./admin/volume-types.tsx'), 'VolumeTypesPage'),
  ),
  route(
    '/all-servers',
    lazyRouteComponent(() => import('./admin/all.tsx'), 'AllServersPage'),
  ),
  route(
    '/all-volumes',
    lazyRouteComponent(() => import('./admin/all.tsx'), 'AllVolumesPage'),
  ),
  route(
    '/all-networks',
    lazyRouteComponent(() => import('./admin/all.tsx'), 'AllNetworksPage'),
  ),
  route(
    '/all-floating-ips',
    lazyRouteComponent(() => import('./admin/all.tsx'), 'AllFloatingIpsPage'),
  ),
  route(
    '/metadefs',
    lazyRouteComponent(() => import('./admin/metadefs.tsx'), 'MetadefsPage'),
  ),
  route(
    '/policy',
    lazyRouteComponent(() => import('./admin/policy.tsx'), 'PolicyPage'),
  ),
  route(
    '/system',
    lazyRouteComponent(() => import('./admin/system.tsx'), 'SystemPage'),
  ),
]);

export const router = createRouter({ routeTree: tree, basepath: '/console', defaultPreload: 'intent' });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
