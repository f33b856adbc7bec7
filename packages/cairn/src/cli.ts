import { Command } from 'commander';
import type { PathFlags } from './commands/path.ts';
import { die } from './commands/shared.ts';
import type { CommonFlags } from './config.ts';

/** Parses the command line and runs one command. Each command's code is loaded only when it is asked for. */
export async function run(args: readonly string[]): Promise<void> {
  const program = new Command('cairn').description('An OpenStack cloud as one program').version('0.1.0').showHelpAfterError();
  const common = (command: Command): Command =>
    command.option('--data <dir>', 'directory of everything that the cloud keeps').option('--config <file>', 'YAML file of options (docs/configuration.md)');
  const guard =
    <A extends unknown[]>(work: (...a: A) => Promise<void>) =>
    (...a: A): Promise<void> =>
      work(...a).catch(die);
  const starting = (command: Command): Command =>
    common(command)
      .option('--listen <[address:]port>', 'where the APIs listen')
      .option('--hypervisor <type>', 'qemu or simulated')
      .option('--hosts <n>', 'number of hosts: simulated ones, or real ones that share this machine')
      .option('--classic-ports', "also listen on each service's usual port");

  starting(program.command('up').description('bring the cloud up; installs what is missing, and says so first'))
    .option('-y, --yes', 'do not ask before installing packages')
    .action(guard(async (flags: CommonFlags & { yes?: boolean }) => (await import('./commands/up.ts')).up(flags)));
  starting(program.command('serve', { hidden: true })).action(guard(async (flags: CommonFlags) => (await import('./commands/serve.ts')).serve(flags)));
  common(program.command('down').description('stop the cloud; guests are shut down cleanly'))
    .option('--keep-guests', 'leave guests and their traffic running')
    .option('--destroy', 'leave no trace: no process, namespace, link, mount, rule or file')
    .action(guard(async (flags: CommonFlags & { keepGuests?: boolean; destroy?: boolean }) => (await import('./commands/down.ts')).down(flags)));
  common(program.command('status').description('what runs: process, endpoints, versions, hosts, guests'))
    .option('--json', 'as JSON')
    .action(guard(async (flags: CommonFlags & { json?: boolean }) => (await import('./commands/status.ts')).status(flags)));
  common(program.command('doctor').description('what this machine lacks, and the fix'))
    .option('--json', 'as JSON')
    .action(guard(async (flags: CommonFlags & { json?: boolean }) => (await import('./commands/doctor.ts')).doctor(flags)));
  common(program.command('env').description('shell lines that point OpenStack clients at the cloud: eval "$(./cairn env)"')).action(
    guard(async (flags: CommonFlags) => (await import('./commands/env.ts')).env(flags)),
  );
  common(program.command('routes').description('every API call: method, path, versions, policy'))
    .option('--json', 'as JSON')
    .option('--service <name>', 'of one service')
    .action(guard(async (flags: CommonFlags & { json?: boolean; service?: string }) => (await import('./commands/routes.ts')).routes(flags)));
  common(program.command('logs').description("the cloud's log"))
    .option('-f, --follow', 'go on as it grows')
    .option('-n, --lines <n>', 'last lines', '50')
    .option('--request <id>', 'of one request')
    .option('--json', 'as it is written')
    .action(
      guard(async (flags: CommonFlags & { follow?: boolean; lines: string; request?: string; json?: boolean }) =>
        (await import('./commands/logs.ts')).logs(flags),
      ),
    );
  common(program.command('path <from> <to>').description('why a packet passes or does not: from a port, a server or `outside`, to an address, port or server'))
    .option('--protocol <name>', 'tcp, udp, icmp or another; icmp unless --port is given, then tcp')
    .option('--port <n>', 'the port that it is sent to')
    .option('--source-port <n>', 'the port that it is sent from')
    .option('--source-ip <address>', "the address that it is sent from; the port's own unless given")
    .option('--json', "the network service's own answer")
    .action(guard(async (from: string, to: string, flags: PathFlags) => (await import('./commands/path.ts')).path(from, to, flags)));
  common(program.command('bench').description('measure the running cloud'))
    .option('--json', 'as JSON')
    .option('--only <names>', 'some of the measurements, with commas')
    .option('--console', 'the console alone, in Chromium, on a simulated cloud of its own')
    .action(guard(async (flags: CommonFlags & { json?: boolean; only?: string; console?: boolean }) => (await import('./commands/bench.ts')).bench(flags)));
  const host = program.command('host').description('switch hosts off and on, to try what the loss of one means');
  for (const [name, power, text] of [
    ['stop', 'off', 'pull the plug: guests end at once, nothing reaches the host'],
    ['start', 'on', 'switch it on again'],
  ] as const) {
    common(host.command(`${name} <host>`).description(text)).action(
      guard(async (named: string, flags: CommonFlags) => (await import('./commands/host.ts')).hostPower(named, power, flags)),
    );
  }
  common(
    program
      .command('keys')
      .description('keys for tokens and stored credentials')
      .command('rotate <what>')
      .description('new keys for `tokens` or `credentials`, while the cloud runs'),
  )
    .option('--force', 'also where tokens that still hold would end')
    .action(guard(async (what: string, flags: CommonFlags & { force?: boolean }) => (await import('./commands/keys.ts')).rotateKeys(what, flags)));
  const image = program.command('image').description('guest images');
  common(image.command('build').description('make the demo guest image from distribution packages'))
    .option('--out <dir>', 'where to put it')
    .action(guard(async (flags: CommonFlags & { out?: string }) => (await import('./commands/image.ts')).imageBuild(flags)));
  common(image.command('add <name> <file-or-url>').description('load an image into the cloud'))
    .option('--format <format>', 'qcow2, raw, vmdk, vdi, vhd, vhdx, iso; found out when absent')
    .action(
      guard(async (name: string, source: string, flags: CommonFlags & { format?: string }) =>
        (await import('./commands/image.ts')).imageAdd(name, source, flags),
      ),
    );
  program
    .command('test')
    .description('everything that CI runs')
    .argument('[parts...]', 'some of the parts; "cairn test --list" names them')
    .option('--list', 'name the parts')
    .action(guard(async (parts: string[], flags: { list?: boolean }) => (await import('./commands/test.ts')).test(parts, flags)));
  await program.parseAsync([...args], { from: 'user' });
}
