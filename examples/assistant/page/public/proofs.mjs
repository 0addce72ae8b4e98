// What the page sends as a proof. In an app of your own there is only the right one.

/** For each choice a `userHmac`, as `Client` takes it. */
export function userHmac(choice, backend, externalId) {
  const callbacks = {
    right: () => backend.hmac(externalId),
    wrong: () => ofSomeOtherSecret(),
    none: () => null,
  };
  return callbacks[choice];
}

/** Looks like an HMAC, and was made with a secret that nobody knows. */
function ofSomeOtherSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes));
}
