import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstance } from 'i18next';
import { en } from '../locales/en.ts';
import { zh } from '../locales/zh.ts';
import { reasonSaid, remedySaid } from './words.ts';

const i18n = createInstance();
await i18n.init({ lng: 'zh-CN', resources: { 'zh-CN': { translation: zh }, en: { translation: en } } });
const [chinese, english] = [i18n.getFixedT('zh-CN'), i18n.getFixedT('en')];

test('a known reason is said in the reader’s language, with the service’s sentence where it tells more', () => {
  const sentence = "None of the 2 ingress rules of the port's security groups lets TCP port 80 in.";
  assert.deepEqual(reasonSaid(chinese, 'no_rule', sentence), { words: '端口的安全组中没有规则放行它。', detail: sentence });
  assert.deepEqual(reasonSaid(english, 'arrives', 'The packet arrives.'), { words: 'The packet arrives.', detail: undefined });
  assert.deepEqual(remedySaid(chinese, 'port_down', 'Switch it on: openstack port set --enable p'), {
    words: '请启用端口。',
    detail: 'Switch it on: openstack port set --enable p',
  });
});

test('a reason of a newer cloud is told as the cloud tells it', () => {
  assert.deepEqual(reasonSaid(chinese, 'of_tomorrow', 'Something.'), { words: 'Something.', detail: undefined });
  assert.deepEqual(remedySaid(chinese, 'toString', 'Do it.'), { words: 'Do it.', detail: undefined });
});

test('every code of the network service has its words', () => {
  const source = (path: string): string => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
  const [, union = ''] = /export type ReasonCode =([^;]+);/.exec(source('host/src/fabric/path/flow.ts')) ?? [];
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code);
  const [, facts = ''] = /readonly code: ([^;]+);/.exec(source('neutron/src/app/path-dhcp.ts')) ?? [];
  codes.push(...[...facts.matchAll(/'(\w+)'/g)].map(([, code = '']) => code));
  assert.ok(codes.length > 60);
  assert.deepEqual(
    codes.filter((code) => !(code in en.path.reasons)),
    [],
  );
});
