import '@cloudscape-design/global-styles/index.css';
import './page.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { startI18n } from './i18n.ts';
import { startTheme } from './theme.ts';

startTheme();
await startI18n();
createRoot(document.querySelector('#page') as HTMLElement).render(<App />);
