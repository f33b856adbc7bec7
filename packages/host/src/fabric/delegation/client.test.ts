import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { answerTo, prefixOf, type ProviderRules } from '../testing/prefix-provider.ts';
import { formatCidr } from '../plan/address.ts';
import { type Lease, PrefixClient } from './client.ts';
import { clientIdOf, decode } from './message.ts';

const SUBNET = '0b2a8a5e-7d0c-4f2b-9d3e-5f6a7b8c9d0e';
const BASE: ProviderRules = { base: '2001:db8:a::', renewSeconds: 100, rebindSeconds: 160, validSeconds: 200 };

/** A client and a provider at one link, on virtual time. */
class Link {
  readonly clock = new VirtualClock();
  rules: ProviderRules;
  readonly asked: string[] = [];
  readonly leases: (string | undefined)[] = [];
  readonly client: PrefixClient;

  constructor(rules: Partial<ProviderRules> = {}, before?: { readonly prefix: string; readonly validUntilMs?: number }) {
    this.rules = { ...BASE, ...rules };
    this.client = new PrefixClient({
      subnetId: SUBNET,
      clock: this.clock,
      before,
      random: () => 1000,
      onLease: (lease: Lease | undefined) => this.leases.push(lease?.prefix),
      send: (data) => {
        const answer = answerTo(data, this.rules);
        if (!answer) return;
        this.asked.push(answer.asked);
        const message = answer.reply && decode(answer.reply);
        if (message) this.clock.after(1, () => this.client.receive(message));
      },
    });
    this.client.start();
  }

  prefix(rules: ProviderRules = this.rules): string {
    return formatCidr({ ...prefixOf(clientIdOf(SUBNET), rules), prefixLength: 64 });
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }
}

describe('a client that asks for a prefix', () => {
  it('solicits, takes the offer, and renews it by its server for as long as it lasts', async () => {
    const link = new Link();
    await link.pass(2_000);
    assert.deepEqual(link.asked, ['solicit', 'request']);
    assert.deepEqual(link.leases, [link.prefix()]);
    await link.pass(100_000);
    assert.deepEqual(link.asked, ['solicit', 'request', 'renew']);
    const first = link.client.lease?.validUntilMs ?? 0;
    await link.pass(100_000);
    assert.equal(link.asked.at(-1), 'renew');
    assert.ok((link.client.lease?.validUntilMs ?? 0) > first);
    assert.deepEqual(new Set(link.leases), new Set([link.prefix()]));
  });

  it('asks on, ever more slowly, while nobody answers', async () => {
    const link = new Link({ isSilent: true });
    await link.pass(600_000);
    assert.ok(link.asked.length > 8 && link.asked.length < 15, String(link.asked.length));
    link.rules = BASE;
    await link.pass(130_000);
    assert.equal(link.leases[0], link.prefix());
  });

  it('asks any server when its own is silent, and lets go of the prefix when its time is over', async () => {
    const link = new Link();
    await link.pass(2_000);
    link.rules = { ...BASE, isSilent: true };
    await link.pass(205_000);
    assert.ok(link.asked.includes('unheard-renew') && link.asked.includes('unheard-rebind'));
    assert.deepEqual(link.leases, [link.prefix(), undefined]);
    link.rules = BASE;
    await link.pass(130_000);
    assert.deepEqual(link.leases.slice(0, 3), [link.prefix(), undefined, link.prefix()]);
  });

  it('takes another prefix that its server gives in place of the old one', async () => {
    const link = new Link();
    await link.pass(2_000);
    const old = link.prefix();
    link.rules = { ...BASE, base: '2001:db8:b::' };
    await link.pass(105_000);
    assert.deepEqual(link.leases, [old, link.prefix()]);
    assert.notEqual(link.prefix(), old);
  });

  it('asks anew where the server knows nothing of its prefix', async () => {
    const link = new Link();
    await link.pass(2_000);
    link.rules = { ...BASE, forgets: true };
    await link.pass(105_000);
    assert.deepEqual(link.asked, ['solicit', 'request', 'renew', 'solicit', 'request']);
  });

  it('keeps what was held before it began: it is confirmed, or given up when its time is over', async () => {
    const before = new Link().prefix();
    const confirmed = new Link({}, { prefix: before });
    await confirmed.pass(3_000);
    assert.deepEqual([confirmed.asked, confirmed.leases], [['rebind'], [before]]);

    const silent = new Link({ isSilent: true }, { prefix: before });
    await silent.pass(60_000);
    assert.deepEqual(silent.leases, [], 'silence alone takes nothing away');
    assert.ok(silent.asked.includes('unheard-solicit'));
    await silent.pass(3_600_000);
    assert.deepEqual(silent.leases, [undefined]);
  });

  it('uses the first network of a prefix that is shorter than a subnet needs, and renews the whole', async () => {
    const link = new Link({ prefixLength: 56 });
    await link.pass(2_000);
    assert.match(link.leases[0] ?? '', /\/64$/);
    assert.equal(link.client.lease?.delegated.prefixLength, 56);
    await link.pass(105_000);
    assert.deepEqual(link.leases, [link.prefix(), link.prefix()]);
  });

  it('takes nothing that no subnet can have', async () => {
    for (const rules of [{ base: 'fe80::' }, { base: 'ff05::' }, { base: '::' }, { prefixLength: 80 }, { validSeconds: 0 }]) {
      const link = new Link(rules);
      await link.pass(30_000);
      assert.deepEqual(link.leases, [], JSON.stringify(rules));
    }
  });

  it('gives back what it holds, and says nothing more', async () => {
    const link = new Link();
    await link.pass(2_000);
    const released = link.client.release(1500);
    await link.pass(10);
    await released;
    assert.equal(link.asked.at(-1), 'release');
    const before = link.asked.length;
    await link.pass(1_000_000);
    assert.equal(link.asked.length, before);
    assert.deepEqual(link.leases, [link.prefix()]);
  });
});

describe('what a server says', () => {
  it('is dropped where it is malformed, however it is cut or changed', () => {
    const solicit = Buffer.from('0100002a0001000200010019000c000000010000000000000000', 'hex');
    const whole = answerTo(solicit, BASE)?.reply as Buffer;
    assert.ok(decode(whole));
    for (let length = 0; length < whole.length; length++) decode(whole.subarray(0, length));
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = value;
        decode(changed);
      }
    }
    assert.equal(decode(whole.subarray(0, whole.length - 3)), undefined);
  });
});
