import { SUFFIX } from './slapd.ts';

export const USERS_DN = `ou=people,${SUFFIX}`;
export const GROUPS_DN = `ou=groups,${SUFFIX}`;

/** A user of the test's directory: `uid` is its id, `cn` its name; extra lines as LDIF has them. */
export interface Person {
  readonly uid: string;
  readonly cn: string;
  readonly password?: string;
  readonly lines?: readonly string[];
  /** Below USERS_DN by default. */
  readonly parent?: string;
}

/** A value that LDIF may hold in any spelling. */
const encoded = (name: string, value: string): string => `${name}:: ${Buffer.from(value, 'utf8').toString('base64')}`;

/** `uid=...` escaped as a DN has it. */
export const dnOf = (person: Person): string => `uid=${person.uid.replace(/[,+"\\<>;=#]/g, (sign) => `\\${sign}`)},${person.parent ?? USERS_DN}`;

const entry = (dn: string, lines: readonly string[]): string => [encoded('dn', dn), ...lines, ''].join('\n');

/** LDIF of a small company. Each group's members are people, or DNs. */
export function ldifOf(people: readonly Person[], groups: Readonly<Record<string, readonly (Person | string)[]>>): string {
  return [
    entry(SUFFIX, ['objectClass: dcObject', 'objectClass: organization', 'o: example', 'dc: example']),
    entry(USERS_DN, ['objectClass: organizationalUnit', 'ou: people']),
    entry(`ou=remote,${USERS_DN}`, ['objectClass: organizationalUnit', 'ou: remote']),
    entry(GROUPS_DN, ['objectClass: organizationalUnit', 'ou: groups']),
    ...people.map((person) =>
      entry(dnOf(person), [
        'objectClass: inetOrgPerson',
        'objectClass: controlledAccount',
        encoded('uid', person.uid),
        encoded('cn', person.cn),
        'sn: surname',
        ...(person.password === undefined ? [] : [encoded('userPassword', person.password)]),
        ...(person.lines ?? []),
      ]),
    ),
    ...Object.entries(groups).map(([name, members]) =>
      entry(`cn=${name},${GROUPS_DN}`, [
        'objectClass: groupOfNames',
        `cn: ${name}`,
        `ou: ${name}-name`,
        `description: about ${name}`,
        ...members.map((member) => encoded('member', typeof member === 'string' ? member : dnOf(member))),
      ]),
    ),
  ].join('\n');
}

/** The `ldap` options that fit `ldifOf`. */
export const directoryConfig = (url: string, more: Readonly<Record<string, unknown>> = {}) => ({
  identity: { driver: 'ldap' },
  ldap: {
    url,
    user: `cn=root,${SUFFIX}`,
    password: 'root-secret',
    suffix: SUFFIX,
    query_scope: 'sub',
    user_tree_dn: USERS_DN,
    user_id_attribute: 'uid',
    user_name_attribute: 'cn',
    group_tree_dn: GROUPS_DN,
    ...more,
  },
});
