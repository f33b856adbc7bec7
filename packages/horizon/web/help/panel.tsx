import HelpPanel from '@cloudscape-design/components/help-panel';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Waiting } from '../parts/waiting.tsx';
import { help as english, type HelpTexts } from './en.ts';
import { topicOf } from './topic.ts';

/** What the page is for, in the reader's language. */
export function PageHelp({ crumbs }: { readonly crumbs: readonly string[] }) {
  const { t, i18n } = useTranslation();
  const [chinese, setChinese] = useState<HelpTexts>();
  const wanted = i18n.language === 'zh-CN';
  useEffect(() => {
    if (wanted) void import('./zh.ts').then(({ help }) => setChinese(help));
  }, [wanted]);
  const texts = wanted ? chinese : english;
  if (texts === undefined) return <Waiting />;
  const [title, text] = texts[topicOf(crumbs, texts) as keyof HelpTexts];
  return (
    <HelpPanel header={<h2>{title}</h2>}>
      <p>{text}</p>
      <p>{t('palette.hint')}</p>
    </HelpPanel>
  );
}
