import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The page that shows a server's display: noVNC in a frame of a few lines. */
export const VIEWER_PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Console - noVNC</title>
<style>
html, body { height: 100%; margin: 0; background: #1c1c1c; color: #eee; font: 14px system-ui, sans-serif; }
body { display: flex; flex-direction: column; }
header { display: flex; gap: 1em; align-items: center; padding: 0.4em 0.8em; background: #333; }
#screen { flex: 1; overflow: hidden; }
</style>
</head>
<body>
<header><span id="status" role="status">Connecting</span><button id="keys" type="button">Send Ctrl+Alt+Del</button></header>
<main id="screen"></main>
<script type="module" src="viewer.js"></script>
</body>
</html>
`;

export const VIEWER_SCRIPT = `import RFB from './novnc/core/rfb.js';
const say = (text) => { document.getElementById('status').textContent = text; };
const path = new URLSearchParams(location.search).get('path') ?? '';
const url = new URL(path, location.origin + '/');
if (url.host !== location.host) {
  say('This link leads to another host.');
} else {
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const rfb = new RFB(document.getElementById('screen'), url.href, { wsProtocols: ['binary'] });
  rfb.scaleViewport = true;
  rfb.addEventListener('connect', () => say('Connected'));
  rfb.addEventListener('disconnect', (event) => say(event.detail.clean ? 'Disconnected' : 'The connection failed: a link opens a console once, and soon.'));
  document.getElementById('keys').addEventListener('click', () => rfb.sendCtrlAltDel());
}
`;

/** Headers of what browsers get: nothing from elsewhere, in nobody's frame. */
export const PAGE_HEADERS = {
  'content-security-policy': "default-src 'self'; style-src 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/** A file of noVNC's own: \`core/rfb.js\`. Undefined for whatever is no script of it. */
export async function novncFile(path: string): Promise<string | undefined> {
  // names of plain words only: nothing climbs out
  if (!/^(core|vendor)(\/[A-Za-z0-9_-]+)*\/[A-Za-z0-9_.-]+\.js$/.test(path) || path.includes('..')) return undefined;
  const root = new URL('../', import.meta.resolve('@novnc/novnc'));
  try {
    return await readFile(fileURLToPath(new URL(path, root)), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
