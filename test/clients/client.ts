/** What the contract asks of a real client. An operation that a client has no command for is left out. */
export interface Client {
  readonly name: string;
  version(): Promise<string>;
  /** Pushes the entry `latest` of an OCI layout; gives the digest that it pushed. */
  push(layout: string, reference: string): Promise<string>;
  /** Pulls into an empty place; gives the digest of the manifest that it got, content checked. */
  pull(reference: string): Promise<string>;
  /** Pushes the index `latest` of a layout with all images; gives the digest that it pushed. */
  pushIndex?(layout: string, reference: string): Promise<string>;
  /** Pulls the index with all images. */
  pullIndex?(reference: string): Promise<string>;
  tags?(repository: string): Promise<string[]>;
  repositories?(host: string): Promise<string[]>;
  copy?(from: string, to: string): Promise<void>;
  /** By tag, or by the digest that the tag points to, as the client sees fit. */
  remove?(reference: string): Promise<void>;
  /** Attaches `file` to the reference as an artifact of the type. */
  attach?(reference: string, artifactType: string, file: string): Promise<void>;
  /** The artifact types of what is attached to the reference. */
  discover?(reference: string): Promise<string[]>;
}

/** Where a client runs: nothing of it outlives the test, nothing of the user's is read. */
export interface Workspace {
  /** A new folder in the one that programs run in. */
  folder: () => Promise<string>;
  /** Runs a program and gives its standard output; rejects with its standard error. */
  run: (command: string, ...args: string[]) => Promise<string>;
}
