let users = 0;

/**
 * xterm.js writes its styles as the text of `style` elements, and the colours of single cells as `style` attributes. The page's policy refuses
 * both. Style sheets that a script constructs, and properties that it sets one by one, are allowed: while a terminal is open, the page's `style`
 * and `span` elements do that instead. Returns the way to stop.
 */
export function allowStyles(): () => void {
  users += 1;
  document.createElement = ((name: string) => (name === 'style' ? styleElement() : name === 'span' ? styledElement() : plain(name))) as typeof plain;
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    users -= 1;
    // the prototype's own is there again
    if (users === 0) delete (document as { createElement?: unknown }).createElement;
  };
}

const plain = (name: string): HTMLElement => Document.prototype.createElement.call(document, name);

/** An element whose text is a style sheet of the page, as long as it is not removed. */
function styleElement(): HTMLElement {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const element = plain('span');
  element.hidden = true;
  Object.defineProperty(element, 'textContent', {
    set(text: string) {
      sheet.replaceSync(text);
    },
  });
  element.remove = () => {
    const at = document.adoptedStyleSheets.indexOf(sheet);
    if (at >= 0) document.adoptedStyleSheets.splice(at, 1);
    Element.prototype.remove.call(element);
  };
  return element;
}

function styledElement(): HTMLElement {
  const element = plain('span');
  element.setAttribute = (attribute, value) => {
    if (attribute === 'style') element.style.cssText = value;
    else Element.prototype.setAttribute.call(element, attribute, value);
  };
  return element;
}
