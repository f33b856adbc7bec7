/** SAML's XML, as far as we write it ourselves: requests, metadata, envelopes (OASIS saml-core, saml-profiles, saml-bindings 2.0). */

export const NS = {
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
  md: 'urn:oasis:names:tc:SAML:2.0:metadata',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  soap: 'http://schemas.xmlsoap.org/soap/envelope/',
  paos: 'urn:liberty:paos:2003-08',
  ecp: 'urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp',
} as const;

const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings';
const NEXT_ACTOR = 'http://schemas.xmlsoap.org/soap/actor/next';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;', '\n': '&#10;', '\t': '&#9;' };

/** Text for an element or an attribute; characters that XML cannot have are left out. */
export const xmlText = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"\r\n\t]/g, (char) => ENTITIES[char] as string);

type Attributes = Readonly<Record<string, string | undefined>>;

/** One element. Children are XML already; text goes through `xmlText` first. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${xmlText(value ?? '')}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** A moment as SAML writes it. */
export const samlTime = (ms: number): string => new Date(ms).toISOString();

export interface AuthnRequest {
  readonly id: string;
  readonly issuer: string;
  /** Where the answer is to go. */
  readonly acsUrl: string;
  readonly destination?: string | undefined;
  readonly atMs: number;
  readonly binding: 'HTTP-POST' | 'PAOS';
}

export const authnRequest = (request: AuthnRequest): string =>
  element(
    'samlp:AuthnRequest',
    {
      'xmlns:samlp': NS.samlp,
      'xmlns:saml': NS.saml,
      ID: request.id,
      Version: '2.0',
      IssueInstant: samlTime(request.atMs),
      Destination: request.destination,
      ProtocolBinding: `${BINDING}:${request.binding}`,
      AssertionConsumerServiceURL: request.acsUrl,
    },
    element('saml:Issuer', {}, xmlText(request.issuer)),
    element('samlp:NameIDPolicy', { AllowCreate: 'true' }),
  );

/** The request for a client that is no browser, which takes it to the identity provider itself (ECP). */
export const ecpRequest = (request: AuthnRequest, relayState: string): string => {
  const header = { 'S:mustUnderstand': '1', 'S:actor': NEXT_ACTOR };
  return element(
    'S:Envelope',
    { 'xmlns:S': NS.soap },
    element(
      'S:Header',
      {},
      element('paos:Request', { 'xmlns:paos': NS.paos, responseConsumerURL: request.acsUrl, service: NS.ecp, ...header }),
      element('ecp:Request', { 'xmlns:ecp': NS.ecp, IsPassive: '0', ...header }, element('saml:Issuer', { 'xmlns:saml': NS.saml }, xmlText(request.issuer))),
      element('ecp:RelayState', { 'xmlns:ecp': NS.ecp, ...header }, xmlText(relayState)),
    ),
    element('S:Body', {}, authnRequest(request)),
  );
};

/** A response for another keystone, as its clients carry it there. */
export const ecpResponse = (response: string, relayState: string): string =>
  element(
    'S:Envelope',
    { 'xmlns:S': NS.soap, 'xmlns:ecp': NS.ecp },
    element('S:Header', {}, element('ecp:RelayState', { 'S:actor': NEXT_ACTOR, 'S:mustUnderstand': '1' }, xmlText(relayState))),
    element('S:Body', {}, response),
  );

/** What an identity provider must know of us. */
export const spMetadata = (entityId: string, acsUrl: string): string =>
  element(
    'md:EntityDescriptor',
    { 'xmlns:md': NS.md, entityID: entityId },
    element(
      'md:SPSSODescriptor',
      { protocolSupportEnumeration: NS.samlp, AuthnRequestsSigned: 'false', WantAssertionsSigned: 'true' },
      element('md:AssertionConsumerService', { index: '0', isDefault: 'true', Binding: `${BINDING}:HTTP-POST`, Location: acsUrl }),
      element('md:AssertionConsumerService', { index: '1', Binding: `${BINDING}:PAOS`, Location: acsUrl }),
    ),
  );
