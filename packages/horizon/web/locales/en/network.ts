/** Networks and security groups. */
export const network = {
  networks: {
    empty: 'No networks yet',
    emptyText: 'Servers need a network to be reached.',
    create: 'Create network',
    range: 'Addresses (CIDR)',
    rangeHelp: 'The range that servers get addresses from. Leave it empty for a network without addresses.',
    notYours: 'It belongs to another project.',
  },
  topology: {
    help: 'Drag to arrange, scroll to zoom, double-click to open.',
    asTable: 'The same networks as a table',
    controls: 'Zoom',
    zoomIn: 'Larger',
    zoomOut: 'Smaller',
    fit: 'All of it',
  },
  groups: {
    empty: 'No security groups',
    emptyText: 'A security group says what may reach a server.',
    create: 'Create security group',
    default: 'The group “default” cannot be deleted.',
  },
  rules: {
    create: 'Add rule',
    empty: 'No rules: nothing comes in and nothing goes out.',
    ingress: 'In',
    egress: 'Out',
    any: 'any',
    allPorts: 'all',
    everywhere: 'everywhere',
    portsHelp: 'One port, a range such as 8000-8010, or nothing for all.',
    badPorts: 'A port or a range from 1 to 65535.',
    remoteHelp: 'A network in CIDR form; nothing for everywhere.',
  },
} as const;
