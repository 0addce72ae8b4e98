// Shows a passkey, or makes one, and sends what comes of it in the page's own form. The form is hidden where there are none.
'use strict';

(() => {
  const form = document.querySelector('form[data-passkey]');
  const kind = window.PublicKeyCredential;
  if (!form || !window.isSecureContext || !kind?.parseRequestOptionsFromJSON || !kind.prototype.toJSON) return;

  // Whoever asks is to wait.
  class TooMany extends Error {}

  // The server forgets a challenge after five minutes.
  const RENEWED = 4 * 60 * 1000;
  const button = form.querySelector('button');
  const said = form.querySelector('[role=status]');
  let asked = Promise.resolve();
  let current = new AbortController();

  // One at a time: the last question that the server heard is the one that it knows.
  function question() {
    asked = asked.catch(() => {}).then(async () => {
      const body = new URLSearchParams({ form: form.elements.form.value });
      const answer = await fetch(form.dataset.question, { method: 'POST', body });
      if (answer.status === 429) throw new TooMany();
      return answer.ok ? (await answer.json()).publicKey : undefined;
    });
    return asked;
  }

  // Whatever waits for a passkey is told to stop before something else asks for one.
  function begin() {
    current.abort();
    current = new AbortController();
    return current.signal;
  }

  function send(credential) {
    form.elements.passkey.value = credential ? JSON.stringify(credential) : '';
    form.submit();
  }

  async function ask() {
    const signal = begin();
    const options = await question();
    // The server doesn't ask, and says why once the form comes.
    if (!options) return send();
    const credential = form.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey: kind.parseCreationOptionsFromJSON(options), signal })
      : await navigator.credentials.get({ publicKey: kind.parseRequestOptionsFromJSON(options), signal });
    return send(credential);
  }

  // Passkeys among what the browser offers for the field of the address.
  async function offer() {
    const signal = begin();
    const options = await question();
    if (!options || signal.aborted) return;
    const renewal = setTimeout(() => offer().catch(() => {}), RENEWED);
    signal.addEventListener('abort', () => clearTimeout(renewal));
    const publicKey = kind.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey, mediation: 'conditional', signal });
    clearTimeout(renewal);
    send(credential);
  }

  async function offerIfPossible() {
    const field = document.querySelector('input[autocomplete~=webauthn]');
    if (field && await kind.isConditionalMediationAvailable?.()) await offer();
  }

  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = '';
    ask().catch((problem) => {
      const words = problem instanceof TooMany ? 'wait' : 'failure';
      said.textContent = form.querySelector(`template[data-of=${words}]`).content.textContent;
      button.disabled = false;
      // Who is to wait doesn't ask for more.
      if (words === 'failure') offerIfPossible().catch(() => {});
    });
  });
  offerIfPossible().catch(() => {});
})();
