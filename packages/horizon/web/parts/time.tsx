import { useTranslation } from 'react-i18next';

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a format costs as much as using it a hundred times, so there is one for each language. */
function formatOf(language: string): Intl.DateTimeFormat {
  const format = formats.get(language) ?? new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  formats.set(language, format);
  return format;
}

/** A time of the API in the reader's language and zone; those without a zone are UTC. */
export function Time({ at }: { readonly at: string | null | undefined }) {
  const { i18n } = useTranslation();
  if (at === null || at === undefined || at === '') return '-';
  const time = new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(at) ? at : `${at}Z`);
  return Number.isNaN(time.getTime()) ? at : <time dateTime={time.toISOString()}>{formatOf(i18n.language).format(time)}</time>;
}
