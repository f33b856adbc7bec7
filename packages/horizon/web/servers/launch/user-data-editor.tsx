import { basicSetup, EditorView } from 'codemirror';
import { useEffect, useRef } from 'react';

interface Props {
  readonly label: string;
  readonly initial: string;
  readonly onChange: (text: string) => void;
}

/** Colours come from the page, whichever mode it is in. */
const THEME = EditorView.theme({
  '&': { color: 'inherit', backgroundColor: 'transparent', border: '2px solid #8c8c94', borderRadius: '8px' },
  '&.cm-focused': { outline: '2px solid #0972d3' },
  '.cm-scroller': { minHeight: '140px', maxHeight: '50vh', overflow: 'auto' },
  '.cm-content': { caretColor: 'currentColor' },
  '.cm-cursor': { borderLeftColor: 'currentColor' },
  '.cm-gutters': { color: 'inherit', backgroundColor: 'transparent' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: '#8c8c9422' },
});

/** An editor for scripts and cloud-init documents: CodeMirror, in a shadow tree, where it makes its styles as the page's policy allows. */
export function UserDataEditor({ label, initial, onChange }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const heard = useRef(onChange);
  heard.current = onChange;
  // the text is the editor's own from here on
  const first = useRef(initial);
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
    const view = new EditorView({
      doc: first.current,
      root,
      parent: root,
      extensions: [
        basicSetup,
        THEME,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) heard.current(update.state.doc.toString());
        }),
      ],
    });
    return () => view.destroy();
  }, [label]);
  return <div ref={host} />;
}
