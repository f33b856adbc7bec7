import AppLayout from '@cloudscape-design/components/app-layout';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import Drawer from '@cloudscape-design/components/drawer';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import TopNavigation from '@cloudscape-design/components/top-navigation';
import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { seesAdministration, seesIdentity } from '../admin/sections.ts';
import { activity } from '../api/activity.ts';
import { chooseLanguage, LANGUAGES, type Language } from '../i18n.ts';
import { useLive } from '../live/live.tsx';
import { chooseRegion, regionsOf } from '../session/regions.ts';
import { type Scope, type Session, useSession } from '../session/session.ts';
import { chooseTheme, type Theme, useTheme } from '../theme.ts';
import { hrefOf, useFollow, usePathname } from './links.ts';
import { NoticeBar, NoticesProvider, useNotices } from './notices.tsx';
import { Waiting } from '../parts/waiting.tsx';

const ChangePassword = lazy(() => import('../session/change-password.tsx').then((module) => ({ default: module.ChangePassword })));
// what is opened by a click is loaded by it
const ActivityPanel = lazy(() => import('./activity-panel.tsx').then((module) => ({ default: module.ActivityPanel })));
const PageHelp = lazy(() => import('../help/panel.tsx').then((module) => ({ default: module.PageHelp })));
const Palette = lazy(() => import('./palette.tsx').then((module) => ({ default: module.Palette })));

const SECTIONS = [
  ['project', ['overview', 'api-access']],
  ['compute', ['servers', 'key-pairs', 'images', 'server-groups']],
  [
    'network',
    ['networks', 'topology', 'routers', 'ports', 'floating-ips', 'security-groups', 'address-groups', 'path', 'subnet-pools', 'qos-policies', 'trunks'],
  ],
  ['storage', ['volumes', 'snapshots', 'backups', 'volume-groups']],
  ['identity', ['domains', 'projects', 'users', 'groups', 'roles']],
  [
    'administration',
    [
      'hosts',
      'health',
      'aggregates',
      'flavors',
      'volume-types',
      'all-servers',
      'all-volumes',
      'all-networks',
      'all-floating-ips',
      'metadefs',
      'policy',
      'system',
    ],
  ],
] as const;
/** Sections that are not everybody's. */
const SEEN_BY: Readonly<Record<string, (session: Session) => boolean>> = { identity: seesIdentity, administration: seesAdministration };
const sectionsOf = (session: Session) => SECTIONS.filter(([section]) => SEEN_BY[section]?.(session) ?? true);
type Page = (typeof SECTIONS)[number][1][number];

const pathOf = (page: Page): string => (page === 'overview' ? '/' : `/${page}`);
const crumbsOf = (pathname: string): readonly string[] =>
  pathname
    .replace(/^\/console/, '')
    .split('/')
    .filter(Boolean);

function Navigation() {
  const { t } = useTranslation();
  const pathname = usePathname();
  const { session } = useSession();
  const [first = ''] = crumbsOf(pathname);
  return (
    <SideNavigation
      header={{ href: hrefOf('/'), text: t('product') }}
      activeHref={hrefOf(`/${first}`)}
      onFollow={useFollow()}
      items={sectionsOf(session).map(([section, pages]) => ({
        type: 'section' as const,
        text: t(`sections.${section}`),
        items: pages.map((page) => ({ type: 'link' as const, text: t(`pages.${page}`), href: hrefOf(pathOf(page)) })),
      }))}
    />
  );
}

function Breadcrumbs() {
  const { t } = useTranslation();
  const pathname = usePathname();
  const isPage = (name: string): name is Page => SECTIONS.some(([, pages]) => (pages as readonly string[]).includes(name));
  const items = crumbsOf(pathname).map((crumb, index, all) => ({
    text: index === 0 && isPage(crumb) ? t(`pages.${crumb}`) : crumb === 'new' ? t('launch.title') : decodeURIComponent(crumb),
    href: hrefOf(`/${all.slice(0, index + 1).join('/')}`),
  }));
  return <BreadcrumbGroup items={[{ text: t('product'), href: hrefOf('/') }, ...items]} onFollow={useFollow()} ariaLabel={t('breadcrumbs')} />;
}

/** What an item of the switcher stands for. */
const scopeOf = (item: string): Scope =>
  item === 'system' ? { system: true } : item.startsWith('domain:') ? { domainId: item.slice('domain:'.length) } : { projectId: item.slice('project:'.length) };

function TopBar({ onFind }: { readonly onFind: () => void }) {
  const { t, i18n } = useTranslation();
  const { session, region, move, signOut, replace } = useSession();
  const [changing, setChanging] = useState(false);
  const regions = regionsOf(session.catalog, location.origin);
  const { state } = useLive();
  const { fail } = useNotices();
  const theme = useTheme();
  return (
    <>
      <TopNavigation
        identity={{ href: hrefOf('/'), title: t('product') }}
        utilities={[
          { type: 'button', iconName: 'search', text: t('palette.open'), title: t('palette.hint'), onClick: onFind },
          {
            type: 'menu-dropdown',
            iconName: 'folder',
            text: session.project?.name ?? session.domain?.name ?? (session.system ? t('identity.system') : t('session.noProject')),
            title: t('session.project'),
            description: t(`live.${state}`),
            items: [
              ...session.projects.filter((project) => project.enabled).map(({ id, name }) => ({ id: `project:${id}`, text: name })),
              ...(session.scopes.domains.length === 0
                ? []
                : [{ text: t('pages.domains'), items: session.scopes.domains.map(({ id, name }) => ({ id: `domain:${id}`, text: name })) }]),
              ...(session.scopes.system ? [{ id: 'system', text: t('identity.system') }] : []),
            ],
            onItemClick: ({ detail }) => void move(scopeOf(detail.id)).catch((error: unknown) => fail(t('session.moveRefused'), error)),
          },
          ...(regions.length < 2
            ? []
            : [
                {
                  type: 'menu-dropdown' as const,
                  iconName: 'map' as const,
                  text: region ?? t('access.region'),
                  title: t('access.region'),
                  items: regions.map(({ name }) => ({ id: name, text: name, itemType: 'checkbox' as const, checked: name === region })),
                  onItemClick: ({ detail }: { readonly detail: { readonly id: string } }) => chooseRegion(detail.id),
                },
              ]),
          {
            type: 'menu-dropdown',
            iconName: 'settings',
            ariaLabel: t('preferences.title'),
            title: t('preferences.title'),
            items: [
              {
                text: t('preferences.language'),
                items: Object.entries(LANGUAGES).map(([id, text]) => ({ id, text, itemType: 'checkbox' as const, checked: i18n.language === id })),
              },
              {
                text: t('preferences.theme'),
                items: (['system', 'light', 'dark'] as const).map((id) => ({
                  id,
                  text: t(`preferences.${id}`),
                  itemType: 'checkbox' as const,
                  checked: theme === id,
                })),
              },
            ],
            onItemClick: ({ detail }) => {
              if (detail.id in LANGUAGES) void chooseLanguage(detail.id as Language);
              else chooseTheme(detail.id as Theme);
            },
          },
          {
            type: 'menu-dropdown',
            iconName: 'user-profile',
            text: session.user.name,
            description: t('session.roles', { roles: session.roles.join(', ') }),
            items: [
              { id: 'password', text: t('signIn.changePassword') },
              { id: 'sign-out', text: t('session.signOut') },
            ],
            onItemClick: ({ detail }) =>
              detail.id === 'password' ? setChanging(true) : void signOut().catch((error: unknown) => fail(t('session.stillIn'), error)),
          },
        ]}
      />
      {changing && (
        <Suspense>
          <ChangePassword session={session} close={() => setChanging(false)} onSignedIn={replace} />
        </Suspense>
      )}
    </>
  );
}

/** Everything around a view: top bar, navigation, where one is, notices, and the activity panel. */
export function Shell() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(() => innerWidth > 700);
  const [panel, setPanel] = useState<string | null>(null);
  const [finding, setFinding] = useState(false);
  const { session } = useSession();
  const pathname = usePathname();
  // before the page's own first calls
  useMemo(() => activity.at(pathname), [pathname]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setFinding((before) => !before);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <NoticesProvider>
      <div id="top">
        <TopBar onFind={() => setFinding(true)} />
      </div>
      <AppLayout
        headerSelector="#top"
        navigation={<Navigation />}
        navigationOpen={open}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        breadcrumbs={<Breadcrumbs />}
        notifications={<NoticeBar />}
        ariaLabels={{
          navigation: t('layout.navigation'),
          navigationClose: t('layout.navigationClose'),
          navigationToggle: t('layout.navigationToggle'),
          notifications: t('layout.notifications'),
          drawers: t('layout.drawers'),
        }}
        activeDrawerId={panel}
        onDrawerChange={({ detail }) => setPanel(detail.activeDrawerId)}
        drawers={[
          {
            id: 'help',
            content: (
              <Suspense fallback={<Waiting />}>
                <PageHelp crumbs={crumbsOf(pathname)} />
              </Suspense>
            ),
            trigger: { iconName: 'status-info' },
            ariaLabels: { drawerName: t('help.title'), triggerButton: t('help.open'), closeButton: t('help.close') },
          },
          {
            id: 'activity',
            content: (
              <Drawer header={<h2>{t('activity.title')}</h2>}>
                <Suspense fallback={<Waiting />}>
                  <ActivityPanel />
                </Suspense>
              </Drawer>
            ),
            trigger: { iconName: 'script' },
            resizable: true,
            defaultSize: 480,
            ariaLabels: {
              drawerName: t('activity.title'),
              triggerButton: t('activity.open'),
              closeButton: t('activity.close'),
              resizeHandle: t('layout.resize'),
            },
          },
        ]}
        content={
          <Suspense fallback={<Waiting />}>
            <Outlet />
          </Suspense>
        }
      />
      {finding && (
        <Suspense fallback={null}>
          <Palette
            pages={sectionsOf(session).flatMap(([, pages]) => pages.map((page) => ({ text: t(`pages.${page}`), path: pathOf(page) })))}
            close={() => setFinding(false)}
          />
        </Suspense>
      )}
    </NoticesProvider>
  );
}
