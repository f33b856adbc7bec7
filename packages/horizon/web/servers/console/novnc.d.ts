/** noVNC has no types of its own: the part of its interface (docs/API.md of the package) that the console uses. */
declare module '@novnc/novnc' {
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, url: string, options?: { readonly shared?: boolean; readonly wsProtocols?: readonly string[] });
    scaleViewport: boolean;
    background: string;
    showDotCursor: boolean;
    disconnect(): void;
    focus(): void;
    /** One key; without `down` it is pressed and let go. `code` is the key's place, as KeyboardEvent.code. */
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    sendCtrlAltDel(): void;
  }
}
