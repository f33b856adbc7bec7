import { useTranslation } from 'react-i18next';

/** A time of the API in the reader's language and zone; those without a zone are UTC. */
export function Time({ at }: { readonly at: string | null | undefined }) {
  const { i18n } = useTranslation();
  if (at === null || at === undefined || at === '') return '-';
  const time = new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(at) ? at : `${at}Z`);
  return Number.isNaN(time.getTime()) ? (
    at
  ) : (
    <time dateTime={time.toISOString()}>{new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'medium' }).format(time)}</time>
  );
}
