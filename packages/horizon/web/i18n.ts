import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en, type Catalogue } from './locales/en.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: Catalogue };
  }
}

/** Languages of the console, each named in itself. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'cairn.language';
const isLanguage = (text: string | null): text is Language => text !== null && text in LANGUAGES;

/** What was chosen before, or else what the browser prefers. */
function preferredLanguage(): Language {
  const chosen = localStorage.getItem(KEY);
  if (isLanguage(chosen)) return chosen;
  for (const wanted of navigator.languages) {
    if (/^zh\b/i.test(wanted)) return 'zh-CN';
    if (/^en\b/i.test(wanted)) return 'en';
  }
  return 'en';
}

/** Loads a language's catalogue and the page turns to it. */
async function setLanguage(language: Language): Promise<void> {
  if (language === 'zh-CN' && !i18next.hasResourceBundle('zh-CN', 'translation')) {
    const { zh } = await import('./locales/zh.ts');
    i18next.addResourceBundle('zh-CN', 'translation', zh);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** The same, kept for the next visit. */
export function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  return setLanguage(language);
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
  });
  await setLanguage(preferredLanguage());
}
