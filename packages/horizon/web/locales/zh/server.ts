import type { Catalogue } from '../en.ts';

/** 云服务器页面及其操作：控制台。 */
export const server = {
  console: {
    display: '显示器',
    serialLine: '串口',
    vnc: '云服务器的显示器',
    serial: '云服务器的串口',
    keyboard: '在控制台中输入',
    ctrlAltDel: '发送 Ctrl+Alt+Del',
    paste: '粘贴文本',
    fullscreen: '全屏',
    reconnect: '重新连接',
    connecting: '正在连接',
    open: '已连接',
    closed: '已断开',
    none: '没有控制台',
    off: '云服务器没有运行。启动后会自动打开控制台。',
    refused: '无法打开控制台',
    displayHelp: '点击画面即可输入；按 Ctrl+Alt+Home 返回页面。',
    serialHelp: '没有内容时请按 Enter。串口同一时间只能由一人使用；按 Ctrl+Alt+Home 返回页面。',
    text: '文本',
    textHelp: '按美式键盘布局输入到控制台。',
    type: '输入',
  },
} satisfies Partial<Catalogue>;
