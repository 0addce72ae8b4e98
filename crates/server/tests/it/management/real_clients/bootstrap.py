"""The guide's client gets bootstrap tokens in each of its ways, shows one beside a code, and gives one back."""

import json
import os
import sys

from hawcx_oauth_client.bootstrap import HawcxBootstrapClient
from hawcx_oauth_client.bootstrap.crypto import create_client_assertion, generate_dpop_keypair
from hawcx_oauth_client.bootstrap.dpop_session import DPoPSession

told = json.loads(sys.argv[1])
os.environ.update(told["env"])
client = HawcxBootstrapClient.from_env()
token = client.authenticate()
direct = client.authenticate_direct()
bound = client.authenticate_with_dpop()

endpoint = f"{client.hawcx_base_url}/oauth2/token"
assertion = create_client_assertion(
    client.client_id, endpoint, "", "", client.private_key_pem, client.kid
)
form = {
    "grant_type": "authorization_code",
    "code": told["code"],
    "redirect_uri": told["redirect_uri"],
    "code_verifier": told["verifier"],
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": assertion,
}
session = DPoPSession(bound.access_token, bound.dpop_private_key)
exchanged = session.post(endpoint, data=form)
exchanged.raise_for_status()
tokens = exchanged.json()
me = DPoPSession(tokens["access_token"], bound.dpop_private_key).get(f"{client.hawcx_base_url}/v1/me")
other_key, _ = generate_dpop_keypair()
stolen = DPoPSession(tokens["access_token"], other_key).get(f"{client.hawcx_base_url}/v1/me")
client.revoke_token(direct.access_token)

print(json.dumps({
    "kinds": [token.token_type, direct.token_type, bound.token_type],
    "lives": [token.expires_in, direct.expires_in, bound.expires_in],
    "scope": token.scope,
    "tokens": [token.access_token, direct.access_token],
    "token_type": tokens["token_type"],
    "me": me.json(),
    "stolen": stolen.status_code,
}))
