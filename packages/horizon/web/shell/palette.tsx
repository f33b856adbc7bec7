import Box from '@cloudscape-design/components/box';
import Modal from '@cloudscape-design/components/modal';
import { useRouter } from '@tanstack/react-router';
import { useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, LANGUAGES, type Language } from '../i18n.ts';
import { useSession } from '../session/session.ts';
import { chooseTheme } from '../theme.ts';
import { hrefOf } from './links.ts';
import { useNotices } from './notices.tsx';
import { type Entry, matching, placeOf } from './palette-model.ts';
import { useFound } from './palette-search.ts';

interface Props {
  /** The pages of the navigation, with their paths. */
  readonly pages: readonly { readonly text: string; readonly path: string }[];
  readonly close: () => void;
}

/** Things to make, each on the page of its kind. */
const MAKING = [
  ['servers.launch', '/servers/new'],
  ['volumes.create', '/volumes?do=create'],
  ['images.create', '/images?do=create'],
  ['keys.make', '/key-pairs?do=create'],
  ['serverGroups.create', '/server-groups?do=create'],
  ['networks.create', '/networks?do=create'],
  ['groups.create', '/security-groups?do=create'],
] as const;

/** Finds pages, things and actions by a few letters, and leads there: arrow keys and Enter are enough. */
export function Palette({ pages, close }: Props) {
  const { t } = useTranslation();
  const router = useRouter();
  const { session, move, signOut } = useSession();
  const { fail } = useNotices();
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState<string>();
  const { found, busy } = useFound(typed);
  const listId = useId();

  const fixed = useMemo<readonly Entry[]>(() => {
    const to = (path: string) => (): void => router.history.push(hrefOf(path));
    return [
      ...pages.map(({ text, path }) => ({ id: `page ${path}`, kind: t('palette.page'), text, go: to(path) })),
      ...MAKING.map(([key, path]) => ({ id: `make ${path}`, kind: t('palette.action'), text: t(key), go: to(path) })),
      ...session.projects
        .filter(({ id, enabled }) => enabled && id !== session.project?.id)
        .map(({ id, name }) => ({
          id: `project ${id}`,
          kind: t('palette.action'),
          text: t('palette.move', { name }),
          detail: id,
          go: () => void move({ projectId: id }).catch((error: unknown) => fail(t('session.moveRefused'), error)),
        })),
      ...Object.entries(LANGUAGES).map(([id, name]) => ({
        id: `language ${id}`,
        kind: t('preferences.language'),
        text: name,
        go: () => void chooseLanguage(id as Language),
      })),
      ...(['light', 'dark', 'system'] as const).map((id) => ({
        id: `theme ${id}`,
        kind: t('preferences.theme'),
        text: t(`preferences.${id}`),
        go: () => chooseTheme(id),
      })),
      {
        id: 'sign-out',
        kind: t('palette.action'),
        text: t('session.signOut'),
        go: () => void signOut().catch((error: unknown) => fail(t('session.stillIn'), error)),
      },
    ];
  }, [pages, router, session, move, signOut, fail, t]);
  const entries = useMemo(() => {
    const things = found.map(({ kind, id, name, path }) => ({
      id: `${kind} ${id}`,
      kind: t(`palette.kinds.${kind}`),
      text: name || id,
      detail: id,
      go: () => router.history.push(hrefOf(path)),
    }));
    return matching([...fixed, ...things], typed);
  }, [fixed, found, typed, router, t]);
  const current = placeOf(entries, active);
  const take = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    close();
    entry.go();
  };

  return (
    <Modal visible onDismiss={close} header={t('palette.title')} closeAriaLabel={t('close')}>
      <input
        className="palette-input"
        type="text"
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={entries.length === 0 ? undefined : `${listId}-${current}`}
        aria-label={t('palette.title')}
        placeholder={t('palette.placeholder')}
        value={typed}
        // it is why the dialog was opened
        autoFocus
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => {
          setTyped(target.value);
          setActive(undefined);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined) {
            event.preventDefault();
            setActive(entries[(current + step + entries.length) % Math.max(1, entries.length)]?.id);
          } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
            event.preventDefault();
            take(entries[current]);
          }
        }}
      />
      <ul className="palette-list" id={listId} role="listbox" aria-label={t('palette.results')} aria-busy={busy}>
        {entries.map((entry, index) => (
          <li
            key={entry.id}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === current}
            ref={index === current ? (node) => node?.scrollIntoView({ block: 'nearest' }) : undefined}
            onClick={() => take(entry)}
          >
            <span className="palette-text">{entry.text}</span>
            <span className="palette-kind">{entry.detail === undefined ? entry.kind : `${entry.kind} ${entry.detail}`}</span>
          </li>
        ))}
      </ul>
      <div aria-live="polite">{entries.length === 0 && <Box color="text-body-secondary">{busy ? t('loading') : t('palette.nothing')}</Box>}</div>
    </Modal>
  );
}
