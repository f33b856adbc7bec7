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
  'subnet-pools': [
    'Subnet pools',
    'A pool is a range from which subnets are cut, so that no two of them overlap. Pools of one address scope can be routed to each other without address translation.',
  ],
  'qos-policies': [
    'QoS policies',
    'A policy limits or guarantees bandwidth and packet rates, or marks packets. It works on the networks, ports and floating IPs that name it. Administrators write the rules.',
  ],
  trunks: [
    'Trunks',
    'A trunk lets one port of a server carry several networks: the guest tells them apart by VLAN tags. The parent port is given to the server; the other ports are its subports.',
  ],
  'address-groups': [
    'Address groups',
    'A named list of addresses that rules of security groups refer to. Change the list, and all those rules follow. A group that a rule refers to cannot be deleted.',
  ],
  path: [
    'Why does this packet not pass?',
    'Choose where a packet comes from and goes to. Each station says whether it lets it pass; the first that stops it is named, and where a rule is missing there is a link to the form that makes it. Nothing is sent. Guests are taken to do what DHCP tells them.',
  ],
  domains: [
    'Domains',
    'A domain holds projects, users and groups, apart from those of other domains, and can be given to managers of its own. It can only be deleted after it was disabled.',
  ],
  projects: [
    'Projects',
    'Servers, networks and volumes belong to a project, and so do its quotas. People come in by roles: give them to a group rather than to each user. Deleting a project does not delete what is in it.',
  ],
  users: [
    'Users',
    'Who signs in: people and programs. A user without a role in any project can see nothing. Disabling one ends his sessions and keeps his name.',
  ],
  groups: ['Groups', 'Users who get the same roles. Whoever joins has the roles of the group at once, and loses them on leaving.'],
  roles: [
    'Roles',
    'What somebody may do, by the rules of each service: reader looks, member uses, manager runs a project or a domain, admin runs the cloud. One role may imply others. An assignment gives a role to a user or group in a project, a domain or the whole system.',
  ],
  hosts: [
    'Hosts',
    'The machines that guests run on, and how full they are. Disable one and no new guest comes to it; those on it stay. Drain one and its guests move to others, before work on the machine.',
  ],
  health: [
    'Health',
    'Services and agents of the hosts, with when each was last heard of. One that is down takes no new work; what it runs already goes on as long as its host does.',
  ],
  aggregates: [
    'Host aggregates',
    'Hosts that have something in common. With an availability zone, users choose them by its name; with metadata, flavors do by their extra specs. A host is in one availability zone at the most.',
  ],
  flavors: [
    'Flavors',
    'Sizes that servers come in. A flavor cannot be changed after it was made, except for its description, extra specs and who may use it: make another and retire the old. Servers keep what they were made with.',
  ],
  'volume-types': [
    'Volume types',
    'Kinds of storage that users choose from. Extra specs say which backend serves a type and how; QoS specs limit its speed. A type in use cannot be deleted.',
  ],
  all: [
    'All projects',
    'The resources of every project, for administrators. What is done here is done to somebody else’s resources: the project’s members see it happen.',
  ],
  metadefs: [
    'Metadata definitions',
    'Which properties images, flavors and volumes may have, and what their values mean, so that forms and people need not guess.',
  ],
  policy: [
    'Policy',
    'May this user do that on this resource, and by which rule? The answer is worked out by the very rules that the service applies. Nothing is done.',
  ],
  system: ['System', 'The services, where they are and which versions of their APIs they speak.'],
} as const satisfies Readonly<Record<string, readonly [title: string, text: string]>>;

export type HelpTexts = { readonly [K in keyof typeof help]: readonly [title: string, text: string] };
