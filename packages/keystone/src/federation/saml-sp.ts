import { deflateRawSync } from 'node:zlib';
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { parseDomFromString, xpath } from '@node-saml/node-saml/lib/xml.js';
import { isCairnError } from '@cairn/kit/errors/errors';
import { unauthenticated } from '../errors.ts';
import type { Assertion } from './mapping.ts';
import type { SamlOptions } from './provider-options.ts';
import { NS } from './saml-xml.ts';

/** What a SAML response must be about to count. */
export interface SamlExpectation {
  /** Where it had to be sent. */
  readonly acsUrl: string;
  /** Who we are to the identity provider. */
  readonly spEntityId: string;
  /** The request that it answers; undefined: it may answer none, if the provider's options allow that. */
  readonly requestId: string | undefined;
}

export interface VerifiedSaml {
  readonly attributes: Assertion;
  /** Of the assertion, unique at its issuer. */
  readonly assertionId: string;
  /** Nobody takes the assertion any more from then on. */
  readonly endsAtMs: number;
}

/** An element of xml2js: attributes below `$`, text below `_`, children in lists. */
interface Node {
  readonly $?: Readonly<Record<string, string>>;
  readonly _?: string;
  readonly [child: string]: unknown;
}

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const DEFAULT_SKEW_SEC = 60;
const MAX_CHARS = 512 * 1024;
const SHA1 = /Algorithm\s*=\s*["'][^"']*sha1["']/i;

export type SamlServiceProvider = ReturnType<typeof createSamlServiceProvider>;

/** Checks what one SAML identity provider says. Throws RangeError for options that are no use. */
export function createSamlServiceProvider(options: SamlOptions, nowMs: () => number) {
  if (options.certificates.length === 0) throw new RangeError(`the identity provider ${options.entityId} has no certificate`);
  if (options.ssoUrl !== undefined && !/^https?:$/.test(URL.canParse(options.ssoUrl) ? new URL(options.ssoUrl).protocol : '')) {
    throw new RangeError(`${options.ssoUrl} is no address to log in at`);
  }
  const skewMs = (options.clockSkewSec ?? DEFAULT_SKEW_SEC) * 1000;

  /** The address that a browser is sent to with a request (HTTP-Redirect binding). */
  function redirect(request: string, relayState: string): string {
    if (options.ssoUrl === undefined) throw unauthenticated(`no address to log in with a browser is configured for ${options.entityId}`);
    const url = new URL(options.ssoUrl);
    url.searchParams.set('SAMLRequest', deflateRawSync(Buffer.from(request)).toString('base64'));
    url.searchParams.set('RelayState', relayState);
    return url.href;
  }

  /** Checks a response: signature over what is used, issuer, audience, recipient, times, and the request that it answers. Throws Unauthorized. */
  async function verify(xml: string, expected: SamlExpectation): Promise<VerifiedSaml> {
    if (xml.length > MAX_CHARS) throw unauthenticated('the SAML response is too long');
    if (/<!\s*(DOCTYPE|ENTITY)/i.test(xml)) throw unauthenticated('the SAML response has a document type');
    if (!options.sha1 && SHA1.test(xml)) throw unauthenticated('the SAML response is signed with SHA-1');
    try {
      const library = new SAML({
        idpCert: [...options.certificates],
        issuer: expected.spEntityId,
        callbackUrl: expected.acsUrl,
        // all of these are checked below, by the clock that everything here goes by
        audience: false,
        acceptedClockSkewMs: -1,
        validateInResponseTo: ValidateInResponseTo.never,
        // the assertion, or the whole response with the assertion in it
        wantAssertionsSigned: false,
        wantAuthnResponseSigned: false,
      });
      const { profile } = await library.validatePostResponseAsync({ SAMLResponse: Buffer.from(xml).toString('base64') });
      // what was verified, not what was sent
      const assertion = (profile?.getAssertion?.() as { Assertion?: Node } | undefined)?.Assertion;
      if (!assertion) throw unauthenticated('the SAML response has no assertion that is signed');
      return judge(assertion, expected);
    } catch (error) {
      if (isCairnError(error)) throw error;
      throw unauthenticated(error instanceof Error ? error.message : String(error));
    }
  }

  function judge(assertion: Node, expected: SamlExpectation): VerifiedSaml {
    const issuer = textOf(only(assertion, 'Issuer'));
    if (issuer !== options.entityId) throw unauthenticated(`the assertion is of ${issuer}`);
    const assertionId = assertion.$?.ID;
    if (!assertionId) throw unauthenticated('the assertion has no id');
    if (timeOf(assertion.$?.IssueInstant) > nowMs() + skewMs) throw unauthenticated('the assertion is of the future');
    const endsAtMs = judgeSubject(assertion, expected);
    judgeConditions(assertion, expected);
    const statements = childrenOf(assertion, 'AuthnStatement');
    if (statements.length === 0) throw unauthenticated('the assertion does not say that somebody logged in');
    for (const { $ } of statements) if ($?.SessionNotOnOrAfter !== undefined) notAfter($.SessionNotOnOrAfter, 'the session');
    return { attributes: attributesOf(assertion), assertionId, endsAtMs };
  }

  /** A bearer confirmation for us, in time, for the very request. Returns when it ends. */
  function judgeSubject(assertion: Node, expected: SamlExpectation): number {
    let reason = 'the assertion has no bearer confirmation';
    for (const confirmation of childrenOf(only(assertion, 'Subject'), 'SubjectConfirmation')) {
      if (confirmation.$?.Method !== BEARER) continue;
      const data = childrenOf(confirmation, 'SubjectConfirmationData')[0]?.$ ?? {};
      const { Recipient, NotOnOrAfter, NotBefore, InResponseTo } = data;
      const answers = expected.requestId === undefined ? InResponseTo === undefined && options.unsolicited === true : InResponseTo === expected.requestId;
      if (Recipient !== expected.acsUrl) reason = `the assertion is for ${Recipient}`;
      else if (NotOnOrAfter === undefined || timeOf(NotOnOrAfter) + skewMs <= nowMs()) reason = 'the assertion has no end, or ended';
      else if (NotBefore !== undefined && timeOf(NotBefore) - skewMs > nowMs()) reason = 'the assertion does not hold yet';
      else if (!answers) reason = `the assertion answers ${InResponseTo ?? 'no request'}`;
      else return timeOf(NotOnOrAfter) + skewMs;
    }
    throw unauthenticated(reason);
  }

  function judgeConditions(assertion: Node, expected: SamlExpectation): void {
    const conditions = childrenOf(assertion, 'Conditions');
    if (conditions.length > 1) throw unauthenticated('the assertion has conditions twice');
    const [condition] = conditions;
    if (condition?.$?.NotBefore !== undefined && timeOf(condition.$.NotBefore) - skewMs > nowMs()) throw unauthenticated('the assertion does not hold yet');
    if (condition?.$?.NotOnOrAfter !== undefined) notAfter(condition.$.NotOnOrAfter, 'the assertion');
    const restrictions = condition ? childrenOf(condition, 'AudienceRestriction') : [];
    // a keystone names no audience; its assertions are for the recipient
    if (restrictions.length === 0 && !options.unsolicited) throw unauthenticated('the assertion names no audience');
    for (const restriction of restrictions) {
      if (!childrenOf(restriction, 'Audience').some((audience) => textOf(audience) === expected.spEntityId))
        throw unauthenticated('the assertion is for somebody else');
    }
  }

  function notAfter(time: string, what: string): void {
    if (timeOf(time) + skewMs <= nowMs()) throw unauthenticated(`${what} has ended`);
  }

  /** Attributes by name and friendly name, and what mod_auth_mellon and Shibboleth add. What we say ourselves comes last, and so counts. */
  function attributesOf(assertion: Node): Assertion {
    const attributes = new Map<string, string[]>();
    for (const statement of childrenOf(assertion, 'AttributeStatement')) {
      for (const attribute of childrenOf(statement, 'Attribute')) {
        const values = childrenOf(attribute, 'AttributeValue').map(textOf);
        const { Name, FriendlyName } = attribute.$ ?? {};
        for (const name of new Set([Name, FriendlyName])) {
          if (name === undefined) continue;
          for (const key of [name, `MELLON_${name}`]) attributes.set(key, [...(attributes.get(key) ?? []), ...values]);
        }
      }
    }
    const nameId = textOf(only(only(assertion, 'Subject'), 'NameID'));
    const remoteUser = options.remoteUserAttribute === undefined ? [nameId] : (attributes.get(options.remoteUserAttribute) ?? []);
    for (const name of ['MELLON_NAME_ID', 'NameID']) attributes.set(name, [nameId]);
    for (const name of ['MELLON_IDP', 'Shib-Identity-Provider']) attributes.set(name, [options.entityId]);
    attributes.set('REMOTE_USER', remoteUser);
    return Object.fromEntries(attributes);
  }

  return { entityId: options.entityId, redirect, verify };
}

const childrenOf = (node: Node, name: string): Node[] => {
  const children = Object.hasOwn(node, name) ? node[name] : undefined;
  return Array.isArray(children) ? children.map((child) => (typeof child === 'string' ? { _: child } : (child as Node))) : [];
};

function only(node: Node, name: string): Node {
  const [child, second] = childrenOf(node, name);
  if (!child || second) throw unauthenticated(`the assertion has not exactly one ${name}`);
  return child;
}

const textOf = (node: Node): string => (node._ ?? '').trim();

function timeOf(text: string | undefined): number {
  const ms = text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw unauthenticated(`${text} is no time`);
  return ms;
}

/** The response in an envelope that a client brings (ECP), whole with the namespaces that hold for it. Throws Unauthorized. */
export async function responseInEnvelope(xml: string): Promise<string> {
  if (xml.length > MAX_CHARS || /<!\s*(DOCTYPE|ENTITY)/i.test(xml)) throw unauthenticated('the envelope is too long, or has a document type');
  try {
    const document = await parseDomFromString(xml);
    const of = (name: string, ns: string): string => `*[local-name()='${name}' and namespace-uri()='${ns}']`;
    const responses = xpath.selectElements(
      document,
      `/${of('Envelope', NS.soap)}/${of('Body', NS.soap)}/${of('Response', NS.samlp)}`,
    ) as unknown as XmlElement[];
    const [response] = responses;
    if (!response || responses.length !== 1) throw unauthenticated('the envelope has not exactly one SAML response');
    for (let above = response.parentNode; above?.attributes; above = above.parentNode) {
      for (const { name, value } of Array.from(above.attributes))
        if (/^xmlns(:|$)/.test(name) && !response.hasAttribute(name)) response.setAttribute(name, value);
    }
    return response.toString();
  } catch (error) {
    if (isCairnError(error)) throw error;
    throw unauthenticated(error instanceof Error ? error.message : String(error));
  }
}

/** As much of the DOM as is used here. */
interface XmlElement {
  readonly parentNode: XmlElement | null;
  readonly attributes?: Iterable<{ readonly name: string; readonly value: string }> & ArrayLike<{ readonly name: string; readonly value: string }>;
  hasAttribute(name: string): boolean;
  setAttribute(name: string, value: string): void;
  toString(): string;
}
