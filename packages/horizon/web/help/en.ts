/** One short text for each page: what it is for, and what to know before clicking. Pages without one show `general`. */
export const help = {
  general: [
    'Cairn',
    'Everything here is done by calls of OpenStack’s public APIs. The activity panel shows each of them as a command. Ctrl-K finds pages, things and actions.',
  ],
  overview: [
    'Overview',
    'What the project uses of its quotas, the servers by state, and what happened last. When a quota is nearly used up, free something or ask for more.',
  ],
  'api-access': [
    'API access',
    'Where the services are, and files with which the openstack command, SDKs and Terraform sign in. An application credential lets a program in without your password, with no more rights than you give it.',
  ],
  servers: [
    'Servers',
    'A server is a virtual machine. Its state is shown as it changes. Stop it to keep its disks while it uses no processor; shelve it to free its host as well; delete it when it is no longer needed. “How it came to be” shows each step of a launch by service.',
  ],
  launch: [
    'Launching a server',
    'The image is what its disk holds at first, the flavor says how large it is. Without a network it cannot be reached. Choose a key pair, or you cannot log in. User data is run by cloud-init at the first start.',
  ],
  'key-pairs': [
    'Key pairs',
    'New servers get the public half of a key pair, so that you log in by SSH without a password. Import your own public key where you have one; the private half then never leaves your machine.',
  ],
  images: [
    'Images',
    'Servers and volumes are made from images. Upload a file, or let the cloud fetch one from an address. Private images are seen by the project alone, shared ones also by projects that accept them, public ones by everybody.',
  ],
  'server-groups': [
    'Server groups',
    'Servers of a group stand on the same host (fast traffic) or on different ones (no common failure). A server joins when it is launched.',
  ],
  networks: [
    'Networks',
    'Servers on one network reach each other. Its subnets say which addresses they get. A router joins it to others; through a router with an external gateway, servers reach the outside.',
  ],
  topology: ['Topology', 'Networks, routers and servers, and how they are connected. Green lines are ports that work. Drag, zoom, and click to open a thing.'],
  routers: ['Routers', 'A router joins networks. With an external gateway its networks reach the outside, and floating IPs reach them.'],
  ports: ['Ports', 'A port is the place where something is plugged into a network: it has the MAC address, the IP addresses and the security groups.'],
  'floating-ips': [
    'Floating IPs',
    'An address of an external network that leads to a port of yours. It stays yours until you release it, also while it leads nowhere.',
  ],
  'security-groups': [
    'Security groups',
    'The firewall around each port. What no rule allows is dropped; answers to allowed traffic always pass. To log in by SSH, allow TCP port 22 inwards from your address.',
  ],
  volumes: [
    'Volumes',
    'A volume is a disk that outlives the server it is attached to. After attaching, make a file system on it in the guest and mount it; before detaching, unmount it. It only grows.',
  ],
  snapshots: [
    'Snapshots',
    'A snapshot keeps what a volume holds at one moment. Take one before risky changes: the volume can be reverted to its newest snapshot, and new volumes can be made from any.',
  ],
  backups: [
    'Backups',
    'A backup is a copy apart from the volume, so that it survives the loss of the volume’s storage. Incremental ones hold only what changed, and need those before them.',
  ],
  'volume-groups': ['Volume groups', 'The volumes of a group are snapshotted at the same moment, so that their contents fit together.'],
} as const satisfies Readonly<Record<string, readonly [title: string, text: string]>>;

export type HelpTexts = { readonly [K in keyof typeof help]: readonly [title: string, text: string] };
