import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Shell });
const route = <const P extends string>(path: P, component: Parameters<typeof createRoute>[0]['component']) =>
  createRoute({ getParentRoute: () => root, path, component });

const serverRoute = createRoute({
  getParentRoute: () => root,
  path: '/servers/$serverId',
  validateSearch: (search: Record<string, unknown>): { tab?: string } => (typeof search['tab'] === 'string' ? { tab: search['tab'] } : {}),
  component: lazyRouteComponent(() => import('./servers/detail.tsx'), 'ServerPage'),
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
    lazyRouteComponent(() => import('./servers/launch.tsx'), 'LaunchPage'),
  ),
  serverRoute,
  route(
    '/networks',
    lazyRouteComponent(() => import('./networks/list.tsx'), 'NetworksPage'),
  ),
  route(
    '/topology',
    lazyRouteComponent(() => import('./networks/topology.tsx'), 'TopologyPage'),
  ),
  route(
    '/security-groups',
    lazyRouteComponent(() => import('./security-groups/list.tsx'), 'SecurityGroupsPage'),
  ),
  route(
    '/security-groups/$groupId',
    lazyRouteComponent(() => import('./security-groups/detail.tsx'), 'SecurityGroupPage'),
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
