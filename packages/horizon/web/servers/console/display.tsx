import RFB from '@novnc/novnc';
import type { Server } from '../queries.ts';
import { ConsoleFrame, type Viewer, type ViewerEvents } from './frame.tsx';
import { SHIFT, strokesOf } from './strokes.ts';

/** Between two keys of a pasted text: guests lose keys that come faster than hands make them. */
const KEY_PAUSE_MS = 8;

function openDisplay(box: HTMLElement, url: string, on: ViewerEvents): Viewer {
  const rfb = new RFB(box, url, { wsProtocols: ['binary'] });
  let closed = false;
  rfb.scaleViewport = true;
  rfb.showDotCursor = true;
  rfb.background = 'rgb(0, 0, 0)';
  rfb.addEventListener('connect', on.opened);
  rfb.addEventListener('disconnect', () => {
    closed = true;
    on.closed();
  });
  return {
    close: () => {
      if (!closed) rfb.disconnect();
      closed = true;
    },
    focus: () => rfb.focus(),
    ctrlAltDel: () => rfb.sendCtrlAltDel(),
    release() {
      for (const [keysym, code] of [
        [0xffe3, 'ControlLeft'],
        [0xffe4, 'ControlRight'],
        [0xffe9, 'AltLeft'],
        [0xffea, 'AltRight'],
      ] as const)
        rfb.sendKey(keysym, code, false);
    },
    async type(text) {
      for (const { keysym, code, shift } of strokesOf(text)) {
        if (closed) return;
        if (shift) rfb.sendKey(SHIFT.keysym, SHIFT.code, true);
        rfb.sendKey(keysym, code);
        if (shift) rfb.sendKey(SHIFT.keysym, SHIFT.code, false);
        await new Promise((resolve) => setTimeout(resolve, KEY_PAUSE_MS));
      }
    },
  };
}

/** What the server's screen shows, by VNC; keyboard and mouse go to it. */
export function DisplayConsole({ server }: { readonly server: Server }) {
  return <ConsoleFrame server={server} kind="vnc" open={openDisplay} />;
}
