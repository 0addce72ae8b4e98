"""The published client of the guide signs an assertion for the token endpoint, and exchanges a code with it."""

import json
import sys

from hawcx_oauth_client import build_assertion_and_dpop, exchange_code_for_claims

told = json.loads(sys.argv[1])
made = build_assertion_and_dpop(told["token_endpoint"], told["client_id"], told["signing_key"])
claims = exchange_code_for_claims(
    code=told["code"],
    oauth_token_url=told["token_endpoint"],
    client_id=told["client_id"],
    jwks_url=told["jwks_uri"],
    code_verifier=told["verifier"],
    redirect_uri=told["redirect_uri"],
    audience=told["client_id"],
    issuer=told["issuer"],
    client_assertion=made.client_assertion,
    client_assertion_type=made.client_assertion_type,
)
print(json.dumps(claims))
