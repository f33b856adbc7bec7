import type { Catalogue } from '../en.ts';

/** 表单、配额提示、建议、查找与帮助。 */
export const parts = {
  form: {
    missing: '此项必填。',
    atLeast: '不小于 {{least}}。',
    between: '应在 {{least}} 到 {{most}} 之间。',
    choose: '请选择',
    chooseSome: '请选择',
    nothing: '没有可选择的内容',
    noPairs: '暂无。',
    add: '添加',
    remove: '移除',
    key: '名称',
    value: '值',
    addWord: '输入后按回车键添加',
    removeWord: '移除 {{word}}',
    save: '保存',
  },
  quota: {
    fits: '{{word}}：将使用 {{after}}，上限 {{limit}}',
    over: '{{word}}：将使用 {{after}}，超出项目上限 {{limit}}',
  },
  advice: {
    unreachable: '云平台没有响应。请检查网络连接后重试。',
    forbidden: '您在此项目中的角色不允许此操作。请联系云平台或项目的管理员授予相应角色。',
    gone: '它可能已被删除，或属于其他项目。',
    conflict: '它正在被其他操作占用，或当前状态不允许此操作。请查看其状态后重试。',
    tooLarge: '请释放不再需要的资源，或申请更高的配额。',
    tooMany: '请稍候再试。',
    broken: '这是云平台的故障。请将请求 ID 提供给运维人员，他们可以用 “cairn logs” 在日志中查到。',
    away: '服务暂时不可用，请稍后重试。',
  },
  palette: {
    open: '查找',
    hint: '按 Ctrl-K 可查找页面、资源和操作。',
    title: '查找与执行',
    placeholder: '页面、名称、ID 或要做的事',
    results: '结果',
    nothing: '没有找到',
    page: '页面',
    action: '操作',
    move: '切换到项目 {{name}}',
    kinds: { server: '云服务器', volume: '云硬盘', image: '镜像', network: '网络', securityGroup: '安全组' },
  },
  help: { title: '帮助', open: '打开本页帮助', close: '关闭帮助' },
} satisfies Partial<Catalogue>;
