/** A purchase is only written to the wire this soon after its sending was claimed: a frozen process must not send it later. */
const SEND_WINDOW_MS = 5000;

/**
 * The time in which a claimed sending may be written, from just before the claim is committed. By both clocks: the monotonic one
 * stands still while the machine is suspended, the other one may be set back.
 */
export class SendWindow {
  readonly #monotonicMs = performance.now();
  readonly #wallMs = Date.now();

  get isOpen(): boolean {
    return performance.now() - this.#monotonicMs <= SEND_WINDOW_MS && Date.now() - this.#wallMs <= SEND_WINDOW_MS;
  }
}
