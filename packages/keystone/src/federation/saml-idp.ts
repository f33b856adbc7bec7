import { createPrivateKey, X509Certificate } from 'node:crypto';
import { signXml } from '@node-saml/node-saml/lib/xml.js';
import type { SamlIdpOptions } from './provider-options.ts';
import { element, NS, samlTime, xmlText } from './saml-xml.ts';

/** What an assertion for another keystone says (keystone/federation/idp.py). */
export interface K2kSubject {
  readonly user: string;
  readonly userDomain: string;
  readonly roles: readonly string[];
  readonly project: string;
  readonly projectDomain: string;
  /** `JSON:{"name": ..., "domain": {"name": ...}}` each. */
  readonly groups: readonly string[];
}

export type SamlIdp = ReturnType<typeof createSamlIdp>;

const ENTITY_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity';
const DEFAULT_LIFETIME_SEC = 3600;

/** This keystone as identity provider for others. Throws RangeError for a key and a certificate that are not each other's. */
export function createSamlIdp(options: SamlIdpOptions, parts: { nowMs(): number; randomId(): string }) {
  const certificate = new X509Certificate(options.certificate);
  if (!certificate.checkPrivateKey(createPrivateKey(options.privateKey)))
    throw new RangeError('the certificate and the key of the identity provider do not belong together');
  const issuer = (): string => element('saml:Issuer', { Format: ENTITY_FORMAT }, xmlText(options.entityId));

  /** A signed assertion for `recipient`, in a response. */
  function respond(subject: K2kSubject, recipient: string): string {
    const nowMs = parts.nowMs();
    const endsAt = samlTime(nowMs + (options.assertionLifetimeSec ?? DEFAULT_LIFETIME_SEC) * 1000);
    const assertion = signXml(
      assertionOf(subject, recipient, nowMs, endsAt),
      "/*[local-name(.)='Assertion']",
      { reference: "/*[local-name(.)='Assertion']/*[local-name(.)='Issuer']", action: 'after' },
      { privateKey: options.privateKey, publicCert: options.certificate, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256' },
    );
    return element(
      'samlp:Response',
      { 'xmlns:samlp': NS.samlp, 'xmlns:saml': NS.saml, ID: parts.randomId(), Version: '2.0', IssueInstant: samlTime(nowMs), Destination: recipient },
      issuer(),
      element('samlp:Status', {}, element('samlp:StatusCode', { Value: 'urn:oasis:names:tc:SAML:2.0:status:Success' })),
      assertion,
    );
  }

  function assertionOf(subject: K2kSubject, recipient: string, nowMs: number, endsAt: string): string {
    const attribute = (name: string, values: readonly string[]): string =>
      element('saml:Attribute', { Name: name }, ...values.map((value) => element('saml:AttributeValue', { 'xsi:type': 'xs:string' }, xmlText(value))));
    return element(
      'saml:Assertion',
      {
        'xmlns:saml': NS.saml,
        'xmlns:xs': 'http://www.w3.org/2001/XMLSchema',
        'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
        ID: parts.randomId(),
        IssueInstant: samlTime(nowMs),
        Version: '2.0',
      },
      issuer(),
      element(
        'saml:Subject',
        {},
        element('saml:NameID', {}, xmlText(subject.user)),
        element(
          'saml:SubjectConfirmation',
          { Method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer' },
          element('saml:SubjectConfirmationData', { NotOnOrAfter: endsAt, Recipient: recipient }),
        ),
      ),
      element(
        'saml:AuthnStatement',
        { AuthnInstant: samlTime(nowMs), SessionIndex: parts.randomId(), SessionNotOnOrAfter: endsAt },
        element(
          'saml:AuthnContext',
          {},
          element('saml:AuthnContextClassRef', {}, 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password'),
          element('saml:AuthenticatingAuthority', {}, xmlText(options.entityId)),
        ),
      ),
      element(
        'saml:AttributeStatement',
        {},
        attribute('openstack_user', [subject.user]),
        attribute('openstack_roles', subject.roles),
        attribute('openstack_project', [subject.project]),
        attribute('openstack_project_domain', [subject.projectDomain]),
        attribute('openstack_user_domain', [subject.userDomain]),
        ...(subject.groups.length > 0 ? [attribute('openstack_groups', subject.groups)] : []),
      ),
    );
  }

  /** What service providers must know of us. */
  function metadata(): string {
    const { organization, contact } = options;
    const said = (name: string, text: string): string => element(`md:${name}`, {}, xmlText(text));
    const inEnglish = (name: string, text: string): string => element(`md:${name}`, { 'xml:lang': 'en' }, xmlText(text));
    return element(
      'md:EntityDescriptor',
      { 'xmlns:md': NS.md, entityID: options.entityId },
      element(
        'md:IDPSSODescriptor',
        { protocolSupportEnumeration: NS.samlp },
        element(
          'md:KeyDescriptor',
          { use: 'signing' },
          element('ds:KeyInfo', { 'xmlns:ds': NS.ds }, element('ds:X509Data', {}, element('ds:X509Certificate', {}, certificate.raw.toString('base64')))),
        ),
        said('NameIDFormat', 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'),
        element('md:SingleSignOnService', { Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:URI', Location: options.ssoUrl }),
      ),
      ...(organization
        ? [
            element(
              'md:Organization',
              {},
              inEnglish('OrganizationName', organization.name),
              inEnglish('OrganizationDisplayName', organization.displayName),
              inEnglish('OrganizationURL', organization.url),
            ),
          ]
        : []),
      ...(contact
        ? [
            element(
              'md:ContactPerson',
              { contactType: contact.type },
              said('Company', contact.company),
              said('GivenName', contact.name),
              said('SurName', contact.surname),
              said('EmailAddress', contact.email),
              said('TelephoneNumber', contact.telephone),
            ),
          ]
        : []),
    );
  }

  return { respond, metadata };
}
