import type { Catalogue } from '../en.ts';

/** 网络与安全组。 */
export const network = {
  networks: {
    empty: '还没有网络',
    emptyText: '云服务器需要网络才能被访问。',
    create: '创建网络',
    range: '地址范围（CIDR）',
    rangeHelp: '云服务器从此范围获得地址。留空则网络没有地址。',
    notYours: '它属于其他项目。',
  },
  topology: {
    help: '拖动可排列，滚动可缩放，双击可打开。',
    asTable: '以表格显示这些网络',
    controls: '缩放',
    zoomIn: '放大',
    zoomOut: '缩小',
    fit: '显示全部',
  },
  groups: {
    empty: '没有安全组',
    emptyText: '安全组决定谁可以访问云服务器。',
    create: '创建安全组',
    default: '不能删除“default”组。',
  },
  rules: {
    create: '添加规则',
    empty: '没有规则：不允许任何进出。',
    ingress: '入',
    egress: '出',
    any: '任意',
    allPorts: '全部',
    everywhere: '任意地址',
    portsHelp: '一个端口，或范围（例如 8000-8010）；留空表示全部。',
    badPorts: '请输入 1 到 65535 的端口或范围。',
    remoteHelp: 'CIDR 形式的网络；留空表示任意地址。',
  },
} satisfies Partial<Catalogue>;
