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
]);

export const router = createRouter({ routeTree: tree, basepath: '/console', defaultPreload: 'intent' });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
