// Starts the backend on this machine.
//
//     PORT=8080 PAGE_ORIGIN=http://localhost:3000 HMAC_SECRET=hsec_… node server.mjs

import { createServer } from 'node:http';

import { createBackend } from './app.mjs';
import { prover } from './proof.mjs';
import { Sessions } from './sessions.mjs';
import { listen } from '../common/listen.mjs';
import { needed, portIn } from '../common/settings.mjs';

const app = createBackend({
  prove: prover(needed('HMAC_SECRET')),
  sessions: new Sessions(),
  pageOrigin: needed('PAGE_ORIGIN'),
});
listen(createServer({ requestTimeout: 30_000 }, app), portIn('PORT', 8080), 'backend');
