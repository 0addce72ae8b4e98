"""A later version of the guide's client: it discovers, and names its project instead of itself unless it signs."""

import json
import sys

from hawcx_oauth_client.oauth.client import HawcxOAuth
from hawcx_oauth_client.oauth.client_assertion import ClientAssertionSigner

told = json.loads(sys.argv[1])
client = HawcxOAuth.from_issuer(told["issuer"], told["config_id"], told["client_id"])
if "jwk" in told:
    client.with_client_assertion(ClientAssertionSigner.ed25519_from_jwk(told["jwk"]))
arguments = (told["code"], told["verifier"], told["redirect_uri"])
result = client.exchange_code(*arguments, expected_nonce=told.get("nonce"))
try:
    client.exchange_code(*arguments)
    again = "taken"
except Exception as problem:
    again = problem.error
print(json.dumps({"claims": result.claims, "again": again}))
