import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { formatIp, parseIp } from '../plan/address.ts';
import { answerTo, type ProviderRules } from './prefix-provider.ts';

/**
 * A provider's DHCPv6 server at a link, with the routes to what it delegates. Started in the provider's namespace: `LINK`; lines of its input
 * are new rules, lines of its output what it was asked.
 */
const link = process.argv[2] ?? '';
let rules: ProviderRules = { base: '2001:db8:a::', renewSeconds: 1000, rebindSeconds: 1600, validSeconds: 3600 };
const socket = createSocket({ type: 'udp6', ipv6Only: true });
const route = (...args: string[]): void => void execFileSync('ip', ['-6', 'route', ...args], { stdio: 'ignore' });

createInterface({ input: process.stdin }).on('line', (line) => {
  rules = { ...rules, ...JSON.parse(line) };
  process.stdout.write('has rules\n');
});
socket.on('message', (data, { address, port }) => {
  const answer = answerTo(data, rules);
  if (!answer) return;
  const { prefix } = answer;
  const text = prefix && formatIp({ version: 6, value: prefix.value });
  process.stdout.write(`${answer.asked} ${answer.client}${text === undefined ? '' : ` ${text}/${prefix?.prefixLength}`}\n`);
  const [neighbour = ''] = address.split('%');
  if (['request', 'renew', 'rebind'].includes(answer.asked) && prefix && parseIp(neighbour))
    route('replace', `${text}/${prefix.prefixLength}`, 'via', neighbour, 'dev', link);
  if (answer.reply) socket.send(answer.reply, port, address);
});
socket.bind(547, '::', () => {
  socket.addMembership('ff02::1:2', `::%${link}`);
  process.stdout.write('serves\n');
});
