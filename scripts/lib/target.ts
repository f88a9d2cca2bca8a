/** The cluster that a script works on: kubectl and helm, bound to one context. */
import { run, type CommandOptions } from './command.ts';
import { needProgram } from './programs.ts';
import type { Report } from './progress.ts';

export interface Target {
  context: string;
  kubectl(args: string[], options?: CommandOptions): Promise<string>;
  /** The object, or `undefined` when there is none. */
  get<T>(kind: string, name: string, namespace?: string): Promise<T | undefined>;
  helm(args: string[], options?: CommandOptions): Promise<string>;
}

/** `kubeconfig`: the file, when it is not the one that kubectl would take. */
export async function target(context: string, report: Report, kubeconfig?: string): Promise<Target> {
  const kubectlPath = await needProgram('kubectl', report);
  const helmPath = await needProgram('helm', report);
  const env = kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig };
  const kubectl = (args: string[], options: CommandOptions = {}) =>
    run(kubectlPath, ['--context', context, ...args], { ...options, env: { ...env, ...options.env } });
  return {
    context,
    kubectl,
    get: async <T>(kind: string, name: string, namespace?: string) => {
      const inNamespace = namespace === undefined ? [] : ['-n', namespace];
      const text = await kubectl(['get', kind, name, ...inNamespace, '--ignore-not-found', '-o', 'json']);
      return text === '' ? undefined : (JSON.parse(text) as T);
    },
    helm: (args, options = {}) =>
      run(helmPath, ['--kube-context', context, ...args], { ...options, env: { ...env, ...options.env } }),
  };
}
