// Serves the page on this machine, from an origin of its own.
//
//     PORT=3000 COUNTERSIGN_URL=… PROFICIENT_API_KEY=pk_… BACKEND_URL=… node server.mjs

import { createServer } from 'node:http';

import { createPage } from './app.mjs';
import { listen } from '../common/listen.mjs';
import { needed, portIn } from '../common/settings.mjs';

const page = await createPage({
  url: needed('COUNTERSIGN_URL'),
  apiKey: needed('PROFICIENT_API_KEY'),
  backend: needed('BACKEND_URL'),
});
listen(createServer(page), portIn('PORT', 3000), 'page');
