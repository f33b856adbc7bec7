import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { regionNow } from '../../api/region.ts';
import { ApiError } from '../../api/errors.ts';
import type { Server } from '../queries.ts';
import { type ConsoleKind, socketUrlOf, TYPES } from './link.ts';

/** An open console. */
export interface Viewer {
  close(): void;
  focus(): void;
  /** Presses the keys of a text, or sends it where there are no keys. */
  type(text: string): void;
  ctrlAltDel?(): void;
  /** Lets go of the keys that the way out of the console is made of. */
  release?(): void;
}

export interface ViewerEvents {
  opened(): void;
  closed(): void;
}

interface Props {
  readonly server: Pick<Server, 'id' | 'OS-EXT-STS:power_state'>;
  readonly kind: ConsoleKind;
  readonly open: (box: HTMLElement, url: string, on: ViewerEvents) => Viewer;
}

type State = { readonly is: 'connecting' | 'open' | 'closed' } | { readonly is: 'refused'; readonly error: Error };
/** Pauses before it connects again by itself after a line broke; then it is the user's to say. */
const PAUSES_MS = [500, 2_000, 5_000];
/** Power states with a console: running and paused. */
const WITH_CONSOLE = new Set([1, 3]);

/** A console in the page: asks for a pass, opens it, and connects again with a new one when the line breaks or the server starts anew. */
export function ConsoleFrame({ server, kind, open }: Props) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const viewer = useRef<Viewer>(undefined);
  const failures = useRef(0);
  const [state, setState] = useState<State>({ is: 'connecting' });
  const [attempt, setAttempt] = useState(0);
  const [typing, setTyping] = useState(false);
  const runs = WITH_CONSOLE.has(server['OS-EXT-STS:power_state']);

  useEffect(() => {
    const element = box.current;
    if (!runs || element === null) return;
    const end = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const closed = (): void => {
      if (end.signal.aborted) return;
      setState({ is: 'closed' });
      const pauseMs = PAUSES_MS[failures.current];
      failures.current += 1;
      if (pauseMs !== undefined) again = setTimeout(() => setAttempt((before) => before + 1), pauseMs);
    };
    const opened = (): void => {
      if (end.signal.aborted) return;
      failures.current = 0;
      setState({ is: 'open' });
    };
    const region = regionNow();
    // a console's line is to the place where its pass was given, and the page may speak to its own origin alone
    if (region !== undefined) return setState({ is: 'refused', error: new Error(t('console.elsewhere', { region })) });
    setState({ is: 'connecting' });
    api<'nova.remote_console.create'>('compute', `/v2.1/servers/${encodeURIComponent(server.id)}/remote-consoles`, {
      method: 'POST',
      body: { remote_console: { protocol: kind, type: TYPES[kind] } },
      signal: end.signal,
    }).then(
      ({ remote_console }) => {
        if (!end.signal.aborted) viewer.current = open(element, socketUrlOf(remote_console, location), { opened, closed });
      },
      (error: unknown) => {
        if (!end.signal.aborted) setState({ is: 'refused', error: error instanceof Error ? error : new Error(String(error)) });
      },
    );
    return () => {
      end.abort();
      clearTimeout(again);
      viewer.current?.close();
      viewer.current = undefined;
      element.replaceChildren();
    };
  }, [server.id, kind, open, runs, attempt, t]);

  const reconnect = (): void => {
    failures.current = 0;
    setAttempt((before) => before + 1);
  };
  /** The console takes every key, so that there has to be a way out for those without a mouse. */
  const leave = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey && event.altKey && event.key === 'Home')) return;
    event.preventDefault();
    event.stopPropagation();
    viewer.current?.release?.();
    frame.current?.querySelector('button')?.focus();
  };

  const isOpen = runs && state.is === 'open';
  return (
    <div ref={frame}>
      <SpaceBetween size="s">
        <SpaceBetween size="xs" direction="horizontal" alignItems="center">
          <Button onClick={() => viewer.current?.focus()} disabled={!isOpen}>
            {t('console.keyboard')}
          </Button>
          {kind === 'vnc' && (
            <Button onClick={() => viewer.current?.ctrlAltDel?.()} disabled={!isOpen}>
              {t('console.ctrlAltDel')}
            </Button>
          )}
          <Button onClick={() => setTyping(true)} disabled={!isOpen}>
            {t('console.paste')}
          </Button>
          <Button onClick={() => void box.current?.requestFullscreen().then(() => viewer.current?.focus())} disabled={!isOpen} iconName="full-screen">
            {t('console.fullscreen')}
          </Button>
          <Button onClick={reconnect} disabled={!runs} iconName="refresh">
            {t('console.reconnect')}
          </Button>
          <span data-console-state={runs ? state.is : 'off'}>
            {!runs || state.is === 'refused' ? (
              <StatusIndicator type="stopped">{t('console.none')}</StatusIndicator>
            ) : (
              <StatusIndicator type={state.is === 'open' ? 'success' : state.is === 'connecting' ? 'in-progress' : 'warning'}>
                {t(`console.${state.is}`)}
              </StatusIndicator>
            )}
          </span>
        </SpaceBetween>
        {!runs && <Alert type="info">{t('console.off')}</Alert>}
        {runs && state.is === 'refused' && (
          <Alert type="error" header={t('console.refused')}>
            {state.error.message} {state.error instanceof ApiError && state.error.requestId !== undefined && t('requestId', { id: state.error.requestId })}
          </Alert>
        )}
        <div ref={box} className="console-box" role="application" aria-label={t(`console.${kind}`)} onKeyDownCapture={leave} />
        <Box color="text-body-secondary">{t(kind === 'vnc' ? 'console.displayHelp' : 'console.serialHelp')}</Box>
      </SpaceBetween>
      {typing && <TypeDialog close={() => setTyping(false)} type={(text) => viewer.current?.type(text)} />}
    </div>
  );
}

function TypeDialog({ close, type }: { readonly close: () => void; readonly type: (text: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  return (
    <Modal
      visible
      onDismiss={close}
      header={t('console.paste')}
      closeAriaLabel={t('close')}
      footer={
        <Box float="right">
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="link" onClick={close}>
              {t('cancel')}
            </Button>
            <Button
              variant="primary"
              disabled={text === ''}
              onClick={() => {
                type(text);
                close();
              }}
            >
              {t('console.type')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <FormField label={t('console.text')} description={t('console.textHelp')} stretch>
        <Textarea value={text} onChange={({ detail }) => setText(detail.value)} rows={6} spellcheck={false} autoFocus />
      </FormField>
    </Modal>
  );
}
