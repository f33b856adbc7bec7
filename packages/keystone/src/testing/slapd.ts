import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@cairn/kit/testing/free-port';

const run = promisify(execFile);
const SLAPD = '/usr/sbin/slapd';
const SLAPADD = '/usr/sbin/slapadd';
const SCHEMAS = '/etc/ldap/schema';

export const SUFFIX = 'dc=example,dc=org';
export const ROOT_DN = `cn=root,${SUFFIX}`;
export const ROOT_PASSWORD = 'root-secret';

/** Why tests against a real directory cannot run here; undefined where they can. With CAIRN_TEST_SLAPD=require a missing slapd is an error. */
export function slapdMissing(): string | undefined {
  if (existsSync(SLAPD) && existsSync(SLAPADD) && existsSync(join(SCHEMAS, 'inetorgperson.schema'))) return undefined;
  const text = "Debian's package slapd is not installed (apt-get install --no-install-recommends slapd)";
  if (process.env.CAIRN_TEST_SLAPD === 'require') throw new Error(text);
  return text;
}

/** OpenLDAP's server on loopback, with a directory of its own, as a child of the test; gone with `stop`, or with the process. */
export class Slapd {
  readonly url: string;
  /** The same over TLS, and the certificate to believe; undefined where openssl is missing. */
  readonly secure: { readonly url: string; readonly certificate: string } | undefined;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #onExit: () => void;
  #log = '';

  private constructor(folder: string, url: string, secure: Slapd['secure']) {
    this.#folder = folder;
    this.url = url;
    this.secure = secure;
    const urls = secure ? `${url} ${secure.url}` : url;
    // -d keeps it in the foreground, so that it is killed by its own id
    this.#process = spawn(SLAPD, ['-f', join(folder, 'slapd.conf'), '-h', urls, '-d', 'none'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-4000);
    });
    this.#onExit = () => this.#process.kill('SIGKILL');
    process.once('exit', this.#onExit);
  }

  /** Loads `ldif` below SUFFIX and serves it. `limits`: lines of slapd.conf for the database. */
  static async start(ldif: string, limits: readonly string[] = []): Promise<Slapd> {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-slapd-'));
    mkdirSync(join(folder, 'data'), { mode: 0o700 });
    const certificate = await certificateIn(folder);
    writeFileSync(join(folder, 'slapd.conf'), configuration(folder, certificate !== undefined, limits));
    writeFileSync(join(folder, 'data.ldif'), ldif);
    await run(SLAPADD, ['-q', '-f', join(folder, 'slapd.conf'), '-l', join(folder, 'data.ldif')]);
    const [port, securePort] = [await freePort(), await freePort()];
    const secure = certificate === undefined ? undefined : { url: `ldaps://localhost:${securePort}`, certificate };
    const server = new Slapd(folder, `ldap://127.0.0.1:${port}`, secure);
    await server.#ready(port);
    return server;
  }

  async #ready(port: number): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      if (this.#process.exitCode !== null) break;
      if (await answers(port)) return;
      await sleep(25);
    }
    throw new Error(`slapd did not start:\n${this.#log}`);
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#onExit);
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const configuration = (folder: string, tls: boolean, limits: readonly string[]): string =>
  [
    ...['core', 'cosine', 'inetorgperson', 'nis'].map((schema) => `include ${SCHEMAS}/${schema}.schema`),
    `pidfile ${folder}/slapd.pid`,
    `argsfile ${folder}/slapd.args`,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    // what a directory of Microsoft or Netscape would say of an account
    "attributetype ( 1.3.6.1.4.1.99999.1 NAME 'accountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
    "attributetype ( 1.3.6.1.4.1.99999.2 NAME 'accountLock' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )",
    "objectclass ( 1.3.6.1.4.1.99999.3 NAME 'controlledAccount' SUP top AUXILIARY MAY ( accountControl $ accountLock ) )",
    ...(tls
      ? [`TLSCertificateFile ${folder}/cert.pem`, `TLSCertificateKeyFile ${folder}/key.pem`, `TLSCACertificateFile ${folder}/cert.pem`, 'TLSVerifyClient never']
      : []),
    'database mdb',
    'maxsize 33554432',
    `suffix "${SUFFIX}"`,
    `rootdn "${ROOT_DN}"`,
    `rootpw ${ROOT_PASSWORD}`,
    `directory ${folder}/data`,
    'index objectClass eq',
    ...limits,
    // passwords are for binds alone; the rest is for who is bound
    'access to attrs=userPassword by anonymous auth by * none',
    'access to * by users read by anonymous auth',
    '',
  ].join('\n');

async function certificateIn(folder: string): Promise<string | undefined> {
  try {
    const argv = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ];
    await run('openssl', [...argv, '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]);
    return join(folder, 'cert.pem');
  } catch {
    return undefined;
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
