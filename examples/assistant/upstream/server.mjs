// Starts the API on this machine.
//
//     PORT=9000 JWKS_URL=… OAUTH_ISSUER=… node server.mjs

import { createApi } from './app.mjs';
import { callerReader } from './caller.mjs';
import { Store } from './store.mjs';
import { listen } from '../common/listen.mjs';
import { needed, optional, portIn } from '../common/settings.mjs';

const port = portIn('PORT', 9000);
const callerOf = callerReader({
  jwksUrl: needed('JWKS_URL'),
  issuer: needed('OAUTH_ISSUER'),
  // The gateway names an API by its origin.
  audience: optional('AUDIENCE', `http://127.0.0.1:${port}`),
});
const wordPause = Number(optional('WORD_PAUSE', '60'));
listen(createApi({ callerOf, store: new Store(), wordPause }), port, 'upstream');
