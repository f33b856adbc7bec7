import type { Catalogue } from '../en.ts';

/** 卷与镜像。 */
export const storage = {
  volumes: {
    empty: '还没有云硬盘',
    emptyText: '云硬盘是可以提供给云服务器的磁盘。',
    create: '创建云硬盘',
    inUse: '它正在使用，或正在被操作。',
  },
  images: {
    empty: '还没有镜像',
    emptyText: '云服务器从镜像启动。',
    create: '上传镜像',
    protected: '它受到删除保护。',
    notYours: '它属于其他项目。',
    formatHelp: '文件中磁盘的类型。',
    file: '文件',
    chooseFile: '选择文件',
    dropFile: '将文件拖放到此处',
    removeFile: '移除文件',
    uploading: '正在发送文件',
  },
} satisfies Partial<Catalogue>;
