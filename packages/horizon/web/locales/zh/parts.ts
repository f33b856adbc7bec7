import type { Catalogue } from '../en.ts';

/** 表单、配额提示与建议。 */
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
} satisfies Partial<Catalogue>;
