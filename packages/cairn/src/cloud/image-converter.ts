import type { ImageConverter } from '@cairn/host/interface/images';

/** What converts images on this machine: qemu-img as the user that guests' tools run as, or nothing real where hosts are simulated. Made when it is first needed. */
export function imageConverter(hypervisor: 'qemu' | 'simulated'): ImageConverter {
  let made: Promise<ImageConverter> | undefined;
  return { convert: async (job) => (await (made ??= make(hypervisor))).convert(job) };
}

async function make(hypervisor: 'qemu' | 'simulated'): Promise<ImageConverter> {
  if (hypervisor === 'simulated') return (await import('@cairn/host/simulated/converter')).simulatedConverter;
  const [{ QemuImageConverter }, { detectAccount }] = await Promise.all([import('@cairn/host/images/converter'), import('@cairn/host/hypervisor/account')]);
  const account = await detectAccount();
  return new QemuImageConverter(account && { uid: account.uids > 1 ? account.gid : account.firstUid, gid: account.gid });
}
