/** What the client and the reflectors tell of themselves; a program turns it into metrics, or does not. */
export interface KubeObserver {
  /** One request was answered; `code` is `<error>` when no answer came, as client-go counts it. */
  onRequest(request: { code: string; method: string; host: string }): void;
  onList(kind: string): void;
  onWatch(kind: string): void;
  onEvent(kind: string, type: string): void;
  /** A list or a watch failed; `reason` is a KubeError's, such as Expired. */
  onFailure(kind: string, reason: string): void;
  onSize(kind: string, objects: number): void;
}
