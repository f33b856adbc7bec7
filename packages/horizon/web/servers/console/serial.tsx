import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { Server } from '../queries.ts';
import { ConsoleFrame, type Viewer, type ViewerEvents } from './frame.tsx';
import { allowStyles } from './styles.ts';

function openSerial(box: HTMLElement, url: string, on: ViewerEvents): Viewer {
  const forbidStyles = allowStyles();
  const terminal = new Terminal({
    cursorBlink: true,
    scrollback: 5_000,
    fontSize: 14,
    // links are whatever a guest says: they stay text
    linkHandler: { activate: () => {} },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(box);
  fit.fit();
  const resized = new ResizeObserver(() => fit.fit());
  resized.observe(box);

  const socket = new WebSocket(url, 'binary');
  socket.binaryType = 'arraybuffer';
  const send = (data: Uint8Array<ArrayBuffer>): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data);
  };
  socket.addEventListener('open', on.opened);
  socket.addEventListener('close', on.closed);
  socket.addEventListener('message', ({ data }) => terminal.write(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data)));
  const encoder = new TextEncoder();
  terminal.onData((text) => send(encoder.encode(text)));
  terminal.onBinary((text) => send(Uint8Array.from(text, (char) => char.charCodeAt(0))));
  return {
    close() {
      socket.close();
      resized.disconnect();
      terminal.dispose();
      forbidStyles();
    },
    focus: () => terminal.focus(),
    type: (text) => terminal.paste(text),
  };
}

/** The server's serial line, as a terminal. */
export function SerialConsole({ server }: { readonly server: Server }) {
  return <ConsoleFrame server={server} kind="serial" open={openSerial} />;
}
