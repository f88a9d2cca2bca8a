import type { Engine } from './engine.ts';

/** What kind clusters are made with on this machine. */
export interface ClusterSource {
  /** Its `env` is what kind needs too. */
  engine: Engine;
  /** Path of the program. */
  kind: string;
  /** `undefined`: the one that this kind was released with. */
  nodeImage?: string;
  /** A KubeletConfiguration that this node image needs on top of kind-config.yaml. */
  kubeletPatch?: string;
}
