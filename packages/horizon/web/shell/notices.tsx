import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { RefusalWords } from '../parts/refusal.tsx';

interface Notices {
  readonly tell: (notice: { readonly type: FlashbarProps.Type; readonly header: string; readonly content?: ReactNode }) => void;
  /** A refusal in the cloud's words, with what to do and the request id by which its log can be searched. */
  readonly fail: (header: string, error: unknown) => void;
}

const NoticesContext = createContext<(Notices & { readonly items: readonly FlashbarProps.MessageDefinition[] }) | undefined>(undefined);
let last = 0;

export function NoticesProvider({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const [items, setItems] = useState<readonly FlashbarProps.MessageDefinition[]>([]);
  const tell = useCallback<Notices['tell']>(
    (notice) => {
      last += 1;
      const id = String(last);
      const dismiss = (): void => setItems((before) => before.filter((item) => item.id !== id));
      setItems((before) => [{ ...notice, id, dismissible: true, dismissLabel: t('close'), onDismiss: dismiss }, ...before].slice(0, 5));
      if (notice.type === 'success') setTimeout(dismiss, 6_000);
    },
    [t],
  );
  const fail = useCallback<Notices['fail']>(
    (header, error) => {
      tell({ type: 'error', header, content: error instanceof Error ? <RefusalWords error={error} /> : String(error) });
    },
    [tell],
  );
  const value = useMemo(() => ({ tell, fail, items }), [tell, fail, items]);
  return <NoticesContext value={value}>{children}</NoticesContext>;
}

export function useNotices(): Notices & { readonly items: readonly FlashbarProps.MessageDefinition[] } {
  const notices = useContext(NoticesContext);
  if (notices === undefined) throw new Error('there are no notices here');
  return notices;
}

export function NoticeBar() {
  const { items } = useNotices();
  return <Flashbar items={[...items]} />;
}
